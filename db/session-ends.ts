/**
 * Sessions ended by a call. Whoever ends one touches the customer's row first (SECURITY.md section 1); a row that had ended already is answered as
 * it ended, whoever was first.
 */
import type { SessionEndReason } from '../domain/session.ts';
import type { Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { recordSessionEnds } from './session-end-records.ts';

export interface EndedSession {
  readonly sessionId: string;
  readonly customerId: string;
  readonly endReason: SessionEndReason;
  readonly endedAtMs: number;
}

export async function readEnd(
  tx: Tx,
  tenantId: string,
  sessionId: string,
): Promise<EndedSession | undefined> {
  const [row] = await tx<(Omit<EndedSession, 'endedAtMs'> & { readonly endedAt: Date })[]>`
    select session_id, customer_id, end_reason, ended_at from session
    where tenant_id = ${tenantId} and session_id = ${sessionId} and status = 'ended'`;
  if (row === undefined) return undefined;
  const { endedAt, ...end } = row;
  return { ...end, endedAtMs: endedAt.getTime() };
}

/** After touchCustomer(). undefined: the customer has no such session. */
export async function endOwnSession(
  tx: Tx,
  args: { readonly tenantId: string; readonly customerId: string; readonly sessionId: string },
): Promise<EndedSession | undefined> {
  const { tenantId, customerId, sessionId } = args;
  await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { only: sessionId },
    reason: 'ended_by_customer',
    actor: { kind: 'customer', id: customerId },
  });
  return await readOwnEnd(tx, args);
}

export async function readOwnEnd(
  tx: Tx,
  args: { readonly tenantId: string; readonly customerId: string; readonly sessionId: string },
): Promise<EndedSession | undefined> {
  const end = await readEnd(tx, args.tenantId, args.sessionId);
  return end?.customerId === args.customerId ? end : undefined;
}

/** Which live sessions of a customer a call ends. */
export type SessionsToEnd =
  | { readonly only: string }
  | { readonly except: string }
  | { readonly these: readonly string[] }
  /** Begun on it, by its key or by its passkeys. */
  | { readonly ofDevice: string }
  | { readonly ofCredential: string }
  | 'all';

/**
 * Ends them by compare-and-set, each with audit row, event and wake-up. Answers their ids. Before it comes touchCustomer(), or
 * shareCustomer() where a new session takes their place.
 */
export async function endSessions(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly sessions: SessionsToEnd;
    readonly reason: SessionEndReason;
    readonly actor: Actor;
    /** A code that says more; for the audit alone. */
    readonly because?: string;
  },
): Promise<readonly string[]> {
  const { tenantId, customerId, reason, actor, because } = args;
  // Two calls that end the same rows take them in the same order.
  const ended = await tx<{ sessionId: string }[]>`
    with due as materialized (
      select session_id from session s
      where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'live' ${whichSessions(tx, args.sessions)}
      order by session_id for update)
    update session s set status = 'ended', end_reason = ${reason}, ended_at = latchkey_now()
    from due where s.tenant_id = ${tenantId} and s.session_id = due.session_id and s.status = 'live'
    returning s.session_id`;
  const ids = ended.map(({ sessionId }) => sessionId);
  await recordSessionEnds(tx, {
    tenantId,
    ended: ids.map((sessionId) => ({ sessionId, customerId, reason })),
    actor,
    ...(because === undefined ? {} : { because }),
    wake: true,
  });
  return ids;
}

function whichSessions(tx: Tx, sessions: SessionsToEnd) {
  if (sessions === 'all') return tx``;
  if ('only' in sessions) return tx`and session_id = ${sessions.only}`;
  if ('these' in sessions) return tx`and session_id = any(${[...sessions.these]})`;
  if ('except' in sessions) return tx`and session_id <> ${sessions.except}`;
  if ('ofCredential' in sessions) return tx`and credential_id = ${sessions.ofCredential}`;
  const { ofDevice } = sessions;
  return tx`and (device_id = ${ofDevice} or credential_id in (
      select credential_id from credential k where k.tenant_id = s.tenant_id and k.device_id = ${ofDevice}))`;
}
