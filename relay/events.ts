/**
 * Events to their sinks, in order per customer, each at least once. One loop numbers what was committed, and one loop a sink delivers, so that
 * a sink that is down holds up no other. It must never hand a later event of a customer to a sink while an earlier one waits there; a parked
 * one holds up nobody, and keeps its number for its replay.
 */
import type { EventPort } from '../db/event-port.ts';
import type { ClaimedEvent, EventOutcome } from '../db/events.ts';
import { schemaId } from '../domain/event-schema.ts';
import type { FailPoint } from '../domain/fail-point.ts';
import type { DomainEvent, EventSink, Publication } from '../domain/ports.ts';
import { startLoop } from './loop.ts';
import type { Loop, RelayLog } from './loop.ts';
import type { DeliveryOutcome, RelayMetrics } from './metrics.ts';

export interface NamedSink {
  /** Under which its deliveries stand in the database: another name is another sink. */
  readonly name: string;
  /** Slugs of the tenants whose events it gets; all of them when left out. */
  readonly tenants?: readonly string[] | undefined;
  readonly sink: EventSink;
}

export interface EventRelayOptions {
  readonly events: EventPort;
  readonly sinks: readonly NamedSink[];
  /** From attempts to the wait before the next. */
  readonly backoffMs: (attempts: number) => number;
  readonly metrics: Pick<RelayMetrics, 'settled' | 'loopFailed'>;
  readonly log: RelayLog;
  readonly failPoint: FailPoint;
  readonly pollMs?: number;
}

/** One statement's worth. */
const NUMBER_LIMIT = 500;
/** Bounds how many calls to a sink are open at once. */
const CLAIM_LIMIT = 20;
/** Nothing was taken: the sink is down, and its rows back off by themselves. */
const PAUSE_MS = 1_000;
/** As in relay.ts: a bug in one event, or a hiccup. */
const UNFORESEEN_ATTEMPTS = 5;

export function startEventRelay(options: EventRelayOptions): Loop {
  const { metrics, log, sinks, pollMs = 100 } = options;
  const loop = (name: string, round: () => Promise<number | undefined>) =>
    startLoop({ name, everyMs: pollMs, metrics, log }, round);
  const loops = [
    loop('relay.events', () => numberRound(options)),
    ...sinks.map((sink) => loop(`relay.events.${sink.name}`, () => sinkRound(options, sink))),
  ];
  return {
    stop: async () => {
      await Promise.all(loops.map((each) => each.stop()));
    },
  };
}

/** Numbers what every tenant has committed since; answers the wait before the next round when it is not the usual one. */
export async function numberRound({
  events,
  sinks,
}: EventRelayOptions): Promise<number | undefined> {
  let hasMore = false;
  for (const { tenantId, slug } of await events.tenants()) {
    const names = sinks.filter((sink) => hears(sink, slug)).map(({ name }) => name);
    hasMore ||= (await events.number(tenantId, names, NUMBER_LIMIT)) === NUMBER_LIMIT;
  }
  return hasMore ? 0 : undefined;
}

/** Hands the next event of each customer to one sink. */
export async function sinkRound(
  options: EventRelayOptions,
  sink: NamedSink,
): Promise<number | undefined> {
  let hasMoved = false;
  let wasAvailable = true;
  for (const { tenantId, slug } of await options.events.tenants()) {
    if (!hears(sink, slug)) continue;
    const rows = await options.events.claim(tenantId, sink.name, CLAIM_LIMIT);
    if (rows.length === 0) continue;
    const words = await deliver(options, sink, tenantId, rows);
    hasMoved ||= words.includes('published') || words.includes('refused');
    wasAvailable &&= !words.every((word) => word === 'unavailable' || word === 'gone');
  }
  if (!wasAvailable) return PAUSE_MS;
  return hasMoved ? 0 : undefined;
}

const hears = ({ tenants }: NamedSink, slug: string): boolean =>
  tenants === undefined || tenants.includes(slug);

type Word = Publication | 'unforeseen';

async function deliver(
  options: EventRelayOptions,
  { name, sink }: NamedSink,
  tenantId: string,
  rows: readonly ClaimedEvent[],
): Promise<readonly Word[]> {
  const { events, log, failPoint } = options;
  failPoint('relay.before_call.event');
  let words: readonly Word[];
  try {
    words = await sink.publish(rows.map((row) => domainEvent(tenantId, row)));
  } catch (error) {
    log.error({ err: error, tenantId, sink: name }, 'a sink failed unexpectedly');
    words = rows.map(() => 'unforeseen');
  }
  failPoint('relay.after_call.event');
  await Promise.all(
    rows.map((row, index) => settle(options, name, tenantId, row, words[index] ?? 'unforeseen')),
  );
  failPoint('relay.after_mark.event');
  if (words.includes('gone')) {
    log.error({ tenantId, sink: name }, 'a sink wants no events any more and was stopped');
    await events.stop(tenantId, name, 'gone');
  }
  return words;
}

async function settle(
  { events, backoffMs, metrics, log }: EventRelayOptions,
  sink: string,
  tenantId: string,
  row: ClaimedEvent,
  word: Word,
): Promise<void> {
  const outcome = outcomeOf(row, word, backoffMs);
  const { outboxId, attempts } = row;
  if (outcome.kind === 'dead') {
    const { errorCode } = outcome;
    log.error({ tenantId, outboxId, sink, attempts, code: errorCode }, 'an event was parked');
  }
  const isOurs = await events.settle(tenantId, sink, outboxId, outcome);
  metrics.settled('event', isOurs ? COUNTED_AS[outcome.kind] : 'lease_lost');
}

const COUNTED_AS = {
  delivered: 'delivered',
  retry: 'retried',
  dead: 'dead',
} as const satisfies Record<EventOutcome['kind'], DeliveryOutcome>;

function outcomeOf(
  { attempts, isLast }: ClaimedEvent,
  word: Word,
  backoffMs: EventRelayOptions['backoffMs'],
): EventOutcome {
  switch (word) {
    case 'published':
      return { kind: 'delivered' };
    case 'refused':
      return { kind: 'dead', errorCode: 'vendor_refused' };
    case 'gone':
      return { kind: 'retry', afterMs: 0, errorCode: 'sink_gone' };
    case 'unavailable':
    case 'unforeseen': {
      const errorCode = word === 'unavailable' ? 'vendor_unavailable' : 'internal_error';
      const isOver = isLast || (word === 'unforeseen' && attempts >= UNFORESEEN_ATTEMPTS);
      return isOver
        ? { kind: 'dead', errorCode }
        : { kind: 'retry', afterMs: backoffMs(attempts), errorCode };
    }
  }
}

function domainEvent(tenantId: string, row: ClaimedEvent): DomainEvent {
  const { type, data } = row.payload;
  return {
    id: row.outboxId,
    type,
    source: `/tenants/${tenantId}`,
    subject: row.subject,
    time: new Date(row.createdAtMs).toISOString(),
    sequence: row.sequence,
    dataSchema: schemaId(type, row.version),
    data,
  };
}
