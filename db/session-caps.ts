/**
 * Room for a new session, made in the transaction of its login: the key's earlier session gives way, and what is past a cap by the policy's
 * choice. Logins of one customer take turns here, or two at once would each miss the other's session.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import { effectiveDeadlines } from '../domain/refresh.ts';
import { makeRoom } from '../domain/session-caps.ts';
import type { Tx } from './connection.ts';
import { endSessions } from './session-ends.ts';

interface NewLogin {
  readonly tenantId: string;
  readonly customerId: string;
  /** The customer's, as read under his row's lock. */
  readonly epoch: number;
  readonly jkt: string;
  readonly hasDevice: boolean;
}

/** Only after shareCustomer(). Until the commit other logins of this customer wait; refreshes and cut-offs of his sessions do not. */
export async function oneLoginAtATime(tx: Tx, tenantId: string, customerId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`login/${tenantId}/${customerId}`}, 0))`;
}

/** A live row and the times that judge it. */
export interface CountedRow {
  readonly sessionId: string;
  readonly jkt: string;
  readonly hasDevice: boolean;
  readonly epoch: number;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly idleDeadline: Date;
  readonly absoluteDeadline: Date;
  readonly now: Date;
}

/** Only after oneLoginAtATime(). Without a lock: what ends meanwhile only makes more room, and none begins meanwhile. */
export async function countedSessions(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<readonly CountedRow[]> {
  return await tx<CountedRow[]>`
    with t as materialized (select latchkey_now() as now)
    select s.session_id, s.jkt, s.device_id is not null as has_device, s.epoch, s.started_at, s.last_seen_at, s.idle_deadline,
      s.absolute_deadline, t.now
    from t, session s
    where s.tenant_id = ${tenantId} and s.customer_id = ${customerId} and s.status = 'live'
    order by s.started_at, s.session_id`;
}

/** Only after countedSessions(), of the same transaction. @throws LatchkeyError session_limit_reached */
export async function endForLogin(
  tx: Tx,
  login: NewLogin,
  {
    counted,
    policy,
  }: { readonly counted: readonly CountedRow[]; readonly policy: Policy['session'] },
): Promise<void> {
  const { tenantId, customerId } = login;
  const sessions = counted.map((row) => ({ ...row, isAlive: isAlive(row, login.epoch, policy) }));
  const room = makeRoom(sessions, login, policy);
  if ('refused' in room) throw new LatchkeyError(room.refused);
  for (const [reason, these] of [
    ['superseded', room.superseded],
    ['limit_reached', room.overCap],
  ] as const) {
    if (these.length === 0) continue;
    const actor = { kind: 'customer', id: customerId } as const;
    await endSessions(tx, { tenantId, customerId, sessions: { these }, reason, actor });
  }
}

function isAlive(row: CountedRow, currentEpoch: number, policy: Policy['session']): boolean {
  const times = {
    startedAtMs: row.startedAt.getTime(),
    lastSeenAtMs: row.lastSeenAt.getTime(),
    idleDeadlineMs: row.idleDeadline.getTime(),
    absoluteDeadlineMs: row.absoluteDeadline.getTime(),
  };
  const { idleMs } = effectiveDeadlines(times, policy);
  return row.epoch === currentEpoch && row.now.getTime() < idleMs;
}
