/**
 * The Temporal Schedules: the hourly rotation of the signing keys. Made when missing and brought to what stands here, again and
 * again by every worker: Temporal may have lost its store; harmless to repeat. A schedule carries no arguments and no secret, and one that an operator paused stays paused.
 */
import { ScheduleAlreadyRunning, ScheduleClient, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Connection, ScheduleOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Clock } from '../domain/clock.ts';
import { withinDeadline } from './deadline.ts';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './queues.ts';
import { KIND_ATTRIBUTE } from './search-attributes.ts';

export const KEY_ROTATION_SCHEDULE = 'key-rotation';
/** Longer than a round may take. */
const ROUND_TIMEOUT = '55 minutes';
const CALL_DEADLINE_MS = 10_000;

/** Every hour, although keys are by the day: a round that was missed costs nothing. */
const KEY_ROTATION = {
  spec: { intervals: [{ every: '1 hour' }] },
  action: {
    type: 'startWorkflow',
    workflowType: 'keyRotation',
    workflowId: KEY_ROTATION_SCHEDULE,
    taskQueue: TASK_QUEUES.ceremonies,
    args: [],
    workflowExecutionTimeout: ROUND_TIMEOUT,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: KIND_ATTRIBUTE, value: 'key_rotation' },
    ]),
  },
  policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 hour' },
} as const satisfies Omit<ScheduleOptions, 'scheduleId'>;

export interface ScheduleTarget {
  readonly connection: Connection;
  readonly namespace: string;
  /** The instance id, never a host name. */
  readonly identity: string;
  readonly clock: Clock;
}

/** Answers whether it was made now; then its first round begins at once. */
export async function prepareSchedules({
  connection,
  namespace,
  identity,
  clock,
}: ScheduleTarget): Promise<'made' | 'brought up to date'> {
  const schedules = new ScheduleClient({ connection, namespace, identity });
  return await withinDeadline({ connection, clock }, CALL_DEADLINE_MS, async () => {
    try {
      await schedules.create({
        ...KEY_ROTATION,
        scheduleId: KEY_ROTATION_SCHEDULE,
        state: { triggerImmediately: true },
      });
      return 'made';
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await schedules
        .getHandle(KEY_ROTATION_SCHEDULE)
        .update((before) => ({ ...before, ...KEY_ROTATION }));
      return 'brought up to date';
    }
  });
}
