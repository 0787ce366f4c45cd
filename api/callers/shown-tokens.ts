/**
 * Tokens as another shows them, to ask about them or to end them: whether they carry anything now, by the same judgement as the gateway's. It
 * must never tell why one does not, and never take a token for more than its own text proves.
 */
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import type { ApiServices } from '../dependencies.ts';
import { familyOf, openRefreshToken, tokenHash } from '../tokens/refresh-token.ts';
import type { LiveStanding } from '../tokens/session-tokens.ts';
import type { CustomerCaller, MachineCaller, RequestTenant } from '../types.ts';

/** What makes a token worth nothing. Everything else is a failure of ours, and said as one. */
const WORTHLESS: ReadonlySet<ErrorCode> = new Set([
  'token_invalid',
  'token_expired',
  'session_ended',
  'customer_on_hold',
  'device_not_allowed',
]);

/** Runs a judgement; undefined when the token is worth nothing. */
export async function unlessWorthless<T>(judgement: Promise<T>): Promise<T | undefined> {
  try {
    return await judgement;
  } catch (error) {
    if (error instanceof LatchkeyError && WORTHLESS.has(error.code)) return undefined;
    throw error;
  }
}

export async function judgeAccessToken(
  { authentication }: Pick<ApiServices, 'authentication'>,
  tenant: RequestTenant,
  token: string,
): Promise<CustomerCaller | MachineCaller | undefined> {
  return await unlessWorthless(authentication.judgeToken(tenant, token));
}

/** The session of a refresh token that would be taken now: genuine, of the current generation, its session alive. */
export async function judgeRefreshToken(
  { database, kms }: Pick<ApiServices, 'database' | 'kms'>,
  tenant: RequestTenant,
  text: string,
): Promise<{ readonly session: SessionRecord; readonly standing: LiveStanding } | undefined> {
  const { tenantId } = tenant;
  const family = familyOf(text);
  if (family === undefined) return undefined;
  const session = await database.tenant(tenantId, (tx) => readSession(tx, tenantId, family));
  if (session === undefined) return undefined;
  const opened = openRefreshToken(kms, text, { tenantId, jkt: session.jkt });
  if ('refused' in opened) return undefined;
  // The row keeps the hash of the current generation.
  if (!Buffer.from(tokenHash(opened.token)).equals(session.currentHash)) return undefined;
  const standing = judgeSession(session, tenant.policy.session);
  return 'refused' in standing ? undefined : { session, standing };
}
