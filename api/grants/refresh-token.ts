/**
 * The refresh_token grant, RFC 6749 section 6 with RFC 9449 section 5: form and MAC first, so that forgeries and other keys die before the
 * database; then one statement, shared with others, that spends the proof and moves the family, or a transaction that says why not (SECURITY.md section 2). It never revives.
 */
import { refreshSession } from '../../db/refresh.ts';
import type { Refresh } from '../../db/refresh.ts';
import type { Rotation } from '../../db/refresh-statement.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireAppClient } from '../callers/app-client.ts';
import type { ApiServices } from '../dependencies.ts';
import { singleHeader } from '../frame/headers.ts';
import { createRandomSource } from '../proofs/random-source.ts';
import {
  openRefreshToken,
  requestHash,
  successor,
  tokenHash,
  type RefreshToken,
} from '../tokens/refresh-token.ts';
import { answerTokens, standingOf } from '../tokens/session-tokens.ts';
import type { LiveStanding } from '../tokens/session-tokens.ts';
import type { Grant, GrantRequest } from './grant.ts';

/** Of each generation, new: with it the successor can be made before the row is read, and no earlier one says anything about it. */
const SALT_BYTES = 32;
const nextSalt = createRandomSource(SALT_BYTES);
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

export const grantRefreshToken: Grant = async (services, request) => {
  const { tenant } = request;
  const shown = openShown(services, request);
  const salt = nextSalt();
  const made = { salt, token: successor(services.kms, shown, { salt }) };
  const { session, standing } = await move(services, request, { shown, made });
  const { kms } = services;
  // Almost always what was made has become the current one.
  const next =
    session.salt === salt
      ? made.token
      : successor(kms, shown, { salt: session.salt, keyId: session.keyId });
  // Another refresh may have moved the family since: what was shown has no newer answer than its own successor.
  if (next.generation !== session.generation) throw new LatchkeyError('refresh_superseded');
  return await answerTokens(services, { tenant, session, standing, refreshToken: next });
};

interface Tokens {
  readonly shown: RefreshToken;
  /** What the family moves to, if this refresh moves it. */
  readonly made: { readonly salt: Uint8Array; readonly token: RefreshToken };
}

/** In one statement when it is the ordinary refresh; else in the transaction that decides. */
async function move(
  services: ApiServices,
  grantRequest: GrantRequest,
  tokens: Tokens,
): Promise<{ readonly session: SessionRecord; readonly standing: LiveStanding }> {
  const { database } = services;
  const { tenant, request } = grantRequest;
  const rotation = describeRotation(grantRequest, tokens);
  const swift = await services.rotate(tenant.tenantId, rotation);
  if (swift.kind === 'replayed') throw new LatchkeyError('dpop_proof_replayed');
  if (swift.kind === 'rotated')
    return { session: swift.session, standing: standingOf(swift.session, tenant) };
  const refresh: Refresh = {
    ...rotation,
    isProofSpent: swift.isProofSpent,
    successorOf: (salt, keyId) => tokenHash(successor(services.kms, tokens.shown, { salt, keyId })),
  };
  const outcome = await database.tenant(tenant.tenantId, async (tx) => {
    await requireAppClient(tx, request, rotation.app.clientId);
    return await refreshSession(tx, refresh);
  });
  // Thrown after the commit: what was written about a refusal stays.
  if (outcome.kind === 'refused') throw new LatchkeyError(outcome.code);
  return outcome;
}

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

function describeRotation(
  { tenant, caller, proof, form, request }: GrantRequest,
  { shown, made }: Tokens,
): Rotation {
  return {
    tenantId: tenant.tenantId,
    sessionId: shown.family,
    jkt: caller.jkt,
    proof: proof.mark,
    app: {
      clientId: form.client_id ?? '',
      origin: singleHeader(request, 'origin', 'origin_not_allowed'),
      nativeAppId: singleHeader(request, 'latchkey-app-id', 'origin_not_allowed'),
    },
    generation: shown.generation,
    hash: tokenHash(shown),
    requestHash:
      form.request_id === undefined ? undefined : requestHash(shown.family, form.request_id),
    next: { salt: made.salt, hash: tokenHash(made.token), keyId: made.token.keyId },
    policy: { version: tenant.policyVersion, document: tenant.policy },
  };
}
