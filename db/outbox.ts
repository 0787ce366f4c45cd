/**
 * The outbox: what a transaction must cause elsewhere is a row it writes, delivered later at least once. Payloads carry ids only.
 * A claim is a short transaction that leases rows; nothing is delivered while a transaction is open.
 */
import type postgres from 'postgres';
import { EVENTS } from '../domain/events.ts';
import type { EventPayload } from '../domain/events.ts';
import type { Sql, Tx } from './connection.ts';
import { replayParked } from './events.ts';

/** What each topic carries. Events go out in order per subject (the customer's id; db/events.ts); the rest in any order. */
export interface OutboxPayloads {
  'session.start': { readonly sessionId: string; readonly dueAtMs: number };
  'session.wake': { readonly sessionId: string };
  'ceremony.signal': {
    readonly ceremonyId: string;
    readonly kind: 'enrollment' | 'step_up' | 'recovery';
    readonly signal: 'revoke' | 'cancel' | 'identityResult' | 'changed';
  };
  /** Of a ceremony whose row is committed with it; every other one is started by its caller. */
  'ceremony.start': { readonly ceremonyId: string; readonly kind: 'recovery' };
  /** To whoever has the contact that was asked about, if anybody has: looked up when it is delivered. */
  'recovery.request': { readonly requestId: string };
  'revocation.start': { readonly revocationId: string };
  'message.sms': MessagePayload;
  'message.email': MessagePayload;
  /** Without a device: to the one that the step-up names, or to every trusted one of the customer. */
  'push.send': {
    readonly stepUpId: string;
    readonly customerId: string;
    readonly deviceId?: string;
  };
  /** To the requester, when it is a client that registered an address. */
  'callback.send': { readonly stepUpId: string };
  /** The key management signs what the approval's rows say. */
  'receipt.seal': { readonly stepUpId: string };
  /** Of the catalogue, domain/events.ts. */
  event: EventPayload;
}

export interface MessagePayload {
  readonly customerId: string;
  readonly contactId: string;
  readonly template: string;
  /** The code's id: the relay derives the code from it. */
  readonly attemptId?: string;
  /** The step-up that it is about. */
  readonly stepUpId?: string;
  /** The request for a freeze whose code it carries. */
  readonly freezeRequestId?: string;
  /** The case whose notice it is: an objection to it is a link. */
  readonly recoveryId?: string;
  readonly locale: string;
}

export type OutboxTopic = keyof OutboxPayloads;

/** One topic with its own payload. */
export type OutboxMessage = {
  [Topic in OutboxTopic]: { readonly topic: Topic; readonly payload: OutboxPayloads[Topic] };
}[OutboxTopic];

export type NewOutboxRow = OutboxMessage & {
  readonly tenantId: string;
  /** The ordering key of events; for the rest what the row is about. */
  readonly subject: string;
  /** Not delivered before; now when left out. */
  readonly notBeforeMs?: number | undefined;
};

/**
 * Answers the new row's id, which is also the reference that makes its delivery harmless to repeat. An event comes after the lock of what it
 * tells about: then the order of its customer's events is the order of what happened (docs/decisions/0021-order-of-events.md).
 */
export async function enqueue(tx: Tx, row: NewOutboxRow): Promise<string> {
  const [inserted] = await tx<
    { outboxId: string }[]
  >`${insertOutboxRow(tx, row)} returning outbox_id`;
  if (inserted === undefined) throw new TypeError('an insert answers its row');
  return inserted.outboxId;
}

/** The same as a fragment, for a statement that writes more. `found` is jsonb that only the statement knows: it goes over an event's data. */
export function insertOutboxRow(sql: Sql, row: NewOutboxRow, found?: postgres.Fragment) {
  const stored = sql.json(storedPayload(row));
  const payload =
    found === undefined
      ? sql`${stored}`
      : sql`jsonb_set(${stored}, '{data}', (${stored} -> 'data') || ${found})`;
  return sql`
    insert into outbox (tenant_id, topic, subject, payload, not_before) values ${valuesOf(sql, row, payload)}`;
}

/** Several, in their order, which is the order of their events; at least one. */
export function insertOutboxRows(sql: Sql, rows: readonly NewOutboxRow[]) {
  const values = rows.map((row, index) => {
    const one = valuesOf(sql, row, sql`${sql.json(storedPayload(row))}`);
    return index === 0 ? one : sql`, ${one}`;
  });
  return sql`insert into outbox (tenant_id, topic, subject, payload, not_before) values ${values}`;
}

function valuesOf(sql: Sql, row: NewOutboxRow, payload: postgres.Fragment) {
  const notBefore = row.notBeforeMs === undefined ? null : new Date(row.notBeforeMs);
  return sql`(${row.tenantId}, ${row.topic}, ${row.subject}, ${payload}, coalesce(${notBefore}, latchkey_now()))`;
}

/** An event with its version, which may be older than the catalogue when it is delivered. */
function storedPayload(row: OutboxMessage) {
  return row.topic === 'event'
    ? { ...row.payload, version: EVENTS[row.payload.type].version }
    : { ...row.payload };
}

/** What is delivered to one receiver alone. */
export type CommandTopic = Exclude<OutboxTopic, 'event'>;
type OutboxCommand = Extract<OutboxMessage, { readonly topic: CommandTopic }>;

/** A row that this claimer alone may deliver until its lease runs out. */
export type ClaimedRow = OutboxCommand & {
  readonly outboxId: string;
  readonly subject: string;
  /** Place in the order of the outbox. */
  readonly position: number;
  /** This one included. */
  readonly attempts: number;
  readonly createdAtMs: number;
};

export interface ClaimOptions {
  readonly tenantId: string;
  /** Only these; left out, all. The relay leaves out the topics whose receiver is known to be down. */
  readonly topics?: readonly CommandTopic[];
  /** Names the claimer: only the holder of a lease may settle its row. */
  readonly claimer: string;
  readonly limit: number;
  readonly leaseMs: number;
}

interface OutboxRecord {
  readonly outboxId: string;
  readonly topic: CommandTopic;
  readonly subject: string;
  readonly payload: unknown;
  readonly position: number;
  readonly attempts: number;
  readonly createdAt: Date;
}

/** Leases what is due, in a transaction of its own that the caller commits before it delivers. Never events: db/events.ts has them. */
export async function claimOutbox(tx: Tx, options: ClaimOptions): Promise<ClaimedRow[]> {
  const { tenantId, topics, claimer, limit, leaseMs } = options;
  const rows = await tx<OutboxRecord[]>`
    with t as materialized (select latchkey_now() as now),
    due as materialized (
      select o.outbox_id from outbox o, t
      where o.tenant_id = ${tenantId} and o.status = 'pending' and o.not_before <= t.now
        and ${topics === undefined ? tx`o.topic <> 'event'` : tx`o.topic = any(${[...topics]})`}
        and (o.leased_until is null or o.leased_until <= t.now)
      order by o.position limit ${limit}
      for update of o skip locked
    )
    update outbox o set leased_until = t.now + ${leaseMs} * interval '1 millisecond', leased_by = ${claimer},
      attempts = o.attempts + 1
    from due, t where o.tenant_id = ${tenantId} and o.outbox_id = due.outbox_id
    returning o.outbox_id, o.topic, o.subject, o.payload, o.position, o.attempts, o.created_at`;
  return rows.map(claimedRow).toSorted((one, other) => one.position - other.position);
}

function claimedRow({ createdAt, ...row }: OutboxRecord): ClaimedRow {
  // enqueue() is the only writer, and pairs each topic with its payload.
  return { ...row, createdAtMs: createdAt.getTime() } as ClaimedRow;
}

export interface Settlement {
  readonly tenantId: string;
  readonly outboxId: string;
  readonly claimer: string;
}

/** Answers false when the lease was lost: another claimer has the row, and its word counts. */
export async function markDelivered(
  tx: Tx,
  { tenantId, outboxId, claimer }: Settlement,
): Promise<boolean> {
  const { count } = await tx`
    update outbox set status = 'delivered', delivered_at = latchkey_now(), leased_until = null, leased_by = null, error_code = null
    where tenant_id = ${tenantId} and outbox_id = ${outboxId} and status = 'pending' and leased_by = ${claimer}`;
  return count === 1;
}

export interface Failure extends Settlement {
  /** A code, never a message: messages may quote personal data. */
  readonly errorCode: string;
  /** `dead` parks the row until an operator retries it. */
  readonly next: { readonly kind: 'retry'; readonly afterMs: number } | { readonly kind: 'dead' };
}

/** Answers false when the lease was lost, as above. */
export async function markFailed(
  tx: Tx,
  { tenantId, outboxId, claimer, errorCode, next }: Failure,
): Promise<boolean> {
  const afterMs = next.kind === 'retry' ? next.afterMs : 0;
  const { count } = await tx`
    update outbox set status = ${next.kind === 'dead' ? 'dead' : 'pending'}, error_code = ${errorCode},
      not_before = latchkey_now() + ${afterMs} * interval '1 millisecond', leased_until = null, leased_by = null
    where tenant_id = ${tenantId} and outbox_id = ${outboxId} and status = 'pending' and leased_by = ${claimer}`;
  return count === 1;
}

/** Gives the row back as if it had not been claimed: its receiver was not there, which says nothing about the row. */
export async function releaseClaim(
  tx: Tx,
  { tenantId, outboxId, claimer }: Settlement,
): Promise<boolean> {
  const { count } = await tx`
    update outbox set attempts = greatest(attempts - 1, 0), leased_until = null, leased_by = null
    where tenant_id = ${tenantId} and outbox_id = ${outboxId} and status = 'pending' and leased_by = ${claimer}`;
  return count === 1;
}

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 5 * 60_000;

/** Doubles from half a second to five minutes: a vendor's hiccup is over in seconds, its outage is not hammered. */
export function backoffMs(attempts: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** Math.max(0, attempts - 1), LONGEST_BACKOFF_MS);
}

export interface DeadRow {
  readonly outboxId: string;
  readonly topic: OutboxTopic;
  readonly subject: string;
  readonly position: number;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly createdAtMs: number;
  /** Of an event; else null. */
  readonly eventType: string | null;
  /** Which sinks an event is parked for. */
  readonly sinks: readonly string[];
}

/** In order, without payloads, after the position `after`. An event is one row, however many of its sinks it is parked for. */
export async function listDead(
  tx: Tx,
  {
    tenantId,
    limit,
    after = 0,
  }: { readonly tenantId: string; readonly limit: number; readonly after?: number },
): Promise<DeadRow[]> {
  const rows = await tx<(Omit<DeadRow, 'createdAtMs'> & { readonly createdAt: Date })[]>`
    with dead as (
      select outbox_id, attempts, error_code, array[]::text[] as sinks from outbox
      where tenant_id = ${tenantId} and status = 'dead'
      union all
      select outbox_id, max(attempts), min(error_code), array_agg(sink order by sink) from event_delivery
      where tenant_id = ${tenantId} and status = 'dead' group by outbox_id)
    select o.outbox_id, o.topic, o.subject, o.position, dead.attempts, dead.error_code, o.created_at,
      case when o.topic = 'event' then o.payload ->> 'type' end as event_type, dead.sinks
    from dead join outbox o on o.tenant_id = ${tenantId} and o.outbox_id = dead.outbox_id
    where o.position > ${after} order by o.position limit ${limit}`;
  return rows.map(({ createdAt, ...row }) => ({ ...row, createdAtMs: createdAt.getTime() }));
}

/**
 * Makes a dead row due again, at its old place in the order and with its attempts counted anew; an event for every sink that it is parked for.
 * false: it is not among the dead.
 */
export async function retryDead(
  tx: Tx,
  { tenantId, outboxId }: { readonly tenantId: string; readonly outboxId: string },
): Promise<boolean> {
  const { count } = await tx`
    update outbox set status = 'pending', attempts = 0, not_before = latchkey_now(), error_code = null
    where tenant_id = ${tenantId} and outbox_id = ${outboxId} and status = 'dead'`;
  return count === 1 || (await replayParked(tx, { tenantId, outboxId }));
}
