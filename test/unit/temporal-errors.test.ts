import { ServiceError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { LatchkeyError } from '../../domain/errors.ts';
import { toActivityFailure } from '../../temporal/activity-interceptor.ts';
import { isUnreachable, toLatchkeyError, toUpdateError } from '../../temporal/client-errors.ts';
import { fail } from '../../workflows/failure.ts';

/** Of the gRPC specification; its package is a dependency of the SDK's, not ours. */
const status = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
};

const grpcError = (code: number): ServiceError =>
  new ServiceError('a call failed', {
    cause: Object.assign(new Error('grpc'), { code, details: '', metadata: {} }),
  });

describe("an activity's error", () => {
  test('crosses as its code, tried again only when the table says that helps', () => {
    expect(
      toActivityFailure(new LatchkeyError('wrong_code', { extra: { attemptsLeft: 1 } })),
    ).toMatchObject({
      type: 'wrong_code',
      nonRetryable: true,
      details: [{ attemptsLeft: 1 }],
    });
    expect(
      toActivityFailure(new LatchkeyError('vendor_unavailable', { retryAfterSeconds: 7 })),
    ).toMatchObject({ type: 'vendor_unavailable', nonRetryable: false, nextRetryDelay: 7_000 });
  });

  test('loses its words when nobody foresaw it, and is tried again', () => {
    const failure = toActivityFailure(new TypeError('with a secret'));
    expect(failure).toMatchObject({ type: 'internal_error', nonRetryable: false });
    expect(failure.message).toBe('internal_error');
  });

  test('stays what it is when it is a failure or a cancellation already', () => {
    for (const failure of [
      ApplicationFailure.nonRetryable('x', 'y'),
      new CancelledFailure('stop'),
    ]) {
      expect(toActivityFailure(failure)).toBe(failure);
    }
  });
});

describe("a client's error", () => {
  test.each([
    [status.UNAVAILABLE, 'temporal_unavailable', true],
    [status.DEADLINE_EXCEEDED, 'temporal_unavailable', true],
    [status.RESOURCE_EXHAUSTED, 'temporal_unavailable', false],
    [status.PERMISSION_DENIED, 'internal_error', false],
    [status.INVALID_ARGUMENT, 'internal_error', false],
  ])('of gRPC status %i is %s and counts against the breaker: %s', (grpcStatus, code, counts) => {
    expect(toLatchkeyError(grpcError(grpcStatus))).toMatchObject({ code });
    expect(isUnreachable(grpcError(grpcStatus))).toBe(counts);
  });

  test('of an update that a workflow refused is that refusal, without anything that is not public', () => {
    expect(() => fail('wrong_code', { attemptsLeft: 2 })).toThrow('wrong_code');
    const refusal = ApplicationFailure.create({
      type: 'wrong_code',
      details: [{ attemptsLeft: 2, nested: { a: 1 } }],
    });
    expect(toUpdateError(new WorkflowUpdateFailedError('failed', refusal))).toMatchObject({
      code: 'wrong_code',
      extra: { attemptsLeft: 2 },
    });
    const strange = ApplicationFailure.create({ type: 'TypeError', message: 'x' });
    expect(toUpdateError(new WorkflowUpdateFailedError('failed', strange))).toMatchObject({
      code: 'internal_error',
      extra: {},
    });
  });

  test('of an update whose workflow task the server refused says that nobody knows yet', () => {
    expect(toUpdateError(grpcError(status.FAILED_PRECONDITION))).toMatchObject({
      code: 'outcome_pending',
      retryAfterSeconds: 2,
    });
  });
});
