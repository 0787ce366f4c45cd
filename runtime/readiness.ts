/** Waiting for a server to become ready, with an end to the patience and a reason when it is over. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface ReadinessOptions {
  /** Stands in the error: "Temporal server". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly pollMs?: number;
  /** Resolves when there is no use in waiting on, e.g. because the process has ended. */
  readonly gaveUp?: Promise<unknown>;
}

/** Calls `isReady` until it answers true; whatever it throws counts as "not yet" and is named at the end. */
export async function waitUntilReady(
  isReady: () => Promise<boolean>,
  { what, timeoutMs, pollMs = 100, gaveUp }: ReadinessOptions,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  let hasGivenUp = false;
  void gaveUp?.then(() => {
    hasGivenUp = true;
  });
  let lastError: unknown;
  while (performance.now() < deadlineMs) {
    if (hasGivenUp) throw new Error(`${what} ended before it was ready`, { cause: lastError });
    try {
      if (await isReady()) return;
    } catch (error) {
      lastError = error;
    }
    await sleep(pollMs);
  }
  throw new Error(`${what} was not ready within ${Math.round(timeoutMs / 1000)} s`, {
    cause: lastError,
  });
}
