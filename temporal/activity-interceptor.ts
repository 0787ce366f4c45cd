/**
 * The one place where an activity's error becomes a Temporal failure: LatchkeyError → ApplicationFailure whose type is the code and
 * whose retryability is the error table's. Anything unknown is logged here and crosses as `internal_error`, without its message.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { noFailPoint } from '../domain/fail-point.ts';
import type { FailPoint } from '../domain/fail-point.ts';
import type { Tracing } from '../domain/tracing.ts';
import { uncounted } from './metrics.ts';
import type { ActivityOutcome, TemporalMetrics } from './metrics.ts';
import { traceparentOf } from './trace-headers.ts';

export interface ActivityLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface ActivitySurroundings {
  readonly log: ActivityLog;
  readonly failPoint?: FailPoint | undefined;
  readonly metrics?: TemporalMetrics | undefined;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

export function createActivityInterceptor({
  log,
  failPoint = noFailPoint,
  metrics = uncounted,
  tracing,
}: ActivitySurroundings): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const { activityType, attempt, workflowExecution } = context.info;
        const workflowId = workflowExecution?.workflowId;
        const startedAt = performance.now();
        const span = tracing?.begin({
          name: `activity ${activityType}`,
          kind: 'internal',
          parent: traceparentOf(input.headers),
          attributes: {
            activityType,
            attempt,
            ...(workflowId === undefined ? {} : { workflowId }),
          },
        });
        const tell = (outcome: ActivityOutcome) => {
          metrics.activityEnded(activityType, outcome, (performance.now() - startedAt) / 1000);
          span?.end({
            attributes: { outcome },
            ...(outcome === 'failed' ? { failedWith: 'internal_error' } : {}),
          });
        };
        failPoint(`activity.before.${activityType}`);
        try {
          const result: unknown = await (span?.within(() => next(input)) ?? next(input));
          failPoint(`activity.after.${activityType}`);
          tell('completed');
          return result;
        } catch (error) {
          const failure = toActivityFailure(error);
          tell(outcomeOf(error, failure));
          if (!isExpected(error)) {
            log.error(
              { err: error, activityType, attempt, workflowId },
              'an activity failed unexpectedly',
            );
          }
          throw failure;
        }
      },
    },
  });
}

function outcomeOf(error: unknown, failure: Error): ActivityOutcome {
  if (failure instanceof CancelledFailure) return 'cancelled';
  return isExpected(error) ? 'refused' : 'failed';
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
