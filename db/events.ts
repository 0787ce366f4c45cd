/**
 * Events on their way out: numbered when they are first seen committed, then one row a sink, so that a sink that is down neither holds up the
 * others nor makes them hear anything twice. A claim is a short transaction; nothing is delivered while one is open.
 */
import type { EventPayload } from '../domain/events.ts';
import type { Tx } from './connection.ts';

/** An outage of a weekend is delivered afterwards; what nobody took for so long needs a person. */
const PATIENCE_HOURS = 72;

/**
 * Gives the next number to every event that is committed and has none, in the order of their positions, and makes their rows for `sinks`.
 * Whoever committed before another began to write has the lower number. One numberer a tenant at a time; answers how many it numbered.
 */
export async function numberEvents(
  tx: Tx,
  {
    tenantId,
    sinks,
    limit,
  }: { readonly tenantId: string; readonly sinks: readonly string[]; readonly limit: number },
): Promise<number> {
  // A statement of its own: the next one must see everything that the numberer before it has committed.
  const [lock] = await tx<{ isMine: boolean }[]>`
    select pg_try_advisory_xact_lock(hashtextextended(${`latchkey events ${tenantId}`}, 0)) as is_mine`;
  if (lock?.isMine !== true) return 0;
  const [row] = await tx<{ numbered: number }[]>`
    with t as materialized (select latchkey_now() as now),
    due as materialized (
      select outbox_id, subject, position from outbox, t
      where tenant_id = ${tenantId} and topic = 'event' and status = 'pending' and event_sequence is null and not_before <= t.now
      order by position limit ${limit}),
    numbered as materialized (
      select outbox_id, subject, nextval('outbox_event_sequence') as sequence from (select * from due order by position) in_order),
    marked as (
      update outbox o set event_sequence = n.sequence, status = 'delivered', delivered_at = t.now from numbered n, t
      where o.tenant_id = ${tenantId} and o.outbox_id = n.outbox_id),
    told as (
      insert into event_delivery (tenant_id, outbox_id, sink, subject, sequence, not_before, give_up_at)
      select ${tenantId}, n.outbox_id, s.sink, n.subject, n.sequence, t.now, t.now + make_interval(hours => ${PATIENCE_HOURS})
      from numbered n, unnest(${[...sinks]}::text[]) as s(sink), t)
    select count(*) as numbered from numbered`;
  return row?.numbered ?? 0;
}

/** An event that this claimer alone may hand to this sink until its lease runs out. */
export interface ClaimedEvent {
  readonly outboxId: string;
  readonly subject: string;
  readonly payload: EventPayload;
  /** Of the catalogue's entry when it was written. */
  readonly version: number;
  /** Its place among the events of its subject; kept when it is replayed. */
  readonly sequence: number;
  /** This one included. */
  readonly attempts: number;
  readonly createdAtMs: number;
  /** The time for trying is over. */
  readonly isLast: boolean;
}

export interface EventClaim {
  readonly tenantId: string;
  readonly sink: string;
  readonly claimer: string;
  readonly limit: number;
  readonly leaseMs: number;
}

/**
 * Leases the earliest event of each subject that waits for this sink: a later one waits for an earlier one that is leased or backing off;
 * a parked one holds up nobody. Nothing while the sink is stopped.
 */
export async function claimEvents(
  tx: Tx,
  { tenantId, sink, claimer, limit, leaseMs }: EventClaim,
): Promise<ClaimedEvent[]> {
  const rows = await tx<(Omit<ClaimedEvent, 'createdAtMs' | 'version'> & StoredEvent)[]>`
    with t as materialized (select latchkey_now() as now),
    due as materialized (
      select d.outbox_id from event_delivery d, t
      where d.tenant_id = ${tenantId} and d.sink = ${sink} and d.status = 'pending' and d.not_before <= t.now
        and (d.leased_until is null or d.leased_until <= t.now)
        and not exists (select 1 from event_sink_stop s where s.tenant_id = d.tenant_id and s.sink = d.sink)
        and not exists (
          select 1 from event_delivery earlier
          where earlier.tenant_id = d.tenant_id and earlier.sink = d.sink and earlier.subject = d.subject
            and earlier.status = 'pending' and earlier.sequence < d.sequence)
      order by d.sequence limit ${limit}
      for update of d skip locked)
    update event_delivery d set leased_until = t.now + ${leaseMs} * interval '1 millisecond', leased_by = ${claimer},
      attempts = d.attempts + 1
    from due, t, outbox o
    where d.tenant_id = ${tenantId} and d.sink = ${sink} and d.outbox_id = due.outbox_id
      and o.tenant_id = ${tenantId} and o.outbox_id = d.outbox_id
    returning d.outbox_id, d.subject, o.payload, d.sequence, d.attempts, o.created_at, d.give_up_at <= t.now as is_last`;
  return rows
    .map(({ createdAt, payload, ...row }) => ({
      ...row,
      payload,
      version: payload.version ?? 1,
      createdAtMs: createdAt.getTime(),
    }))
    .toSorted((one, other) => one.sequence - other.sequence);
}

interface StoredEvent {
  readonly createdAt: Date;
  /** enqueue() adds the version of its entry in the catalogue. */
  readonly payload: EventPayload & { readonly version?: number };
}

export interface EventKey {
  readonly tenantId: string;
  readonly sink: string;
  readonly outboxId: string;
  readonly claimer: string;
}

export type EventOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly errorCode: string }
  | { readonly kind: 'dead'; readonly errorCode: string };

/** Answers false when the lease was lost: another claimer has the row, and its word counts. */
export async function settleEvent(tx: Tx, key: EventKey, outcome: EventOutcome): Promise<boolean> {
  const { tenantId, sink, outboxId, claimer } = key;
  const status = outcome.kind === 'retry' ? 'pending' : outcome.kind;
  const afterMs = outcome.kind === 'retry' ? outcome.afterMs : 0;
  const { count } = await tx`
    with t as materialized (select latchkey_now() as now)
    update event_delivery d set status = ${status}, leased_until = null, leased_by = null,
      error_code = ${outcome.kind === 'delivered' ? null : outcome.errorCode},
      not_before = t.now + ${afterMs} * interval '1 millisecond',
      delivered_at = case when ${status} = 'delivered' then t.now end
    from t where d.tenant_id = ${tenantId} and d.sink = ${sink} and d.outbox_id = ${outboxId} and d.status = 'pending'
      and d.leased_by = ${claimer}`;
  return count === 1;
}

/** Until resumeSink(): nothing is claimed for it, and nothing of it is lost. */
export async function stopSink(
  tx: Tx,
  { tenantId, sink, reason }: { tenantId: string; sink: string; reason: string },
): Promise<void> {
  await tx`
    insert into event_sink_stop (tenant_id, sink, reason) values (${tenantId}, ${sink}, ${reason})
    on conflict do nothing`;
}

/** false: it was not stopped. */
export async function resumeSink(
  tx: Tx,
  { tenantId, sink }: { tenantId: string; sink: string },
): Promise<boolean> {
  const { count } = await tx`
    delete from event_sink_stop where tenant_id = ${tenantId} and sink = ${sink}`;
  return count === 1;
}

/** Makes an event's parked rows due again, under the number they have. false: none is parked. */
export async function replayParked(
  tx: Tx,
  { tenantId, outboxId }: { readonly tenantId: string; readonly outboxId: string },
): Promise<boolean> {
  const { count } = await tx`
    with t as materialized (select latchkey_now() as now)
    update event_delivery d set status = 'pending', attempts = 0, error_code = null, not_before = t.now,
      give_up_at = t.now + make_interval(hours => ${PATIENCE_HOURS})
    from t where d.tenant_id = ${tenantId} and d.outbox_id = ${outboxId} and d.status = 'dead'`;
  return count > 0;
}

export interface SinkStanding {
  readonly sink: string;
  readonly waiting: number;
  readonly parked: number;
  /** Of the longest waiting; null without one. */
  readonly oldestSeconds: number | null;
  /** Why it is stopped; null when it is not. */
  readonly stopped: string | null;
  /** The code that the last failed try of what waits or is parked ended with; null when none was tried in vain. */
  readonly lastError: string | null;
}

/** Every sink that has anything to say, by name. */
export async function sinkStandings(tx: Tx, tenantId: string): Promise<SinkStanding[]> {
  return [
    ...(await tx<SinkStanding[]>`
      with open as (
        select d.sink, count(*) filter (where d.status = 'pending') as waiting, count(*) filter (where d.status = 'dead') as parked,
          extract(epoch from latchkey_now() - min(o.created_at) filter (where d.status = 'pending'))::float8 as oldest_seconds,
          (array_agg(d.error_code order by d.not_before desc) filter (where d.error_code is not null))[1] as last_error
        from event_delivery d join outbox o using (tenant_id, outbox_id)
        where d.tenant_id = ${tenantId} and d.status in ('pending', 'dead') group by d.sink)
      select coalesce(open.sink, stop.sink) as sink, coalesce(waiting, 0) as waiting, coalesce(parked, 0) as parked,
        oldest_seconds, stop.reason as stopped, last_error
      from open full join (select sink, reason from event_sink_stop where tenant_id = ${tenantId}) stop on stop.sink = open.sink
      order by 1`),
  ];
}
