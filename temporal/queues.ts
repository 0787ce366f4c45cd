/**
 * The task queues and what runs on each. Revocation has a queue and a Worker of its own so that nothing else can take its slots;
 * vendor calls run on an activity-only Worker so that a slow supplier holds up no workflow.
 */
import type { WorkflowKind } from '../domain/ids.ts';

export const TASK_QUEUES = {
  sessions: 'sessions',
  ceremonies: 'ceremonies',
  revocations: 'revocations',
  vendors: 'vendors',
} as const;

export type TaskQueue = keyof typeof TASK_QUEUES;

/** `satisfies` makes a kind without a queue a type error. */
export const QUEUE_OF_KIND = {
  session: TASK_QUEUES.sessions,
  enrollment: TASK_QUEUES.ceremonies,
  step_up: TASK_QUEUES.ceremonies,
  recovery: TASK_QUEUES.ceremonies,
  revocation: TASK_QUEUES.revocations,
} as const satisfies Record<WorkflowKind, TaskQueue>;

/** A workflow task that takes longer is handed out again: a kill inside a local activity costs this long (TEMPORAL.md). */
export const WORKFLOW_TASK_TIMEOUT_MS = 5_000;

/** The name that a kind's workflow is exported and known by. */
export const TYPE_OF_KIND = {
  session: 'session',
  enrollment: 'enrollment',
  step_up: 'stepUp',
  recovery: 'recovery',
  revocation: 'revocation',
} as const satisfies Record<WorkflowKind, string>;
