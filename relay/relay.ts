/**
 * The outbox loop. Five lanes run beside each other so that none waits for another: commands to Temporal, messages to people, pushes to their
 * phones, calls back to requesters, receipts to sign. Events: events.ts.
 * Rows are claimed by lease, never by a transaction held across a call. A receiver that is not there pauses its lane and costs the rows
 * nothing; only a code that no repetition can cure sends a row to the dead letters, and a dead row holds up nobody.
 */
import type { ClaimedRow, CommandTopic } from '../db/outbox.ts';
import type { OutboxPort } from '../db/outbox-port.ts';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import type { FailPoint } from '../domain/fail-point.ts';
import type { Deliver } from './deliveries.ts';
import { startLoop } from './loop.ts';
import type { Loop, RelayLog } from './loop.ts';
import type { RelayMetrics } from './metrics.ts';

export type Lane = 'temporal' | 'messages' | 'push' | 'callbacks' | 'receipts';

/** `satisfies` makes a topic without a lane a type error. */
const LANE_OF_TOPIC = {
  'session.start': 'temporal',
  'session.wake': 'temporal',
  'ceremony.signal': 'temporal',
  'ceremony.start': 'temporal',
  'revocation.start': 'temporal',
  'recovery.request': 'messages',
  'message.sms': 'messages',
  'message.email': 'messages',
  'push.send': 'push',
  'callback.send': 'callbacks',
  'receipt.seal': 'receipts',
} as const satisfies Record<CommandTopic, Lane>;

const LANES: readonly Lane[] = ['temporal', 'messages', 'push', 'callbacks', 'receipts'];
/** Bounds how much one tenant's flood holds of a round, and how many calls are open at once. */
const CLAIM_LIMIT = 20;
/** A time-out of Temporal's client is 3 s: sooner would only find the breaker open. */
const PAUSE_MS = 1_000;
/** An error that nobody foresaw may be a bug in the row or a hiccup: this many tries tell them apart. */
const UNFORESEEN_ATTEMPTS = 5;

export interface RelayOptions {
  readonly outbox: OutboxPort;
  readonly deliver: Deliver;
  /** From attempts to the wait before the next. */
  readonly backoffMs: (attempts: number) => number;
  readonly metrics: RelayMetrics;
  readonly log: RelayLog;
  readonly failPoint: FailPoint;
  readonly pollMs?: number;
}

export function startRelay(options: RelayOptions): Loop {
  const { metrics, log, pollMs = 100 } = options;
  const loops = LANES.map((lane) =>
    startLoop({ name: `relay.${lane}`, everyMs: pollMs, metrics, log }, () =>
      relayRound(options, lane),
    ),
  );
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** One pass over all tenants; answers the wait before the next when it is not the usual one. */
export async function relayRound(options: RelayOptions, lane: Lane): Promise<number | undefined> {
  const topics = topicsOf(lane);
  let hasMore = false;
  for (const tenantId of await options.outbox.tenantIds()) {
    const rows = await options.outbox.claim(tenantId, topics, CLAIM_LIMIT);
    const results = await Promise.all(rows.map((row) => relayRow(options, tenantId, row)));
    if (results.includes('receiver_gone')) return PAUSE_MS;
    hasMore ||= rows.length === CLAIM_LIMIT;
  }
  return hasMore ? 0 : undefined;
}

async function relayRow(
  options: RelayOptions,
  tenantId: string,
  row: ClaimedRow,
): Promise<'settled' | 'receiver_gone'> {
  const { outbox, deliver, metrics, failPoint } = options;
  failPoint(`relay.before_call.${row.topic}`);
  try {
    await deliver(tenantId, row);
  } catch (error) {
    return await settleFailure(options, tenantId, row, error);
  }
  failPoint(`relay.after_call.${row.topic}`);
  const isOurs = await outbox.delivered(tenantId, row.outboxId);
  failPoint(`relay.after_mark.${row.topic}`);
  metrics.settled(row.topic, isOurs ? 'delivered' : 'lease_lost');
  return 'settled';
}

async function settleFailure(
  { outbox, backoffMs, metrics, log }: RelayOptions,
  tenantId: string,
  { outboxId, topic, attempts }: ClaimedRow,
  error: unknown,
): Promise<'settled' | 'receiver_gone'> {
  const code = error instanceof LatchkeyError ? error.code : undefined;
  if (code === 'temporal_unavailable') {
    await outbox.release(tenantId, outboxId);
    metrics.settled(topic, 'released');
    return 'receiver_gone';
  }
  const isDead = code === undefined ? attempts >= UNFORESEEN_ATTEMPTS : !ERRORS[code].retryable;
  const errorCode = code ?? 'internal_error';
  if (isDead || code === undefined) {
    const message = isDead ? 'a row went to the dead letters' : 'a delivery failed unexpectedly';
    log.error({ err: error, tenantId, outboxId, topic, attempts, code: errorCode }, message);
  }
  await outbox.failed(tenantId, outboxId, {
    errorCode,
    next: isDead
      ? { kind: 'dead' }
      : { kind: 'retry', afterMs: Math.max(backoffMs(attempts), askedForMs(error)) },
  });
  metrics.settled(topic, isDead ? 'dead' : 'retried');
  return 'settled';
}

/** How long the receiver wants to be left alone; an hour at most, whatever it says. */
function askedForMs(error: unknown): number {
  const seconds = error instanceof LatchkeyError ? (error.retryAfterSeconds ?? 0) : 0;
  return Math.min(seconds, 3600) * 1000;
}

function topicsOf(lane: Lane): CommandTopic[] {
  // Object.keys forgets the literal types that the constant has.
  return (Object.keys(LANE_OF_TOPIC) as CommandTopic[]).filter(
    (topic) => LANE_OF_TOPIC[topic] === lane,
  );
}
