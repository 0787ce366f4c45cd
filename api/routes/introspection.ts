/**
 * Token introspection, RFC 7662: services ask whether a token carries anything now. PostgreSQL is asked each time; an answer is good for the
 * moment it was given, and one that is not active says nothing else.
 */
import type { ApiServices } from '../dependencies.ts';
import { IntrospectionAnswer, IntrospectionForm } from '../schemas/introspection.ts';
import { judgeAccessToken, judgeRefreshToken } from '../callers/shown-tokens.ts';
import type { CustomerCaller, LatchkeyApp, MachineCaller, RequestTenant } from '../types.ts';

export function registerIntrospectionRoutes(app: LatchkeyApp, services: ApiServices): void {
  const schema = {
    summary: 'Ask whether a token is good for anything now',
    description:
      'RFC 7662, for machines with the scope `tokens:introspect`: by their DPoP-bound token, or by a client assertion in the form. Any doubt is `active: false`, and never why.',
    tags: ['oauth'],
    consumes: ['application/x-www-form-urlencoded'],
    body: IntrospectionForm,
    response: { 200: IntrospectionAnswer },
  };
  const config = { operationId: 'introspect', errors: 'oauth' } as const;
  app.post('/oauth/introspect', { schema, config }, async ({ tenant, body }) => {
    const { token } = body;
    const caller = await judgeAccessToken(services, tenant, token);
    if (caller !== undefined) return describeAccessToken(caller);
    return await describeRefreshToken(services, tenant, token);
  });
}

function describeAccessToken(caller: CustomerCaller | MachineCaller): IntrospectionAnswer {
  const { claims, scopes, roles } = caller;
  const { iss, aud, sub, client_id, tenant, jti, iat, exp, cnf } = claims;
  return {
    active: true,
    token_type: 'DPoP',
    token_use: 'access_token',
    iss,
    aud,
    sub,
    client_id,
    tenant,
    jti,
    iat,
    exp,
    cnf: { jkt: cnf.jkt },
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(roles.length === 0 ? {} : { roles: [...roles] }),
    ...(caller.kind === 'customer' ? attributesOf(caller) : {}),
  };
}

/** What services decide by, as PostgreSQL has it now; only how and when he logged in is the token's. */
function attributesOf(caller: CustomerCaller): Partial<IntrospectionAnswer> {
  const { sessionId, deviceId, deviceStatus, attestationLevel, acr, risk, epoch, claims } = caller;
  return {
    sid: sessionId,
    ...(deviceId === undefined ? {} : { device_id: deviceId }),
    ...(deviceStatus === undefined ? {} : { device_status: deviceStatus }),
    ...(attestationLevel === undefined ? {} : { device_attestation: attestationLevel }),
    ...(claims.amr === undefined ? {} : { amr: [...claims.amr] }),
    ...(claims.auth_time === undefined ? {} : { auth_time: claims.auth_time }),
    acr,
    risk,
    epoch,
  };
}

/** Without scope, audience and token type: a service that takes whatever is active finds no right in it. */
async function describeRefreshToken(
  services: ApiServices,
  tenant: RequestTenant,
  token: string,
): Promise<IntrospectionAnswer> {
  const judged = await judgeRefreshToken(services, tenant, token);
  if (judged === undefined) return { active: false };
  const { session, standing } = judged;
  return {
    active: true,
    token_use: 'refresh_token',
    iss: tenant.issuer,
    tenant: tenant.slug,
    sub: session.customerId,
    client_id: session.clientId,
    sid: session.sessionId,
    ...(session.deviceId === null ? {} : { device_id: session.deviceId }),
    iat: Math.floor(session.lastSeenAtMs / 1000),
    exp: Math.floor(standing.idleMs / 1000),
    cnf: { jkt: session.jkt },
    acr: standing.acr,
    amr: [...session.amr],
    auth_time: Math.floor(session.authTimeMs / 1000),
    epoch: session.epoch,
  };
}
