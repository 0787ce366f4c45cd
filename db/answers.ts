/**
 * How a ceremony's store answers its workflow: an expected refusal is an answer, so that no activity is tried again because a customer was
 * too early or wrong. It must never turn the machine's own troubles into answers.
 */
import { LatchkeyError, type ErrorCode } from '../domain/errors.ts';

export interface Refused {
  readonly refused: ErrorCode;
  readonly extra: Readonly<Record<string, string | number | boolean>>;
}

/** To be tried again or to be found by people; every other code is an answer for the caller. */
const TROUBLES: ReadonlySet<ErrorCode> = new Set([
  'database_unavailable',
  'conflict',
  'internal_error',
]);

export async function answering<T>(work: () => Promise<T>): Promise<T | Refused> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LatchkeyError) || TROUBLES.has(error.code)) throw error;
    return { refused: error.code, extra: error.extra };
  }
}

/** As `answering`; what a unique index or another writer made of it is an answer, too, where `violationOf` knows it. */
export async function answeringViolations<T, Violation>(
  violationOf: (error: unknown) => Violation | undefined,
  work: () => Promise<T>,
): Promise<T | Violation | Refused> {
  return await answering(async () => {
    try {
      return await work();
    } catch (error) {
      const violated = violationOf(error);
      if (violated === undefined) throw error;
      return violated;
    }
  });
}
