/**
 * The outbox: what a transaction must cause elsewhere is a row it writes, delivered later at least once. Payloads carry ids only.
 * A claim is a short transaction that leases rows; nothing is delivered while a transaction is open.
 */
import type { EventPayload } from '../domain/events.ts';
import type { Tx } from './connection.ts';

/** What each topic carries. Events go out in order per subject (the customer's id); the rest in any order. */
export interface OutboxPayloads {
  'session.start': { readonly sessionId: string; readonly dueAtMs: number };
  'session.wake': { readonly sessionId: string };
  'ceremony.signal': {
    readonly ceremonyId: string;
    readonly kind: 'enrollment';
    readonly signal: 'revoke' | 'cancel' | 'identityResult';
  };
  'revocation.start': { readonly revocationId: string };
  'message.sms': MessagePayload;
  'message.email': MessagePayload;
  /** Of the catalogue, domain/events.ts. */
  event: EventPayload;
}

export interface MessagePayload {
  readonly customerId: string;
  readonly contactId: string;
  readonly template: string;
  /** The code's id: the relay derives the code from it. */
  readonly attemptId?: string;
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

/** Answers the new row's id, which is also the reference that makes its delivery harmless to repeat. */
export async function enqueue(tx: Tx, row: NewOutboxRow): Promise<string> {
  const notBefore = row.notBeforeMs === undefined ? null : new Date(row.notBeforeMs);
  const [inserted] = await tx<{ outboxId: string }[]>`
    insert into outbox (tenant_id, topic, subject, payload, not_before)
    values (${row.tenantId}, ${row.topic}, ${row.subject}, ${tx.json({ ...row.payload })}, coalesce(${notBefore}, latchkey_now()))
    returning outbox_id`;
  if (inserted === undefined) throw new TypeError('an insert answers its row');
  return inserted.outboxId;
}

/** A row that this claimer alone may deliver until its lease runs out. */
export type ClaimedRow = OutboxMessage & {
  readonly outboxId: string;
  readonly subject: string;
  /** Place in the order of the outbox; an event keeps it when it is retried from the dead. */
  readonly position: number;
  /** This one included. */
  readonly attempts: number;
  readonly createdAtMs: number;
};

export interface ClaimOptions {
  readonly tenantId: string;
  /** Only these; left out, all. The relay leaves out the topics whose receiver is known to be down. */
  readonly topics?: readonly OutboxTopic[];
  /** Names the claimer: only the holder of a lease may settle its row. */
  readonly claimer: string;
  readonly limit: number;
  readonly leaseMs: number;
}

interface OutboxRecord {
  readonly outboxId: string;
  readonly topic: OutboxTopic;
  readonly subject: string;
  readonly payload: unknown;
  readonly position: number;
  readonly attempts: number;
  readonly createdAt: Date;
}

/**
 * Leases what is due, in a transaction of its own that the caller commits before it delivers. Of events only the head of each subject
 * is given out, so a later one waits for an earlier one that is leased or backing off; a dead one is parked and holds up nobody.
 */
export async function claimOutbox(tx: Tx, options: ClaimOptions): Promise<ClaimedRow[]> {
  const { tenantId, topics, claimer, limit, leaseMs } = options;
  const rows = await tx<OutboxRecord[]>`
    with t as materialized (select latchkey_now() as now),
    due as materialized (
      select o.outbox_id from outbox o, t
      where o.tenant_id = ${tenantId} and o.status = 'pending' and o.not_before <= t.now
        ${topics === undefined ? tx`` : tx`and o.topic = any(${[...topics]})`}
        and (o.leased_until is null or o.leased_until <= t.now)
        and (o.topic <> 'event' or not exists (
          select 1 from outbox earlier
          where earlier.tenant_id = o.tenant_id and earlier.topic = o.topic and earlier.subject = o.subject
            and earlier.status = 'pending' and earlier.position < o.position))
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
}

/** In order, without payloads, after the position `after`. */
export async function listDead(
  tx: Tx,
  {
    tenantId,
    limit,
    after = 0,
  }: { readonly tenantId: string; readonly limit: number; readonly after?: number },
): Promise<DeadRow[]> {
  const rows = await tx<(Omit<DeadRow, 'createdAtMs'> & { readonly createdAt: Date })[]>`
    select outbox_id, topic, subject, position, attempts, error_code, created_at from outbox
    where tenant_id = ${tenantId} and status = 'dead' and position > ${after} order by position limit ${limit}`;
  return rows.map(({ createdAt, ...row }) => ({ ...row, createdAtMs: createdAt.getTime() }));
}

/** Makes a dead row due again, at its old position and with its attempts counted anew. false: it is not among the dead. */
export async function retryDead(
  tx: Tx,
  { tenantId, outboxId }: { readonly tenantId: string; readonly outboxId: string },
): Promise<boolean> {
  const { count } = await tx`
    update outbox set status = 'pending', attempts = 0, not_before = latchkey_now(), error_code = null
    where tenant_id = ${tenantId} and outbox_id = ${outboxId} and status = 'dead'`;
  return count === 1;
}
