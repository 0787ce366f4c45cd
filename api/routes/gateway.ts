/**
 * The gateway check, for nginx auth_request and its like: may this request, that came to the gateway, pass, and whose is it? PostgreSQL is asked
 * each time and nothing is remembered; whatever is in doubt is not 200. The answer's headers are all that services behind the gateway believe.
 */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { LatchkeyError } from '../../domain/errors.ts';
import { credentialsOf } from '../callers/authentication.ts';
import type { ApiServices } from '../dependencies.ts';
import { singleHeader } from '../frame/headers.ts';
import { originalRequest } from '../callers/original-request.ts';
import type { GatewayConfiguration } from '../callers/original-request.ts';
import { requireStrength } from '../callers/strength.ts';
import type { LatchkeyApp } from '../types.ts';

export function registerGatewayRoutes(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'gatewayVerify',
    problems: [
      'caller_not_allowed',
      'token_missing',
      'token_invalid',
      'token_expired',
      'session_ended',
      'dpop_proof_missing',
      'dpop_proof_invalid',
      'dpop_proof_replayed',
      'dpop_key_mismatch',
      'dpop_nonce_required',
      'device_not_allowed',
      'customer_frozen',
      'insufficient_scope',
      'insufficient_user_authentication',
    ],
  } as const;
  const schema = {
    summary: 'Judge a request that came to a gateway',
    description:
      'Asked with X-Gateway-Id, X-Original-Method and X-Original-URI, each once, and the client’s own Authorization and DPoP. Answers X-User-ID, X-Device-ID (when the key is a device’s), X-Session-ID, X-Scopes, X-Auth-Strength and X-Risk.',
    tags: ['gateway'],
    response: { 200: Type.Object({}, { additionalProperties: false }) },
  };
  app.get('/gateway/verify', { config, schema }, async (request, reply) => {
    const { tenant } = request;
    const { gateway, original } = askedAbout(request, services);
    const { dpop } = tenant.policy;
    const { caller } = await services.authentication
      .authenticate({
        tenant,
        ...credentialsOf(request),
        ...original,
        nonce: dpop.requireNonceAtGateway === 1 ? 'required' : 'optional',
        isProofRemembered: dpop.rememberProofsAtGateway === 1,
      })
      .catch(asRevoked);
    if (caller.kind !== 'customer') throw new LatchkeyError('caller_not_allowed');
    // First: a stronger login may bring the scope too.
    requireStrength(gateway, caller, services.clock.nowMs());
    if (caller.withheld.includes(gateway.scope)) throw new LatchkeyError('customer_frozen');
    if (!caller.scopes.includes(gateway.scope))
      throw new LatchkeyError('insufficient_scope', { extra: { scope: gateway.scope } });
    const { customerId, deviceId, sessionId, scopes, acr, risk } = caller;
    return await reply
      .headers({
        'x-user-id': customerId,
        ...(deviceId === undefined ? {} : { 'x-device-id': deviceId }),
        'x-session-id': sessionId,
        'x-scopes': scopes.join(' '),
        'x-auth-strength': acr,
        'x-risk': risk,
      })
      .send({});
  });
}

/** A hold cut every token off before: at a gateway that is a revoked token, 401 (RFC 6750 section 3.1). The refresh tells the app why. */
function asRevoked(error: unknown): never {
  if (error instanceof LatchkeyError && error.code === 'customer_on_hold')
    throw new LatchkeyError('session_ended', { cause: error });
  throw error;
}

function askedAbout(
  request: FastifyRequest,
  { configuration }: ApiServices,
): {
  readonly gateway: GatewayConfiguration;
  readonly original: { readonly method: string; readonly htu: string };
} {
  const read = (name: string) => singleHeader(request, name, 'caller_not_allowed') ?? '';
  const gatewayId = read('x-gateway-id');
  const gateway = Object.hasOwn(configuration.gateways, gatewayId)
    ? configuration.gateways[gatewayId]
    : undefined;
  if (gateway === undefined)
    throw new LatchkeyError('caller_not_allowed', { detail: 'no such gateway' });
  const original = originalRequest(gateway, read('x-original-method'), read('x-original-uri'));
  if (original === undefined)
    throw new LatchkeyError('caller_not_allowed', { detail: 'that address is not judged' });
  return { gateway, original };
}
