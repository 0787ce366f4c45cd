/** The relay's metrics as numbers that a test compares: one member an outcome, topics and kinds taken together. */
import type { RelayMetrics } from '../../relay/metrics.ts';

export interface RelayTally extends RelayMetrics {
  readonly counts: {
    delivered: number;
    retried: number;
    dead: number;
    released: number;
    lease_lost: number;
    missing: number;
    open: number;
    markedClosed: number;
    swept: number;
    led: number;
    loopFailed: number;
  };
}

export function createRelayTally(): RelayTally {
  const counts = {
    delivered: 0,
    retried: 0,
    dead: 0,
    released: 0,
    lease_lost: 0,
    missing: 0,
    open: 0,
    markedClosed: 0,
    swept: 0,
    led: 0,
    loopFailed: 0,
  };
  return {
    counts,
    settled: (_topic, outcome) => {
      counts[outcome] += 1;
    },
    healed: (_kind, difference) => {
      counts[difference] += 1;
    },
    markedClosed: () => {
      counts.markedClosed += 1;
    },
    swept: (rows) => {
      counts.swept += rows;
    },
    led: (_task, isLeader) => {
      counts.led += isLeader ? 1 : 0;
    },
    loopFailed: () => {
      counts.loopFailed += 1;
    },
  };
}
