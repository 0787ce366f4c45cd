/**
 * The one place where an activity's error becomes a Temporal failure: LatchkeyError → ApplicationFailure whose type is the code and
 * whose retryability is the error table's. Anything unknown is logged here and crosses as `internal_error`, without its message.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { noFailPoint } from '../domain/fail-point.ts';
import type { FailPoint } from '../domain/fail-point.ts';

export interface ActivityLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export function createActivityInterceptor(
  log: ActivityLog,
  failPoint: FailPoint = noFailPoint,
): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const { activityType } = context.info;
        failPoint(`activity.before.${activityType}`);
        try {
          const result = await next(input);
          failPoint(`activity.after.${activityType}`);
          return result;
        } catch (error) {
          if (!isExpected(error)) {
            const { attempt, workflowExecution } = context.info;
            log.error(
              { err: error, activityType, attempt, workflowId: workflowExecution?.workflowId },
              'an activity failed unexpectedly',
            );
          }
          throw toActivityFailure(error);
        }
      },
    },
  });
}

function isExpected(error: unknown): boolean {
  return (
    error instanceof LatchkeyError ||
    error instanceof ApplicationFailure ||
    error instanceof CancelledFailure
  );
}

export function toActivityFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof LatchkeyError) {
    return ApplicationFailure.create({
      message: error.code,
      type: error.code,
      nonRetryable: !ERRORS[error.code].retryable,
      details: [error.extra],
      ...(error.retryAfterSeconds === undefined
        ? {}
        : { nextRetryDelay: error.retryAfterSeconds * 1_000 }),
    });
  }
  // A bug may be cured by a deploy and a broken connection by time: retried, by the activity's own retry policy.
  return ApplicationFailure.create({
    message: 'internal_error',
    type: 'internal_error',
    nonRetryable: false,
  });
}
