/**
 * Staff and their sessions as rows. A session is found by the hash of its token, judged by PostgreSQL's clock and begun only for somebody
 * with a role; every begin, refusal and end stands in the audit trail. It must never keep a token.
 */
import { STAFF_SESSION } from '../domain/staff.ts';
import type { StaffRole, StaffSessionEndReason, StaffSessionKind } from '../domain/staff.ts';
import { appendAudit } from './audit.ts';
import type { Actor } from './audit.ts';
import type { Tx } from './connection.ts';

/** A person as the identity provider described them at this login. */
export interface StaffIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly employeeId: string;
  readonly name: string;
  readonly roles: readonly StaffRole[];
}

export interface StaffSessionRecord {
  readonly staffSessionId: string;
  readonly staffId: string;
  /** Who vouched for the person. */
  readonly issuer: string;
  readonly employeeId: string;
  readonly name: string;
  readonly kind: StaffSessionKind;
  readonly status: 'live' | 'ended';
  readonly sessionRoles: readonly StaffRole[];
  readonly staffRoles: readonly StaffRole[];
  readonly authTimeMs: number;
  readonly lastSeenAtMs: number;
  readonly idleDeadlineMs: number;
  readonly absoluteDeadlineMs: number;
  readonly nowMs: number;
}

type StaffSessionRow = Omit<
  StaffSessionRecord,
  'authTimeMs' | 'lastSeenAtMs' | 'idleDeadlineMs' | 'absoluteDeadlineMs' | 'nowMs'
> & {
  readonly authTime: Date;
  readonly lastSeenAt: Date;
  readonly idleDeadline: Date;
  readonly absoluteDeadline: Date;
  readonly now: Date;
};

/** Ended and expired ones too: the caller judges (domain/staff.ts). */
export async function readStaffSession(
  tx: Tx,
  tenantId: string,
  tokenHash: Uint8Array,
): Promise<StaffSessionRecord | undefined> {
  const [row] = await tx<StaffSessionRow[]>`
    with t as materialized (select latchkey_now() as now)
    select s.staff_session_id, s.staff_id, f.issuer, f.employee_id, f.name, s.kind, s.status, s.roles as session_roles, f.roles as staff_roles,
      s.auth_time, s.last_seen_at, s.idle_deadline, s.absolute_deadline, t.now
    from t, staff_session s join staff f on f.tenant_id = s.tenant_id and f.staff_id = s.staff_id
    where s.tenant_id = ${tenantId} and s.token_hash = ${tokenHash}`;
  if (row === undefined) return undefined;
  const { authTime, lastSeenAt, idleDeadline, absoluteDeadline, now, ...record } = row;
  return {
    ...record,
    authTimeMs: authTime.getTime(),
    lastSeenAtMs: lastSeenAt.getTime(),
    idleDeadlineMs: idleDeadline.getTime(),
    absoluteDeadlineMs: absoluteDeadline.getTime(),
    nowMs: now.getTime(),
  };
}

/** Moves the idle deadline, never past the absolute one, and never of a session that has ended meanwhile. */
export async function touchStaffSession(
  tx: Tx,
  tenantId: string,
  staffSessionId: string,
): Promise<void> {
  await tx`
    with t as materialized (select latchkey_now() as now)
    update staff_session s set last_seen_at = t.now,
      idle_deadline = least(s.absolute_deadline, t.now + make_interval(secs => ${STAFF_SESSION.idleSeconds}))
    from t where s.tenant_id = ${tenantId} and s.staff_session_id = ${staffSessionId} and s.status = 'live'`;
}

export interface NewStaffLogin {
  readonly tenantId: string;
  /** Used when this person was never here before. */
  readonly staffId: string;
  readonly staffSessionId: string;
  readonly identity: StaffIdentity;
  readonly kind: StaffSessionKind;
  readonly tokenHash: Uint8Array;
  readonly authTimeMs: number;
  readonly acr: string | undefined;
  /** The session that this browser had until now. */
  readonly replaces?: string | undefined;
}

/**
 * Keeps who they are, and begins a session when they have a role; else ends those they have. Answers the session's person, or undefined for
 * nobody with a role. What one browser had before and what goes past the limit ends in the same transaction.
 */
export async function recordStaffLogin(
  tx: Tx,
  login: NewStaffLogin,
): Promise<{ readonly staffId: string } | undefined> {
  const { tenantId, identity } = login;
  const staffId = await keepStaff(tx, login);
  const actor: Actor = { kind: 'staff', id: staffId };
  if (identity.roles.length === 0) {
    await appendAudit(tx, {
      tenantId,
      actor,
      action: 'staff.login_refused',
      subject: { kind: 'staff', id: staffId },
      detail: { reason: 'no_staff_role' },
    });
    await endLiveSessions(tx, { tenantId, staffId, reason: 'roles_removed', actor });
    return undefined;
  }
  if (login.replaces !== undefined) {
    const replaced = { tenantId, staffSessionId: login.replaces, actor };
    await endStaffSession(tx, { ...replaced, reason: 'superseded' });
  }
  await insertStaffSession(tx, { ...login, staffId });
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'staff.logged_in',
    subject: { kind: 'staff_session', id: login.staffSessionId },
    detail: { kind: login.kind, roles: identity.roles.join(' '), acr: login.acr ?? null },
  });
  const keptLive = STAFF_SESSION.maxLive;
  await endLiveSessions(tx, { tenantId, staffId, reason: 'superseded', actor, keptLive });
  return { staffId };
}

async function keepStaff(
  tx: Tx,
  { tenantId, staffId, identity }: Pick<NewStaffLogin, 'tenantId' | 'staffId' | 'identity'>,
): Promise<string> {
  const { issuer, subject, employeeId, name, roles } = identity;
  const [row] = await tx<{ staffId: string }[]>`
    with t as materialized (select latchkey_now() as now)
    insert into staff (tenant_id, staff_id, issuer, subject, employee_id, name, roles, created_at, last_login_at)
    select ${tenantId}, ${staffId}, ${issuer}, ${subject}, ${employeeId}, ${name}, ${[...roles]}, t.now, t.now from t
    on conflict (tenant_id, issuer, subject) do update set
      employee_id = excluded.employee_id, name = excluded.name, roles = excluded.roles, last_login_at = excluded.last_login_at
    returning staff_id`;
  if (row === undefined) throw new TypeError('an upsert answers its row');
  return row.staffId;
}

async function insertStaffSession(tx: Tx, login: NewStaffLogin): Promise<void> {
  const { tenantId, staffSessionId, staffId, identity } = login;
  const { idleSeconds, absoluteSeconds } = STAFF_SESSION;
  await tx`
    with t as materialized (select latchkey_now() as now)
    insert into staff_session (tenant_id, staff_session_id, staff_id, kind, status, token_hash, roles, acr, auth_time,
      started_at, last_seen_at, idle_deadline, absolute_deadline)
    select ${tenantId}, ${staffSessionId}, ${staffId}, ${login.kind}, 'live', ${login.tokenHash}, ${[...identity.roles]},
      ${login.acr ?? null}, ${new Date(login.authTimeMs)}, t.now, t.now,
      t.now + make_interval(secs => ${idleSeconds}), t.now + make_interval(secs => ${absoluteSeconds})
    from t`;
}

interface StaffSessionEnd {
  readonly tenantId: string;
  readonly staffSessionId: string;
  readonly reason: StaffSessionEndReason;
  readonly actor: Actor;
}

/** By compare-and-set; false when it had ended already. */
export async function endStaffSession(tx: Tx, args: StaffSessionEnd): Promise<boolean> {
  const { tenantId, staffSessionId, reason, actor } = args;
  const { count } = await tx`
    update staff_session set status = 'ended', end_reason = ${reason}, ended_at = latchkey_now()
    where tenant_id = ${tenantId} and staff_session_id = ${staffSessionId} and status = 'live'`;
  if (count > 0) await auditEnd(tx, { tenantId, staffSessionId, reason, actor });
  return count > 0;
}

/** Of one person, all but the latest `keptLive`. */
async function endLiveSessions(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly staffId: string;
    readonly reason: StaffSessionEndReason;
    readonly actor: Actor;
    readonly keptLive?: number;
  },
): Promise<void> {
  const { tenantId, staffId, reason, actor, keptLive = 0 } = args;
  const ended = await tx<{ staffSessionId: string }[]>`
    update staff_session set status = 'ended', end_reason = ${reason}, ended_at = latchkey_now()
    where tenant_id = ${tenantId} and status = 'live' and staff_session_id in (
      select staff_session_id from staff_session
      where tenant_id = ${tenantId} and staff_id = ${staffId} and status = 'live'
      order by started_at desc, staff_session_id desc offset ${keptLive})
    returning staff_session_id`;
  for (const { staffSessionId } of ended)
    await auditEnd(tx, { tenantId, staffSessionId, reason, actor });
}

/** For the sweeper: rows whose time is over say so. Answers how many. */
export async function expireStaffSessions(tx: Tx, tenantId: string, limit: number) {
  const expired = await tx<{ staffSessionId: string }[]>`
    update staff_session set status = 'ended', end_reason = 'expired', ended_at = latchkey_now()
    where tenant_id = ${tenantId} and status = 'live' and staff_session_id in (
      select staff_session_id from staff_session
      where tenant_id = ${tenantId} and status = 'live' and idle_deadline <= latchkey_now() limit ${limit})
    returning staff_session_id`;
  const end = { tenantId, reason: 'expired', actor: { kind: 'system', id: 'sweeper' } } as const;
  for (const { staffSessionId } of expired) await auditEnd(tx, { ...end, staffSessionId });
  return expired.length;
}

async function auditEnd(tx: Tx, args: StaffSessionEnd): Promise<void> {
  const { tenantId, staffSessionId, reason, actor } = args;
  await appendAudit(tx, {
    tenantId,
    actor,
    action: reason === 'logged_out' ? 'staff.logged_out' : 'staff.session_ended',
    subject: { kind: 'staff_session', id: staffSessionId },
    detail: { reason },
  });
}
