/**
 * The refresh_token grant, RFC 6749 section 6 with RFC 9449 section 5: form and MAC first, so that forgeries and other keys die before the
 * database; then one transaction that spends the proof and moves the family or says why not (SECURITY.md section 2). It never revives.
 */
import { refreshSession } from '../../db/refresh.ts';
import type { Refresh } from '../../db/refresh.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireAppClient } from '../app-client.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  openRefreshToken,
  requestHash,
  successor,
  tokenHash,
  type RefreshToken,
} from '../refresh-token.ts';
import { answerTokens } from '../session-tokens.ts';
import type { Grant, GrantRequest } from './grant.ts';

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

export const grantRefreshToken: Grant = async (services, request) => {
  const { tenant } = request;
  const { tenantId } = tenant;
  const shown = openShown(services, request);
  const refresh = await describeRefresh(services, request, shown);
  const outcome = await services.database.tenant(tenantId, (tx) => refreshSession(tx, refresh));
  if (outcome.kind === 'refused') throw new LatchkeyError(outcome.code);
  const { session, standing } = outcome;
  const next = successor(services.kms, shown, { salt: session.salt, keyId: session.keyId });
  // Another refresh may have moved the family since: what was shown has no newer answer than its own successor.
  if (next.generation !== session.generation) throw new LatchkeyError('refresh_superseded');
  return await answerTokens(services, { tenant, session, standing, refreshToken: next });
};

function openShown({ kms }: ApiServices, { tenant, caller, form }: GrantRequest): RefreshToken {
  const { refresh_token: text, request_id: requestId } = form;
  const extra = [form.client_assertion, form.client_assertion_type, form.scope];
  const isMisshapen = extra.some((member) => member !== undefined);
  if (text === undefined || form.client_id === undefined || isMisshapen)
    throw new LatchkeyError('invalid_request');
  if (requestId !== undefined && !REQUEST_ID.test(requestId))
    throw new LatchkeyError('invalid_request');
  const opened = openRefreshToken(kms, text, { tenantId: tenant.tenantId, jkt: caller.jkt });
  if ('token' in opened) return opened.token;
  throw new LatchkeyError(
    opened.refused === 'wrong_key' ? 'dpop_key_mismatch' : 'refresh_token_invalid',
  );
}

async function describeRefresh(
  { database, kms }: ApiServices,
  { tenant, caller, proof, form, request }: GrantRequest,
  shown: RefreshToken,
): Promise<Refresh> {
  const { tenantId } = tenant;
  const clientId = form.client_id ?? '';
  await database.tenant(tenantId, (tx) => requireAppClient(tx, request, clientId));
  return {
    tenantId,
    sessionId: shown.family,
    clientId,
    jkt: caller.jkt,
    proof: proof.mark,
    generation: shown.generation,
    hash: tokenHash(shown),
    requestHash:
      form.request_id === undefined ? undefined : requestHash(shown.family, form.request_id),
    successorOf: (salt, keyId) => {
      const next = successor(kms, shown, keyId === undefined ? { salt } : { salt, keyId });
      return { hash: tokenHash(next), keyId: next.keyId };
    },
  };
}
