/** Work that is done again and again until it is told to stop. An error is logged and slows the next round; it never ends the loop. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RelayMetrics } from './metrics.ts';

export interface RelayLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface LoopOptions {
  readonly name: string;
  readonly everyMs: number;
  readonly metrics: Pick<RelayMetrics, 'loopFailed'>;
  readonly log: RelayLog;
}

export interface Loop {
  /** Resolves when the round under way is done; never rejects. */
  stop(): Promise<void>;
}

const AFTER_ERROR_MS = 1_000;

/** `round` answers how long to wait before the next one; undefined: `everyMs`. */
export function startLoop(options: LoopOptions, round: () => Promise<number | undefined>): Loop {
  const stopping = new AbortController();
  const ended = repeat(options, round, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

async function repeat(
  { name, everyMs, metrics, log }: LoopOptions,
  round: () => Promise<number | undefined>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let waitMs = everyMs;
    try {
      waitMs = (await round()) ?? everyMs;
    } catch (error) {
      metrics.loopFailed(name);
      log.error({ err: error, loop: name }, 'a round of the relay failed');
      waitMs = Math.max(AFTER_ERROR_MS, everyMs);
    }
    // Ends early, by rejecting, when it is told to stop.
    await pause(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
