/** What this room tells whoever counts: calls to Temporal, the breaker, activities and refused payloads. It must be quick and never throw. */

export type BreakerState = 'closed' | 'half_open' | 'open';

/** `refused`: by a code of the error table. `failed`: a fault of ours, tried again. */
export type ActivityOutcome = 'completed' | 'refused' | 'failed' | 'cancelled';

export interface TemporalMetrics {
  /** `outcome`: `ok`, or the code of the error table. */
  called(method: string, outcome: string, seconds: number): void;
  breakerIs(state: BreakerState): void;
  activityEnded(activityType: string, outcome: ActivityOutcome, seconds: number): void;
  /** A payload that we did not encrypt, or cannot read any more. */
  payloadRefused(reason: string): void;
}

export const uncounted: TemporalMetrics = {
  called: () => undefined,
  breakerIs: () => undefined,
  activityEnded: () => undefined,
  payloadRefused: () => undefined,
};
