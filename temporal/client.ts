/**
 * The one way to Temporal for the API and the relay: every call has a deadline and sits behind a circuit breaker, because without them
 * start, update and describe hung for 15 s and more against a dead server (TEMPORAL.md). Errors leave as LatchkeyError only. A call
 * carries no authority: workflows act on rows, never on what a message claims.
 */
import { Client } from '@temporalio/client';
import type { Connection, WorkflowClient } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Clock } from '../domain/clock.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { workflowId } from '../domain/ids.ts';
import type { WorkflowKind } from '../domain/ids.ts';
import type { Tracing } from '../domain/tracing.ts';
import { createBreaker } from './breaker.ts';
import {
  isAlreadyStarted,
  isNotFound,
  isOutcomePending,
  isTaskRefused,
  toLatchkeyError,
  toUpdateError,
} from './client-errors.ts';
import { withinDeadline } from './deadline.ts';
import { uncounted } from './metrics.ts';
import type { TemporalMetrics } from './metrics.ts';
import { QUEUE_OF_KIND, TYPE_OF_KIND, WORKFLOW_TASK_TIMEOUT_MS } from './queues.ts';
import { searchAttributes } from './search-attributes.ts';
import { WORKFLOW_TEXTS } from './workflow-texts.ts';
import { createTraceInterceptor } from './trace-headers.ts';

const CALL_DEADLINE_MS = 3_000;
const HEALTH_DEADLINE_MS = 1_000;
const HEALTH_SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

export interface WorkflowSubject {
  readonly tenantId: string;
  readonly id: string;
  /** Which healed successor of the workflow is meant: the row's heal_count. */
  readonly healCount?: number;
}

export interface WorkflowStart extends WorkflowSubject {
  /** Asleep until then; only `session` uses it. */
  readonly startDelayMs?: number;
  readonly searchAttributes?: { readonly state?: string; readonly customerId?: string };
}

export interface WorkflowSignal {
  readonly signal: string;
  readonly args: readonly unknown[];
}

/** An update carries one object of handles; more is possible. */
export type UpdateArguments = [unknown, ...unknown[]];

export type WorkflowStatus = 'running' | 'closed' | 'missing';

/** Every method: at most 3 s, then LatchkeyError('temporal_unavailable'), at once while the breaker is open. */
export interface TemporalGateway {
  start(kind: WorkflowKind, start: WorkflowStart): Promise<'started' | 'already_started'>;
  /**
   * @throws LatchkeyError the code of the workflow's refusal; outcome_pending: unknown, the same id attaches again;
   * ceremony_ended: closed or never there, read the row.
   */
  update<R>(workflowId: string, name: string, args: UpdateArguments, updateId: string): Promise<R>;
  /** `not_found`: closed or never there. Never for a sleeping session: that one only signalWithStart wakes. */
  signal(
    workflowId: string,
    name: string,
    args: readonly unknown[],
  ): Promise<'signalled' | 'not_found'>;
  /** Without a start delay: wakes a sleeper, or comes before its start and takes its place. */
  signalWithStart(
    kind: WorkflowKind,
    start: Omit<WorkflowStart, 'startDelayMs'> & WorkflowSignal,
  ): Promise<'signalled' | 'already_closed'>;
  describe(workflowId: string): Promise<WorkflowStatus>;
  /** Never throws. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

export interface TemporalGatewayOptions {
  readonly connection: Connection;
  readonly namespace: string;
  readonly dataConverter: DataConverter;
  /** Stands in histories: the instance id, never a host name. */
  readonly identity: string;
  readonly clock: Clock;
  readonly metrics?: TemporalMetrics;
  /** Left out: no call carries a trace. */
  readonly tracing?: Tracing | undefined;
}

export function createTemporalGateway(options: TemporalGatewayOptions): TemporalGateway {
  const { connection, metrics = uncounted, tracing } = options;
  const workflow = tracing === undefined ? [] : [createTraceInterceptor(tracing)];
  const { workflow: client } = new Client({ ...options, interceptors: { workflow } });
  const breaker = createBreaker((state) => {
    metrics.breakerIs(state);
  });

  const isHealthy = async (): Promise<boolean> => {
    try {
      const { status } = await withinDeadline(options, HEALTH_DEADLINE_MS, () =>
        connection.healthService.check({ service: HEALTH_SERVICE }),
      );
      return status === 1;
    } catch {
      return false;
    }
  };
  const countIfUnreachable = async (): Promise<void> => {
    if (!(await isHealthy())) breaker.countFailure();
  };
  const call = <T>(method: string, work: () => Promise<T>): Promise<T> =>
    counted(metrics, method, async () => {
      try {
        return await breaker.call(() => withinDeadline(options, CALL_DEADLINE_MS, work));
      } catch (error) {
        throw toLatchkeyError(error);
      }
    });

  return {
    start: (kind, start) => call('start', () => startWorkflow(client, kind, start)),
    update: <R>(id: string, name: string, args: UpdateArguments, updateId: string) =>
      counted(metrics, 'update', async () => {
        const execute = () =>
          client.getHandle(id).executeUpdate<R, UpdateArguments>(name, { args, updateId });
        const executeAgain = () =>
          execute().catch(async (error: unknown) => {
            if (!isTaskRefused(error)) throw error;
            return await execute();
          });
        try {
          return await breaker.call(async () => {
            try {
              return await withinDeadline(options, CALL_DEADLINE_MS, executeAgain);
            } catch (error) {
              // A time-out may be a missing worker: only a server that does not answer at all counts against the breaker.
              throw isOutcomePending(error) ? toUpdateError(error) : error;
            }
          });
        } catch (error) {
          const refusal = toUpdateError(error);
          if (refusal.code === 'outcome_pending') void countIfUnreachable();
          throw refusal;
        }
      }),
    signal: (id, name, args) =>
      call('signal', async () => {
        try {
          await client.getHandle(id).signal(name, ...args);
          return 'signalled';
        } catch (error) {
          if (isNotFound(error)) return 'not_found';
          throw error;
        }
      }),
    signalWithStart: (kind, start) =>
      call('signalWithStart', () => signalOrStart(client, kind, start)),
    describe: (id) => call('describe', () => describeWorkflow(client, id)),
    healthy: isHealthy,
    close: () => connection.close(),
  };
}

async function counted<T>(
  metrics: TemporalMetrics,
  method: string,
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const tell = (outcome: string) => {
    metrics.called(method, outcome, (performance.now() - startedAt) / 1000);
  };
  try {
    const result = await work();
    tell('ok');
    return result;
  } catch (error) {
    tell(error instanceof LatchkeyError ? error.code : 'internal_error');
    throw error;
  }
}

async function startWorkflow(
  client: WorkflowClient,
  kind: WorkflowKind,
  start: WorkflowStart,
): Promise<'started' | 'already_started'> {
  try {
    await client.start(TYPE_OF_KIND[kind], {
      ...startOptions(kind, start),
      ...(start.startDelayMs === undefined || start.startDelayMs <= 0
        ? {}
        : { startDelay: start.startDelayMs }),
    });
    return 'started';
  } catch (error) {
    if (isAlreadyStarted(error)) return 'already_started';
    throw error;
  }
}

async function signalOrStart(
  client: WorkflowClient,
  kind: WorkflowKind,
  start: WorkflowStart & WorkflowSignal,
): Promise<'signalled' | 'already_closed'> {
  try {
    await client.signalWithStart(TYPE_OF_KIND[kind], {
      ...startOptions(kind, start),
      signal: start.signal,
      signalArgs: [...start.args],
    });
    return 'signalled';
  } catch (error) {
    if (isAlreadyStarted(error)) return 'already_closed';
    throw error;
  }
}

async function describeWorkflow(client: WorkflowClient, id: string): Promise<WorkflowStatus> {
  try {
    const { status } = await client.getHandle(id).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED' ? 'running' : 'closed';
  } catch (error) {
    if (isNotFound(error)) return 'missing';
    throw error;
  }
}

function startOptions(kind: WorkflowKind, start: WorkflowStart) {
  const { tenantId, id, healCount } = start;
  const { summary, details } = WORKFLOW_TEXTS[kind];
  return {
    workflowId: workflowId(kind, tenantId, id, healCount),
    taskQueue: QUEUE_OF_KIND[kind],
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    typedSearchAttributes: searchAttributes({ kind, tenantId, ...start.searchAttributes }),
    args: [{ tenantId, id }],
    staticSummary: summary,
    ...(details === undefined ? {} : { staticDetails: details }),
  };
}
