/**
 * How workflow code refuses. Only a Temporal failure fails an update; any other error fails the activation and wedges the workflow until
 * a deploy, so every expected refusal goes through here.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { ErrorCode } from '../domain/errors.ts';

export type RefusalExtra = Readonly<Record<string, string | number | boolean>>;

/** Throws the refusal: its type is the code, which the gateway turns back into a LatchkeyError; `extra` is public, without personal data. */
export function fail(code: ErrorCode, extra: RefusalExtra = {}): never {
  throw ApplicationFailure.create({
    message: code,
    type: code,
    nonRetryable: true,
    details: [extra],
  });
}
