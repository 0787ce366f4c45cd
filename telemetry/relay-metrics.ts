/** The relay's loops as Prometheus counts them: deliveries by topic, what the reconciler healed, the sweeper's rows, who leads. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Clock } from '../domain/clock.ts';
import type { RelayMetrics } from '../relay/metrics.ts';

export function createRelayMetrics(registry: Registry, clock: Clock): RelayMetrics {
  const registers = [registry];
  const deliveries = new Counter({
    name: 'latchkey_outbox_deliveries_total',
    help: 'Rows of the outbox tried, by topic and outcome: delivered, retried, dead, released (its receiver was not there), lease_lost.',
    labelNames: ['topic', 'outcome'],
    registers,
  });
  const heals = new Counter({
    name: 'latchkey_reconciler_heals_total',
    help: 'Differences healed, by kind: missing (an open row without a workflow), open (a workflow whose row had ended).',
    labelNames: ['kind', 'difference'],
    registers,
  });
  for (const kind of ['enrollment', 'session', 'revocation']) {
    for (const difference of ['missing', 'open']) heals.inc({ kind, difference }, 0);
  }
  const marked = new Counter({
    name: 'latchkey_reconciler_closed_total',
    help: 'Ended rows whose workflow was found closed, by kind.',
    labelNames: ['kind'],
    registers,
  });
  const swept = new Counter({
    name: 'latchkey_sweeper_rows_total',
    help: 'Rows that the sweeper ended or removed.',
    registers,
  });
  const rounds = new Counter({
    name: 'latchkey_leader_rounds_total',
    help: 'Rounds of a task that one process at a time does, by task and whether it was this one.',
    labelNames: ['task', 'led'],
    registers,
  });
  const lastRound = new Gauge({
    name: 'latchkey_leader_last_round_timestamp_seconds',
    help: 'When this process last did a round of the task; 0 when never.',
    labelNames: ['task'],
    registers,
  });
  for (const task of ['reconciler', 'sweeper']) lastRound.set({ task }, 0);
  const failures = new Counter({
    name: 'latchkey_relay_loop_errors_total',
    help: 'Rounds that ended in an error, by loop.',
    labelNames: ['loop'],
    registers,
  });
  return {
    settled: (topic, outcome) => {
      deliveries.inc({ topic, outcome });
    },
    healed: (kind, difference) => {
      heals.inc({ kind, difference });
    },
    markedClosed: (kind) => {
      marked.inc({ kind });
    },
    swept: (rows) => {
      swept.inc(rows);
    },
    led(task, isLeader) {
      rounds.inc({ task, led: String(isLeader) });
      if (isLeader) lastRound.set({ task }, clock.nowMs() / 1000);
    },
    loopFailed: (loop) => {
      failures.inc({ loop });
    },
  };
}
