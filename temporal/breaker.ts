/**
 * The circuit breaker around calls to Temporal: after a few calls in a row that found no server it refuses at once, and lets one through
 * now and then. Only an unreachable server counts; a refusal, a missing workflow or a slow worker never opens it.
 */
import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { isUnreachable } from './client-errors.ts';
import type { BreakerState } from './metrics.ts';

const FAILURES_TO_OPEN = 3;
/** Longer would delay the return of a server that restarted; shorter would make many callers wait for the 3 s deadline. */
const PROBE_AFTER_MS = 1_000;

class CountedFailure extends Error {
  override readonly name = 'CountedFailure';
}

export interface Breaker {
  /** @throws cockatiel's BrokenCircuitError at once while open; else whatever `work` throws. */
  call<T>(work: () => Promise<T>): Promise<T>;
  /** For a failure whose error does not show that the server was unreachable. */
  countFailure(): void;
}

const NAMES: { readonly [S in CircuitState]: BreakerState } = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  // Only ever ours to set, and never set.
  [CircuitState.Isolated]: 'open',
};

export function createBreaker(onState: (state: BreakerState) => void): Breaker {
  const policy = circuitBreaker(
    handleWhen((error) => isUnreachable(error) || error instanceof CountedFailure),
    { halfOpenAfter: PROBE_AFTER_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN) },
  );
  policy.onStateChange((state) => {
    onState(NAMES[state]);
  });
  onState('closed');
  return {
    call: (work) => policy.execute(work),
    countFailure() {
      void policy
        .execute(() => {
          throw new CountedFailure();
        })
        // Only the count matters.
        .catch(() => undefined);
    },
  };
}
