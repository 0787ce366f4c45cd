/**
 * Who calls, as the access matrix asks for this operation: by proof and token, by cookie, by signature, or nobody in particular. Everything else is
 * a refusal; it decides nothing about what the caller wants.
 */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../domain/errors.ts';
import { accessOf } from './access.ts';
import { credentialsOf } from './authentication.ts';
import type { ApiServices } from './dependencies.ts';
import { singleHeader } from './headers.ts';
import type { Caller } from './types.ts';

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
  const { proof, caller } = await services.authentication.authenticate({
    ...call,
    authorization,
    nonce: 'optional',
  });
  request.facts.proof = proof;
  if (caller.kind !== row.caller) throw new LatchkeyError('caller_not_allowed');
  if (row.scope !== undefined && !caller.scopes.includes(row.scope))
    throw new LatchkeyError('insufficient_scope', { extra: { scope: row.scope } });
  return caller;
}

/** RFC 9449 section 4.3: the address as the client knows it, never from Host, forwarding headers or a request target in absolute form. */
function htuOf(request: FastifyRequest, { configuration }: ApiServices): string {
  const path = request.originalUrl.split('?', 1)[0] ?? '';
  if (!path.startsWith('/')) throw new LatchkeyError('dpop_proof_invalid', { detail: 'htu' });
  return `${configuration.http.publicUrl}${path}`;
}

/** Over the bytes as they came: what a parser made of them is not what was signed. */
export function requireSignature(
  request: FastifyRequest,
  { identitySignatures }: ApiServices,
): void {
  const header = singleHeader(request, 'latchkey-signature', 'signature_invalid');
  const { rawBody } = request.facts;
  if (rawBody === undefined || !identitySignatures.isSigned(header, rawBody))
    throw new LatchkeyError('signature_invalid');
}
