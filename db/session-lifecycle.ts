/**
 * The end of sessions by time, and what a session's workflow asks. A session may also be ended by a logout, a successor, a reuse or a
 * cut-off: those transactions are elsewhere; here a row is only expired, by compare-and-set, with its audit row and event.
 */
import type { SessionAnswer } from '../domain/session.ts';
import { databaseNowMs, type Database, type Tx } from './connection.ts';
import { activePolicy, type PolicyVersion } from './policies.ts';
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
  await expireSessions(tx, { tenantId: key.tenantId, sessionIds: [key.sessionId] });
  const { document } = await activePolicy(tx, key.tenantId);
  const [live] = await tx<{ due: Date }[]>`
    select ${dueAt(tx, document.session)} as due
    from session s where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and status = 'live'`;
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
 * Ends those of the given sessions that are live and have passed a limit, the stricter of their row's and the current policy's. A refresh that comes
 * first wins: the condition is judged again on the row as it stands under its lock.
 */
export async function expireSessions(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly sessionIds: readonly string[];
    /** Only what has been due for so long: the sweeper leaves the workflow its turn. */
    readonly graceSeconds?: number;
  },
): Promise<ExpiredSession[]> {
  const { tenantId, sessionIds, graceSeconds = 0 } = args;
  const { document } = await activePolicy(tx, tenantId);
  const { absoluteSeconds } = document.session;
  const rows = await tx<ExpiredSession[]>`
    with t as materialized (
      select now, now - make_interval(secs => ${graceSeconds}) as late from (select latchkey_now() as now offset 0) clock
    ),
    due as materialized (
      select s.session_id from session s, t
      where s.tenant_id = ${tenantId} and s.session_id = any(${[...sessionIds]}) and s.status = 'live'
        and ${dueAt(tx, document.session)} <= t.late
      for update of s
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

/**
 * The same of all sessions of the tenant, so many at a time: those that may be due by now, and those that have not been looked at under the current
 * policy, which may have shortened their lives. Of each it notes when it is worth looking at again.
 */
export async function expireOverdueSessions(
  tx: Tx,
  args: { readonly tenantId: string; readonly limit: number; readonly graceSeconds: number },
): Promise<ExpiredSession[]> {
  const { tenantId, limit, graceSeconds } = args;
  const { version, document } = await activePolicy(tx, tenantId);
  // A parameter: compared with a row of the same statement it would not be looked up in the index.
  const late = new Date((await databaseNowMs(tx)) - graceSeconds * 1000);
  const looked = await tx<{ sessionId: string; isDue: boolean }[]>`
    with unseen as materialized (
      select session_id from session
      where tenant_id = ${tenantId} and status = 'live' and sweep_policy < ${version}
      order by sweep_policy limit ${limit} for update skip locked),
    near as materialized (
      select session_id from session
      where tenant_id = ${tenantId} and status = 'live' and sweep_policy = ${version} and sweep_at <= ${late}
      order by sweep_at limit ${limit} for update skip locked)
    update session s set sweep_policy = ${version}, sweep_at = ${dueAt(tx, document.session)}
    from (select session_id from unseen union all select session_id from near) worth
    where s.tenant_id = ${tenantId} and s.session_id = worth.session_id
    returning s.session_id, s.sweep_at <= ${late} as is_due`;
  const sessionIds = looked.filter(({ isDue }) => isDue).map(({ sessionId }) => sessionId);
  if (sessionIds.length === 0) return [];
  return await expireSessions(tx, { tenantId, sessionIds, graceSeconds });
}

/** When a session `s` ends by time: the strictest of its own deadlines and the policy's. */
function dueAt(tx: Tx, { idleSeconds, absoluteSeconds }: PolicyVersion['document']['session']) {
  return tx`
    least(s.idle_deadline, s.absolute_deadline, s.last_seen_at + make_interval(secs => ${idleSeconds}),
      s.started_at + make_interval(secs => ${absoluteSeconds}))`;
}

/** Compare-and-set: only of an ended row, only once. */
export async function markSessionWorkflowClosed(tx: Tx, key: SessionKey): Promise<void> {
  await tx`
    update session set workflow_closed_at = latchkey_now()
    where tenant_id = ${key.tenantId} and session_id = ${key.sessionId} and status = 'ended' and workflow_closed_at is null`;
}
