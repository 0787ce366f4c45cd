/** The tokens that a login answers with: derived from the session's row, so that a lost answer can be given again while nobody has used it. */
import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { PLACE } from '../../db/login-history.ts';
import type { VerifiedLogin } from '../../db/login.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { placeOf } from '../callers/places.ts';
import type { ApiServices } from '../dependencies.ts';
import type { SessionTokens } from '../schemas/login.ts';
import { callerOf } from '../types.ts';
import type { RequestTenant } from '../types.ts';
import { firstToken, tokenHash } from './refresh-token.ts';
import { answerTokens, standingOf } from './session-tokens.ts';

const SALT_BYTES = 32;

/** A session to come: its id, its salt, and what its first refresh token is at rest. */
export function newFamily({
  kms,
  newId,
}: Pick<ApiServices, 'kms' | 'newId'>): Pick<
  VerifiedLogin,
  'sessionId' | 'salt' | 'keyId' | 'firstHash'
> {
  const sessionId = newId('session');
  const salt = randomBytes(SALT_BYTES);
  const first = firstToken(kms, { family: sessionId, salt });
  return { sessionId, salt, keyId: first.keyId, firstHash: tokenHash(first) };
}

export function placeSealer(
  { configuration, personalData }: ApiServices,
  request: FastifyRequest,
  customerId: string,
): Pick<VerifiedLogin, 'sealPlace'> {
  const place = placeOf(request, configuration.http);
  if (place === undefined) return {};
  const target = { tenantId: request.tenant.tenantId, customerId, purpose: PLACE };
  return { sealPlace: (tx) => personalData.seal(tx, target, place) };
}

export async function answerLogin(
  services: ApiServices,
  tenant: RequestTenant,
  session: SessionRecord,
): Promise<SessionTokens> {
  const standing = standingOf(session, tenant);
  const { sessionId, salt, keyId } = session;
  const refreshToken = firstToken(services.kms, { family: sessionId, salt, keyId });
  const tokens = await answerTokens(services, { tenant, session, standing, refreshToken });
  const idToken = await services.idTokens.issueIdToken({ tenant, ...session, acr: standing.acr });
  return { ...tokens, id_token: idToken };
}

/** The answer was lost: the tokens are derived again from the row, unless they have been used, which proves that they arrived. */
export async function answerLoginAgain(
  services: ApiServices,
  request: FastifyRequest,
  sessionId: string,
): Promise<SessionTokens> {
  const { tenant } = request;
  const session = await services.database.tenant(tenant.tenantId, (tx) =>
    readSession(tx, tenant.tenantId, sessionId),
  );
  if (session === undefined || session.jkt !== callerOf(request, 'key').jkt)
    throw new LatchkeyError('session_ended');
  // Nor later than its challenge could have been: whoever finds the key and the request then must prove the passkey anew.
  const isLate = session.nowMs >= session.startedAtMs + tenant.policy.challenge.ttlSeconds * 1000;
  if (session.generation > 0 || isLate) throw new LatchkeyError('challenge_spent');
  return await answerLogin(services, tenant, session);
}
