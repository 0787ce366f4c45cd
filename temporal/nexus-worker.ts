/**
 * The Worker that requesters reach through Nexus. It speaks without the payload codec, because a requester has none of our keys: what comes in
 * is a request that its signature proves, what goes out an id and a status. No other workflow runs here, and no queue of ours takes what it wrote.
 */
import { Worker } from '@temporalio/worker';
import type { ServiceHandler } from 'nexus-rpc';
import { createActivityInterceptor } from './activity-interceptor.ts';
import { FAILURE_CONVERTER_PATH } from './data-converter.ts';
import { createTraceSinks } from './trace-sinks.ts';
import { deployment } from './worker-group.ts';
import type { Activities, WorkerGroupOptions } from './worker-group.ts';

export const NEXUS_QUEUE = 'nexus';

const SHUTDOWN_GRACE_MS = 10_000;
const SHUTDOWN_FORCE_MS = 20_000;

export interface NexusWorkerOptions extends Omit<
  WorkerGroupOptions,
  'activities' | 'dataConverter' | 'vendorSlots' | 'beside'
> {
  readonly activities: Activities;
  /** Left out where only what it starts is tested. */
  readonly service?: ServiceHandler;
}

export async function createNexusWorker(options: NexusWorkerOptions): Promise<Worker> {
  const versioning = deployment(options.buildId);
  return await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: NEXUS_QUEUE,
    identity: options.identity,
    dataConverter: PLAIN_CONVERTER,
    workflowBundle: options.workflows.bundle,
    activities: { ...options.activities },
    ...(options.service === undefined ? {} : { nexusServices: [options.service] }),
    interceptors: { activity: [createActivityInterceptor(options)] },
    sinks: createTraceSinks(options.tracing),
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    shutdownForceTime: SHUTDOWN_FORCE_MS,
    ...(versioning === undefined ? {} : { workerDeploymentOptions: versioning }),
  });
}

/** Failures still leave as codes alone. */
export const PLAIN_CONVERTER = { failureConverterPath: FAILURE_CONVERTER_PATH };
