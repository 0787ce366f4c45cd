/** One loop a process that looks again and again while somebody waits for what it finds, and stops when nobody does. Never two at once. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Polling {
  readonly isWanted: () => boolean;
  /** Answers for how long to pause, in milliseconds; never rejects. */
  readonly look: () => Promise<number>;
  /** Once nobody waits any more, before the next loop may begin. */
  readonly whenDone?: () => void;
}

/** Answers what begins the loop unless it runs. */
export function createPolling({ isWanted, look, whenDone }: Polling): () => void {
  let isRunning = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    try {
      while (isWanted()) await pause(await look());
      whenDone?.();
    } finally {
      isRunning = false;
    }
  };
  return () => {
    if (!isRunning) void run();
  };
}
