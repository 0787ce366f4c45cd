/**
 * Who calls, as the access matrix asks for this operation: by proof and token, by cookie, by signature, or nobody in particular. Everything else is
 * a refusal; it decides nothing about what the caller wants.
 */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import { accessOf } from '../access.ts';
import { credentialsOf } from './authentication.ts';
import { authenticateClient } from '../proofs/client-assertion.ts';
import type { ClientProof } from '../proofs/client-assertion.ts';
import { isRecord } from '../proofs/compact-jws.ts';
import type { ApiServices } from '../dependencies.ts';
import { requireStrength } from './strength.ts';
import { singleHeader } from '../frame/headers.ts';
import type { AccessRow } from '../access.ts';
import type { Caller, CustomerCaller, MachineCaller, ServiceCaller } from '../types.ts';

/** The caller that the matrix asks for, or a refusal. */
export async function identify(request: FastifyRequest, services: ApiServices): Promise<Caller> {
  const { operationId, proofSpentBy } = request.routeOptions.config;
  const row = accessOf(operationId);
  if (row === undefined) throw new LatchkeyError('not_found');
  if (row.caller === 'public' || row.caller === 'vendor' || row.caller === 'gateway')
    return { kind: row.caller };
  if (row.caller === 'staff')
    return await services.staffAuthentication.authenticate(request, request.tenant, row);
  const { authorization, dpop } = credentialsOf(request);
  const call = {
    tenant: request.tenant,
    dpop,
    method: request.method,
    htu: htuOf(request, services),
  };
  if (row.caller === 'key' || row.caller === 'client') {
    // A token has no place here: whoever sends one takes this for another operation.
    if (authorization !== undefined) throw new LatchkeyError('caller_not_allowed');
    const proof = await services.authentication.proveKey({ ...call, nonce: 'required' });
    if (proofSpentBy !== 'handler') await services.authentication.spend(request.tenant, proof);
    request.facts.proof = proof;
    return { kind: row.caller, jkt: proof.jkt, jwk: proof.jwk };
  }
  if (row.caller === 'service' && authorization === undefined) return { kind: 'unproved' };
  const { proof, caller } = await services.authentication.authenticate({
    ...call,
    authorization,
    nonce: 'optional',
  });
  request.facts.proof = proof;
  const kind = row.caller === 'service' ? 'machine' : row.caller;
  if (caller.kind !== kind) throw new LatchkeyError('caller_not_allowed');
  if (caller.kind === 'customer') requireStrength(row, caller, services.clock.nowMs());
  requireScope(row, caller);
  return row.caller === 'service' ? { kind: 'service', clientId: caller.clientId } : caller;
}

function requireScope(
  { scope, scopeFamily, whileFrozen }: AccessRow,
  {
    scopes,
    withheld = [],
  }: Pick<CustomerCaller | MachineCaller, 'scopes'> & {
    readonly withheld?: readonly string[];
  },
): void {
  if (scope !== undefined && withheld.includes(scope)) {
    if (whileFrozen !== true) throw new LatchkeyError('customer_frozen');
  } else if (scope !== undefined && !scopes.includes(scope))
    throw new LatchkeyError('insufficient_scope', { extra: { scope } });
  if (scopeFamily !== undefined && !scopes.some((one) => one.startsWith(`${scopeFamily}:`)))
    throw new LatchkeyError('insufficient_scope', { extra: { scope: `${scopeFamily}:*` } });
}

/**
 * A service that showed no token: private_key_jwt in its form, as RFC 7662 section 2.1 asks.
 * @throws LatchkeyError invalid_client_assertion, insufficient_scope
 */
export async function identifyByAssertion(
  request: FastifyRequest,
  services: ApiServices,
): Promise<ServiceCaller> {
  const row = accessOf(request.routeOptions.config.operationId);
  if (row?.caller !== 'service') throw new LatchkeyError('not_found');
  const client = await authenticateClient(services, {
    tenant: request.tenant,
    form: assertionIn(request.body),
  });
  requireScope(row, client);
  return { kind: 'service', clientId: client.clientId };
}

/** Read before the schema is held against it: who asks is judged before what is asked. */
function assertionIn(body: unknown): ClientProof['form'] {
  const names = ['client_id', 'client_assertion_type', 'client_assertion'] as const;
  const fields = isRecord(body) ? body : {};
  return Object.fromEntries(
    names.flatMap((name) => (typeof fields[name] === 'string' ? [[name, fields[name]]] : [])),
  );
}

/** RFC 9449 section 4.3: the address as the client knows it, never from Host, forwarding headers or a request target in absolute form. */
function htuOf(request: FastifyRequest, { configuration }: ApiServices): string {
  const path = request.originalUrl.split('?', 1)[0] ?? '';
  if (!path.startsWith('/')) throw new LatchkeyError('dpop_proof_invalid', { detail: 'htu' });
  return `${configuration.http.publicUrl}${path}`;
}

/** Over the bytes as they came: what a parser made of them is not what was signed. Each vendor has its own secret and its own operation. */
export function requireSignature(
  request: FastifyRequest,
  { identitySignatures, livenessSignatures }: ApiServices,
): void {
  const header = singleHeader(request, 'latchkey-signature', 'signature_invalid');
  const { rawBody } = request.facts;
  const isLiveness = request.routeOptions.config.operationId === 'livenessResult';
  const signatures = isLiveness ? livenessSignatures : identitySignatures;
  if (rawBody === undefined || signatures?.isSigned(header, rawBody) !== true)
    throw new LatchkeyError('signature_invalid');
}
