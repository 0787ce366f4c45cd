/**
 * What waits in the database, read when somebody scrapes and at most every few seconds. A database that does not answer takes these numbers
 * away, never the others: an old number would say that all is well.
 */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Backlog, BacklogReader } from '../db/backlog.ts';
import { ENROLLMENT_STATES } from '../domain/enrollment.ts';

/** Two scrapers at once cost one reading. */
const FRESH_FOR_MS = 5_000;
const TOPICS = [
  'session.start',
  'session.wake',
  'ceremony.signal',
  'revocation.start',
  'message.sms',
  'message.email',
  'push.send',
  'callback.send',
  'receipt.seal',
  'event',
] as const;

interface BacklogGauges {
  show(backlog: Backlog): void;
  clear(): void;
}

/** Every worker tells the same numbers: take the maximum over processes. */
export function exposeBacklog(
  registry: Registry,
  read: BacklogReader,
  freshForMs = FRESH_FOR_MS,
): { readonly refresh: () => Promise<void> } {
  const gauges = createGauges([registry]);
  const failures = new Counter({
    name: 'latchkey_backlog_read_errors_total',
    help: 'Scrapes at which the database did not tell what waits.',
    registers: [registry],
  });
  let readAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;
  const refreshNow = async () => {
    try {
      gauges.show(await read());
    } catch {
      gauges.clear();
      failures.inc();
    } finally {
      readAt = performance.now();
      underWay = undefined;
    }
  };
  return {
    refresh: () => {
      if (underWay === undefined && performance.now() - readAt < freshForMs)
        return Promise.resolve();
      underWay ??= refreshNow();
      return underWay;
    },
  };
}

function createGauges(registers: Registry[]): BacklogGauges {
  const pending = new Gauge({
    name: 'latchkey_outbox_pending_rows',
    help: 'Rows of the outbox that are not delivered yet, by topic.',
    labelNames: ['topic'],
    registers,
  });
  const oldest = new Gauge({
    name: 'latchkey_outbox_oldest_pending_seconds',
    help: 'Age of the oldest row that is due, by topic; 0 without one.',
    labelNames: ['topic'],
    registers,
  });
  const dead = new Gauge({
    name: 'latchkey_outbox_dead_rows',
    help: 'Rows in the dead letters, by topic.',
    labelNames: ['topic'],
    registers,
  });
  const open = new Gauge({
    name: 'latchkey_ceremonies_open',
    help: 'Open ceremonies, by kind and the step they stand at.',
    labelNames: ['kind', 'step'],
    registers,
  });
  const running = new Gauge({
    name: 'latchkey_revocations_running',
    help: 'Revocations whose receipt is not sealed.',
    registers,
  });
  const oldestRevocation = new Gauge({
    name: 'latchkey_revocation_oldest_running_seconds',
    help: 'Age of the oldest revocation whose receipt is not sealed; 0 without one.',
    registers,
  });
  const clear = () => {
    for (const gauge of [pending, oldest, dead, open]) gauge.reset();
    running.remove();
    oldestRevocation.remove();
  };
  return {
    clear,
    show({ outbox, dead: deadRows, ceremonies, revocations }) {
      clear();
      for (const topic of TOPICS) {
        pending.set({ topic }, 0);
        oldest.set({ topic }, 0);
        dead.set({ topic }, 0);
      }
      for (const step of ENROLLMENT_STATES)
        if (step !== 'ended') open.set({ kind: 'enrollment', step }, 0);
      const seen = new Map<string, number>();
      for (const row of outbox) {
        pending.inc({ topic: row.topic }, row.pending);
        seen.set(row.topic, Math.max(seen.get(row.topic) ?? 0, row.oldestSeconds));
      }
      for (const [topic, seconds] of seen) oldest.set({ topic }, seconds);
      for (const row of deadRows) dead.inc({ topic: row.topic }, row.rows);
      for (const row of ceremonies) open.inc({ kind: row.kind, step: row.step }, row.open);
      running.set(revocations.running);
      oldestRevocation.set(revocations.oldestSeconds);
    },
  };
}
