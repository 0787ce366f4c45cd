/**
 * The end of sessions by time, and what a session's workflow asks. A session may also be ended by a logout, a successor, a reuse or a
 * cut-off: those transactions are elsewhere; here a row is only expired, by compare-and-set, with its audit row and event.
 */
import type { SessionAnswer } from '../domain/session.ts';
import type { Database, Tx } from './connection.ts';
import { activePolicy } from './policies.ts';
import { recordSessionEnds } from './session-end-records.ts';

/** Asked again a little late: clocks that differ slightly must not cost the workflow another round. */
const ASK_AGAIN_MARGIN_MS = 1_000;

export interface SessionKey {
  readonly tenantId: string;
  readonly sessionId: string;
}

/** The port of the session workflow's activity. */
export function createSessionStore(database: Database) {
  return {
    due: (key: SessionKey): Promise<SessionAnswer> =>
      database.tenant(key.tenantId, (tx) => sessionDue(tx, key)),
  };
}

/** Expires the session when it is due; when its row has ended, or was never there, notes that the workflow closes. */
export async function sessionDue(tx: Tx, key: SessionKey): Promise<SessionAnswer> {
  await expireSessions(tx, { ...key, limit: 1 });
  const { document } = await activePolicy(tx, key.tenantId);
  const [live] = await tx<{ due: Date }[]>`
    select least(idle_deadline, absolute_deadline,
      last_seen_at + make_interval(secs => ${document.session.idleSeconds}),
      started_at + make_interval(secs => ${document.session.absoluteSeconds})) as due
    from session where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and status = 'live'`;
  if (live !== undefined) {
    return { state: 'live', dueAtMs: live.due.getTime() + ASK_AGAIN_MARGIN_MS };
  }
  await markSessionWorkflowClosed(tx, key);
  return { state: 'ended' };
}

export interface ExpiredSession {
  readonly sessionId: string;
  readonly customerId: string;
  readonly endReason: 'expired_idle' | 'expired_absolute';
}

/**
 * Ends live sessions that have passed a limit, the stricter of their row's and the current policy's; `sessionId` narrows it to one.
 * A refresh that comes first wins: the condition is judged again on the row as it stands under its lock.
 */
export async function expireSessions(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly limit: number;
    readonly sessionId?: string;
    /** Only what has been due for so long: the sweeper leaves the workflow its turn. */
    readonly graceSeconds?: number;
  },
): Promise<ExpiredSession[]> {
  const { tenantId, limit, sessionId, graceSeconds = 0 } = args;
  const { document } = await activePolicy(tx, tenantId);
  const { idleSeconds, absoluteSeconds } = document.session;
  const rows = await tx<ExpiredSession[]>`
    with t as materialized (
      select now, now - make_interval(secs => ${graceSeconds}) as late from (select latchkey_now() as now offset 0) clock
    ),
    due as materialized (
      select s.session_id, s.status from session s, t
      where s.tenant_id = ${tenantId} and s.status = 'live'
        ${sessionId === undefined ? tx`` : tx`and s.session_id = ${sessionId}`}
        and (s.idle_deadline <= t.late or s.absolute_deadline <= t.late
          or s.last_seen_at <= t.late - make_interval(secs => ${idleSeconds})
          or s.started_at <= t.late - make_interval(secs => ${absoluteSeconds}))
      limit ${limit} for update of s
    )
    update session s set status = 'ended', ended_at = t.now, end_reason =
      case when least(s.absolute_deadline, s.started_at + make_interval(secs => ${absoluteSeconds})) <= t.now
        then 'expired_absolute' else 'expired_idle' end
    from due, t
    where s.tenant_id = ${tenantId} and s.session_id = due.session_id and s.status = 'live'
    returning s.session_id, s.customer_id, s.end_reason`;
  await recordSessionEnds(tx, {
    tenantId,
    ended: rows.map(({ endReason, ...end }) => ({ ...end, reason: endReason })),
    // The workflow is what ends it, or is woken by its own deadline.
    wake: false,
  });
  return rows;
}

/** Compare-and-set: only of an ended row, only once. */
export async function markSessionWorkflowClosed(tx: Tx, key: SessionKey): Promise<void> {
  await tx`
    update session set workflow_closed_at = latchkey_now()
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and status = 'ended' and workflow_closed_at is null`;
}
