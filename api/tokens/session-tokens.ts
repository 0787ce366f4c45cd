/**
 * A session's token answer: an access token for what the session is good for now, never longer than what is left of it, and the refresh
 * token that the caller derived. Nothing is stored here; the same session can be answered again.
 */
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { judgeSession, type SessionStanding } from '../../domain/session-standing.ts';
import type { ApiServices } from '../dependencies.ts';
import { encodeRefreshToken, type RefreshToken } from './refresh-token.ts';
import type { SessionTokens } from '../schemas/login.ts';
import type { RequestTenant } from '../types.ts';

export type LiveStanding = Exclude<SessionStanding, { readonly refused: unknown }>;

/** @throws LatchkeyError session_ended, customer_on_hold, device_not_allowed */
export function standingOf(session: SessionRecord, tenant: RequestTenant): LiveStanding {
  const standing = judgeSession(session, tenant.policy.session);
  if ('refused' in standing) throw new LatchkeyError(standing.refused);
  return standing;
}

export async function answerTokens(
  { accessTokens, kms }: Pick<ApiServices, 'accessTokens' | 'kms'>,
  args: {
    readonly tenant: RequestTenant;
    readonly session: SessionRecord;
    readonly standing: LiveStanding;
    readonly refreshToken: RefreshToken;
  },
): Promise<SessionTokens> {
  const { tenant, session, standing } = args;
  const { acr, scopes } = standing;
  const { jkt } = session;
  // Idle and absolute deadline, the earlier: what is left of the session, for both tokens.
  const leftSeconds = Math.floor((standing.idleMs - session.nowMs) / 1000);
  const { token, expiresInSeconds, scope } = await accessTokens.issueAccessToken({
    tenant,
    subject: { kind: 'customer', ...session, acr, deviceId: session.deviceId ?? undefined },
    jkt,
    scopes,
    atMostSeconds: leftSeconds,
  });
  return {
    access_token: token,
    token_type: 'DPoP',
    expires_in: expiresInSeconds,
    refresh_token: encodeRefreshToken(kms, args.refreshToken, { tenantId: tenant.tenantId, jkt }),
    refresh_expires_in: leftSeconds,
    scope,
    session_id: session.sessionId,
    acr,
  };
}
