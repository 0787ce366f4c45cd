/**
 * The four Workers of a worker process: sessions, ceremonies and revocations run workflows and their activities, vendors only activities.
 * They start and drain together, with the one that requesters reach (nexus-worker.ts). Which activities they get is the business of worker/activities.ts.
 */
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerDeploymentOptions, WorkerOptions } from '@temporalio/worker';
import type { DataConverter } from '@temporalio/common';
import type { FailPoint } from '../domain/fail-point.ts';
import type { Tracing } from '../domain/tracing.ts';
import { createActivityInterceptor } from './activity-interceptor.ts';
import type { ActivityLog } from './activity-interceptor.ts';
import { DEPLOYMENT_NAME } from './deployment.ts';
import type { TemporalMetrics } from './metrics.ts';
import { createTraceSinks } from './trace-sinks.ts';
import { TASK_QUEUES } from './queues.ts';
import type { TaskQueue } from './queues.ts';
import type { BuiltWorkflows } from './workflow-bundle.ts';

/** Longer than any local activity's transaction may take. */
const SHUTDOWN_GRACE_MS = 10_000;
/** A worker that does not drain is given up; its tasks are handed out again by their time-outs. */
const SHUTDOWN_FORCE_MS = 20_000;
/** How long a task waits for the worker that has its workflow in memory: as long as that one's death costs. The SDK's 10 s double it. */
const STICKY_WAIT_MS = 3_000;

export type Activities = Readonly<Record<string, (input: never) => Promise<unknown>>>;

export interface WorkerGroupOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly workflows: BuiltWorkflows;
  readonly dataConverter: DataConverter;
  /** The instance id: it stands in every history, so never a host name. */
  readonly identity: string;
  readonly activities: Readonly<Record<TaskQueue, Activities>>;
  readonly log: ActivityLog;
  /** undefined: unversioned, for servers that know no deployments (the time-skipping one). */
  readonly buildId: string | undefined;
  /** Where a test kills the process: around every activity. */
  readonly failPoint?: FailPoint;
  readonly metrics?: TemporalMetrics;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** Of another make; they start and drain with these. */
  readonly beside?: readonly Worker[];
  /** A vendor that is slow holds one slot a call. */
  readonly vendorSlots?: number;
}

export interface WorkerGroup {
  /** Rejects when a Worker failed for good; resolves when all have drained. */
  readonly stopped: Promise<void>;
  shutdown(): void;
}

export async function startWorkerGroup(options: WorkerGroupOptions): Promise<WorkerGroup> {
  const workers: Worker[] = [...(options.beside ?? [])];
  for (const queue of Object.values(TASK_QUEUES)) {
    // Without an activity there is nothing to poll for.
    if (queue === TASK_QUEUES.vendors && Object.keys(options.activities.vendors).length === 0)
      continue;
    workers.push(await Worker.create(workerOptions(queue, options)));
  }
  const shutdown = () => {
    for (const worker of workers) {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
  };
  // One that fails takes the others down: a process with half its Workers looks healthy and is not.
  const runs = workers.map(async (worker) => {
    try {
      await worker.run();
    } finally {
      shutdown();
    }
  });
  const stopped = Promise.allSettled(runs).then((results) => {
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  });
  // Whoever waits for `stopped` later still sees the failure.
  stopped.catch(() => undefined);
  return { stopped, shutdown };
}

function workerOptions(queue: TaskQueue, options: WorkerGroupOptions): WorkerOptions {
  const versioning = deployment(options.buildId);
  return {
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: queue,
    identity: options.identity,
    dataConverter: options.dataConverter,
    activities: { ...options.activities[queue] },
    interceptors: { activity: [createActivityInterceptor(options)] },
    sinks: createTraceSinks(options.tracing),
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_FORCE_MS,
    stickyQueueScheduleToStartTimeout: STICKY_WAIT_MS,
    ...(versioning === undefined ? {} : { workerDeploymentOptions: versioning }),
    ...(queue === TASK_QUEUES.vendors
      ? { maxConcurrentActivityTaskExecutions: options.vendorSlots ?? 50 }
      : { workflowBundle: options.workflows.bundle }),
  };
}

export function deployment(buildId: string | undefined): WorkerDeploymentOptions | undefined {
  if (buildId === undefined) return undefined;
  return {
    version: { deploymentName: DEPLOYMENT_NAME, buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}
