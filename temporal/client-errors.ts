/** What went wrong at Temporal, as the error table's codes. Judged by class and gRPC status, never by message. */
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  NamespaceNotFoundError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { isBrokenCircuitError } from 'cockatiel';
import { isErrorCode, LatchkeyError } from '../domain/errors.ts';
import { DeadlinePassedError } from './deadline.ts';

/** gRPC statuses: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE. */
const TRY_AGAIN = new Set([1, 4, 8, 10, 14]);
/** DEADLINE_EXCEEDED and UNAVAILABLE: nobody answered. */
const UNREACHABLE = new Set([4, 14]);
const FAILED_PRECONDITION = 9;
const RETRY_AFTER_SECONDS = 2;

export function isAlreadyStarted(error: unknown): boolean {
  return error instanceof WorkflowExecutionAlreadyStartedError;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError;
}

export function isUnreachable(error: unknown): boolean {
  if (error instanceof DeadlinePassedError) return true;
  const status = grpcStatus(error);
  return status !== undefined && UNREACHABLE.has(status);
}

export function toLatchkeyError(error: unknown): LatchkeyError {
  if (error instanceof LatchkeyError) return error;
  const status = grpcStatus(error);
  const mayComeBack =
    isBrokenCircuitError(error) ||
    error instanceof DeadlinePassedError ||
    error instanceof NamespaceNotFoundError ||
    (status !== undefined && TRY_AGAIN.has(status));
  return mayComeBack
    ? new LatchkeyError('temporal_unavailable', {
        cause: error,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      })
    : new LatchkeyError('internal_error', { cause: error });
}

/**
 * Whether the workflow task that took an update was refused by the server, for a signal or an activity's end that came in the same moment: the
 * step may have been taken, and nothing was answered. The same update id finds out.
 */
export function isTaskRefused(error: unknown): boolean {
  return grpcStatus(error) === FAILED_PRECONDITION;
}

/** Whether an update's answer is unknown. */
export function isOutcomePending(error: unknown): boolean {
  return (
    isTaskRefused(error) ||
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    error instanceof DeadlinePassedError
  );
}

/** An update's answer. A time-out means unknown, never "not done": timed-out updates ran when the worker came back. */
export function toUpdateError(error: unknown): LatchkeyError {
  if (isOutcomePending(error)) {
    return new LatchkeyError('outcome_pending', {
      cause: error,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
  if (isNotFound(error)) return new LatchkeyError('ceremony_ended', { cause: error });
  if (error instanceof WorkflowUpdateFailedError) {
    return fromFailure(error.cause) ?? new LatchkeyError('internal_error', { cause: error });
  }
  return toLatchkeyError(error);
}

function fromFailure(failure: unknown): LatchkeyError | undefined {
  // An activity's failure wraps the one it failed with.
  for (let at = failure; at instanceof Error; at = at.cause) {
    if (!(at instanceof ApplicationFailure)) continue;
    if (at.type === 'AcceptedUpdateCompletedWorkflow') return new LatchkeyError('ceremony_ended');
    if (isErrorCode(at.type)) return new LatchkeyError(at.type, { extra: publicExtra(at.details) });
  }
  return undefined;
}

function publicExtra(
  details: readonly unknown[] | undefined | null,
): Record<string, string | number | boolean> {
  const [extra] = details ?? [];
  if (typeof extra !== 'object' || extra === null) return {};
  return Object.fromEntries(
    Object.entries(extra).filter((entry): entry is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

function grpcStatus(error: unknown): number | undefined {
  if (isGrpcServiceError(error)) return error.code;
  return error instanceof ServiceError && isGrpcServiceError(error.cause)
    ? error.cause.code
    : undefined;
}
