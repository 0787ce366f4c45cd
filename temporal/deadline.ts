/**
 * A time limit that holds: gRPC's own deadline counts each attempt anew, so the call as a whole is given up here, and aborted.
 */
import type { Connection } from '@temporalio/client';
import type { Clock } from '../domain/clock.ts';

/** The server may or may not have done it. */
export class DeadlinePassedError extends Error {
  override readonly name = 'DeadlinePassedError';
}

/** @throws DeadlinePassedError, or whatever the call throws before. */
export async function withinDeadline<T>(
  { connection, clock }: { readonly connection: Connection; readonly clock: Clock },
  milliseconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const giveUp = new AbortController();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new DeadlinePassedError());
    giveUp.abort();
  }, milliseconds);
  try {
    const call = connection.withDeadline(clock.nowMs() + milliseconds, () =>
      connection.withAbortSignal(giveUp.signal, work),
    );
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
