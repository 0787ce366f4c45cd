/** What the phone waits for by itself instead of troubling the customer: outcomes that are unknown and will be known. Pure but for the pause. */
import type { LatchkeyProblem } from '../../sdk/problem.ts';

/** The line to the bank, an answer that is still being worked out, ceremonies that pause, or the bank's memory. */
export type WaitsFor = 'line' | 'outcome' | 'ceremonies' | 'bank';

export interface Waiting {
  readonly for: WaitsFor;
  readonly sinceMs: number;
}

const WAITS_FOR: Readonly<Record<string, WaitsFor | undefined>> = {
  network_lost: 'line',
  outcome_pending: 'outcome',
  idempotency_in_progress: 'outcome',
  request_timeout: 'outcome',
  temporal_unavailable: 'ceremonies',
  receipt_pending: 'outcome',
  database_unavailable: 'bank',
  verifier_unsure: 'bank',
  shutting_down: 'bank',
};

const SHORTEST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 5_000;

/** undefined: there is an outcome, or a person has to do something. */
export function waitingFor({ code }: LatchkeyProblem): WaitsFor | undefined {
  return WAITS_FOR[code];
}

/** As long as the server asked for, within reason; ends at once when it is given up. */
export async function pauseBefore(
  { retryAfterSeconds = 0 }: LatchkeyProblem,
  givingUp: AbortSignal,
): Promise<void> {
  const ms = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, retryAfterSeconds * 1_000));
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    givingUp.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
