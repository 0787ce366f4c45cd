/** What the relay has done since it started, as plain counters for whoever exposes them. */

export interface RelayMetrics {
  delivered: number;
  retried: number;
  dead: number;
  /** Given back because their receiver was not there. */
  released: number;
  leasesLost: number;
  /** Rows whose workflow was closed or gone, started anew. */
  healedMissing: number;
  /** Workflows still open although their row had ended, woken. */
  healedOpen: number;
  /** Ended rows whose workflow was found closed. */
  markedClosed: number;
  swept: number;
  loopErrors: number;
}

export function createRelayMetrics(): RelayMetrics {
  return {
    delivered: 0,
    retried: 0,
    dead: 0,
    released: 0,
    leasesLost: 0,
    healedMissing: 0,
    healedOpen: 0,
    markedClosed: 0,
    swept: 0,
    loopErrors: 0,
  };
}
