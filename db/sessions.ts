/**
 * Sessions as rows: how they are read and begun. Whoever begins one holds the customer's row FOR SHARE from its first statement on
 * (SECURITY.md section 1). Ends by a call stand in db/session-ends.ts, ends by time in db/session-lifecycle.ts.
 */
import type { Acr, AttestationLevel, DeviceStatus } from '../domain/auth-strength.ts';
import type { Risk } from '../domain/ports.ts';
import type { SessionFacts } from '../domain/session-standing.ts';
import { insertAudit, type AuditEntry } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Sql, Tx } from './connection.ts';
import { insertOutboxRow, type NewOutboxRow } from './outbox.ts';

/** A session with everything that judges it. Never handed out of the API as it is: it holds hashes. */
export interface SessionRecord extends SessionFacts {
  readonly sessionId: string;
  readonly customerId: string;
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly devicePlatform: string | null;
  readonly credentialId: string;
  readonly clientId: string;
  readonly jkt: string;
  readonly amr: readonly string[];
  readonly authTimeMs: number;
  readonly risk: Risk;
  /** After a recovery more is asked for until then; null: no more. */
  readonly limitedUntilMs: number | null;
  /** Of the customer, as the bank named them. */
  readonly roles: readonly string[];
  readonly policyVersion: number;
  readonly generation: number;
  readonly currentHash: Uint8Array;
  readonly previousHash: Uint8Array | null;
  readonly salt: Uint8Array;
  readonly keyId: string;
  readonly requestHash: Uint8Array | null;
  readonly redeliveries: number;
  readonly troubled: number;
}

/** What `sessionColumns` brings; `toSessionRecord` is its only reader. */
export interface SessionRow extends Omit<
  SessionRecord,
  | 'device'
  | 'frozenUntilMs'
  | 'limitedUntilMs'
  | 'authTimeMs'
  | 'startedAtMs'
  | 'lastSeenAtMs'
  | 'idleDeadlineMs'
  | 'absoluteDeadlineMs'
  | 'nowMs'
> {
  readonly deviceStatus: DeviceStatus | null;
  readonly attestationLevel: AttestationLevel | null;
  readonly frozenUntil: Date | null;
  readonly limitedUntil: Date | null;
  readonly authTime: Date;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly idleDeadline: Date;
  readonly absoluteDeadline: Date;
  readonly now: Date;
}

/** One READ COMMITTED statement over session, customer, device, credential and hold: what a check needs. Takes no lock. */
export async function readSession(
  tx: Tx,
  tenantId: string,
  sessionId: string,
): Promise<SessionRecord | undefined> {
  const [row] = await tx<SessionRow[]>`
    ${selectSessions(tx)} where s.tenant_id = ${tenantId} and s.session_id = ${sessionId}`;
  return row === undefined ? undefined : toSessionRecord(row);
}

/** Live rows, latest use first; the caller still judges each. */
export async function sessionsOfCustomer(
  tx: Tx,
  args: { readonly tenantId: string; readonly customerId: string; readonly limit: number },
): Promise<SessionRecord[]> {
  const rows = await tx<SessionRow[]>`
    ${selectSessions(tx)}
    where s.tenant_id = ${args.tenantId} and s.customer_id = ${args.customerId} and s.status = 'live'
    order by s.last_seen_at desc, s.session_id desc limit ${args.limit}`;
  return rows.map(toSessionRecord);
}

export interface SessionPlace {
  readonly sessionId: string;
  readonly model: string | null;
  readonly sealedPlace: Uint8Array | null;
}

/** What only its owner sees of a session, and no check needs. */
export async function sessionPlaces(
  tx: Tx,
  tenantId: string,
  sessionIds: readonly string[],
): Promise<readonly SessionPlace[]> {
  return await tx<SessionPlace[]>`
    select s.session_id, d.model, s.sealed_place from session s
    left join device d on d.tenant_id = s.tenant_id and d.device_id = s.device_id
    where s.tenant_id = ${tenantId} and s.session_id = any(${[...sessionIds]})`;
}

/** Live rows, the youngest first, from below the id `before` on: an order that refreshes do not change. */
export async function pageOfSessions(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly before?: string | undefined;
    readonly limit: number;
  },
): Promise<SessionRecord[]> {
  const { before } = args;
  const rows = await tx<SessionRow[]>`
    ${selectSessions(tx)}
    where s.tenant_id = ${args.tenantId} and s.customer_id = ${args.customerId} and s.status = 'live'
      ${before === undefined ? tx`` : tx`and s.session_id < ${before}`}
    order by s.session_id desc limit ${args.limit}`;
  return rows.map(toSessionRecord);
}

function selectSessions(tx: Tx) {
  return tx`
    with t as materialized (select latchkey_now() as now)
    select ${sessionColumns(tx)} from t, ${sessionTables(tx)}`;
}

/** Everything that judges a session, as columns of `sessionTables` and of a `t` that holds the time. */
export function sessionColumns(sql: Sql) {
  return sql`
    s.session_id, s.customer_id, s.device_id, s.credential_id, s.client_id, s.status, s.epoch, s.jkt, s.acr, s.amr, s.auth_time,
      s.scopes, s.risk, s.generation, s.current_hash, s.previous_hash, s.salt, s.key_id, s.request_hash, s.redeliveries, s.troubled,
      s.policy_version, s.started_at, s.last_seen_at, s.idle_deadline, s.absolute_deadline,
      c.status as customer_status, c.security_epoch as customer_epoch, c.frozen_until, c.roles,
      d.name as device_name, d.platform as device_platform, d.status as device_status, d.attestation_level,
      k.status as credential_status,
      exists (select from hold h where h.tenant_id = s.tenant_id and h.customer_id = s.customer_id and h.status = 'active') as is_held,
      (select max(r.limited_until) from recovery r
        where r.tenant_id = s.tenant_id and r.customer_id = s.customer_id and r.limited_until is not null and r.limited_until > t.now) as limited_until,
      t.now`;
}

export function sessionTables(sql: Sql) {
  return sql`
    session s
    join customer c on c.tenant_id = s.tenant_id and c.customer_id = s.customer_id
    join credential k on k.tenant_id = s.tenant_id and k.credential_id = s.credential_id
    left join device d on d.tenant_id = s.tenant_id and d.device_id = s.device_id`;
}

export function toSessionRecord(row: SessionRow): SessionRecord {
  const { deviceStatus, attestationLevel } = row;
  // One copy of so many columns, with the raw ones left in it: leaving each out would cost another.
  return {
    ...row,
    device:
      deviceStatus === null || attestationLevel === null
        ? undefined
        : { status: deviceStatus, attestationLevel },
    frozenUntilMs: row.frozenUntil?.getTime() ?? null,
    limitedUntilMs: row.limitedUntil?.getTime() ?? null,
    authTimeMs: row.authTime.getTime(),
    startedAtMs: row.startedAt.getTime(),
    lastSeenAtMs: row.lastSeenAt.getTime(),
    idleDeadlineMs: row.idleDeadline.getTime(),
    absoluteDeadlineMs: row.absoluteDeadline.getTime(),
    nowMs: row.now.getTime(),
  };
}

export interface NewSession {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly customerId: string;
  readonly deviceId: string | undefined;
  readonly credentialId: string;
  readonly clientId: string;
  /** Of the customer's row, as read under its lock. */
  readonly epoch: number;
  readonly jkt: string;
  readonly acr: Acr;
  readonly amr: readonly string[];
  readonly scopes: readonly string[];
  readonly risk: Risk;
  readonly salt: Uint8Array;
  readonly keyId: string;
  /** Of generation 0. */
  readonly firstHash: Uint8Array;
  readonly policyVersion: number;
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
  /** When its passkey was shown, or asked for, where that matters; else it is now. */
  readonly authTimeMs?: number | undefined;
  readonly sealedPlace?: Uint8Array | undefined;
}

/**
 * Only after shareCustomer() in the same transaction, and after whatever else it depends on was read. One statement: the row, its audit row, its
 * workflow's start and its event. Answers the session as it stands.
 */
export async function insertSession(tx: Tx, session: NewSession): Promise<SessionRecord> {
  const { tenantId, sessionId, customerId, acr } = session;
  const detail = { acr, risk: session.risk, deviceId: session.deviceId ?? null };
  const audit: AuditEntry = {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'session.created',
    subject: { kind: 'session', id: sessionId },
    customerId,
    detail,
  };
  const event: NewOutboxRow = {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: { type: 'bank.app.session_created', data: { customerId, sessionId, ...detail } },
  };
  // `session` is the table where it is written and the new row where it is read.
  const [row] = await tx<SessionRow[]>`
    with t as materialized (select latchkey_now() as now),
    session as (${insertRow(tx, session)} returning *),
    noted as (${insertAudit(tx, audit)}),
    started as (
      insert into outbox (tenant_id, topic, subject, payload)
      select ${tenantId}, 'session.start', ${sessionId},
        jsonb_build_object('sessionId', session_id, 'dueAtMs', floor(extract(epoch from idle_deadline) * 1000)::bigint)
      from session),
    told as (${insertOutboxRow(tx, event)})
    select ${sessionColumns(tx)} from t, ${sessionTables(tx)}`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  noteFact(tx, { kind: 'session_started', acr });
  return toSessionRecord(row);
}

function insertRow(tx: Tx, session: NewSession) {
  const { tenantId, sessionId, customerId, acr, authTimeMs } = session;
  const authTime = authTimeMs === undefined ? null : new Date(authTimeMs);
  return tx`
    insert into session (tenant_id, session_id, customer_id, device_id, credential_id, client_id, status, epoch, jkt, acr, amr, auth_time,
      scopes, risk, current_hash, salt, key_id, policy_version, started_at, last_seen_at, idle_deadline, absolute_deadline,
      sweep_policy, sweep_at, sealed_place)
    select ${tenantId}, ${sessionId}, ${customerId}, ${session.deviceId ?? null}, ${session.credentialId}, ${session.clientId}, 'live',
      ${session.epoch}, ${session.jkt}, ${acr}, ${[...session.amr]},
      coalesce(${authTime}::timestamptz, t.now), ${[...session.scopes]}, ${session.risk},
      ${session.firstHash}, ${session.salt}, ${session.keyId}, ${session.policyVersion}, t.now, t.now, idle,
      t.now + make_interval(secs => ${session.absoluteSeconds}), ${session.policyVersion}, idle, ${session.sealedPlace ?? null}
    from t, lateral (
      select t.now + make_interval(secs => least(${session.idleSeconds}, ${session.absoluteSeconds})::double precision) as idle) deadline`;
}
