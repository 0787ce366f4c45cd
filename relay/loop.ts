/** Work that is done again and again until it is told to stop. An error is logged and slows the next round; it never ends the loop. */
import { setTimeout as pause } from 'node:timers/promises';

export interface RelayLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly log: RelayLog;
  readonly onError: () => void;
}

const AFTER_ERROR_MS = 1_000;

/** `round` answers how long to wait before the next one; undefined: `everyMs`. Resolves once stopped, never rejects. */
export async function runLoop(
  { name, everyMs, signal, log, onError }: LoopOptions,
  round: () => Promise<number | undefined>,
): Promise<void> {
  while (!signal.aborted) {
    let waitMs = everyMs;
    try {
      waitMs = (await round()) ?? everyMs;
    } catch (error) {
      onError();
      log.error({ err: error, loop: name }, 'a round of the relay failed');
      waitMs = Math.max(AFTER_ERROR_MS, everyMs);
    }
    // Ends early, by rejecting, when it is told to stop.
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
