/**
 * What the tests of a ceremony's timers stand on: real rows, real workflows and a time-skipping server, whose time every transaction sees. A ceremony
 * adds its activities and what its people do: they act through the stores as the API does, and ring workflows as the relay does.
 */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { newId } from '../../../adapters/random.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { workflowId } from '../../../domain/ids.ts';
import type { WorkflowKind } from '../../../domain/ids.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import type { BuiltWorkflows } from '../../../temporal/workflow-bundle.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { gatewayInto, startTestWorkers } from '../temporal/test-temporal.ts';
import type { TestActivities } from '../temporal/test-temporal.ts';
import {
  createTimeSkippingEnvironment,
  TIME_SKIPPING_NAMESPACE,
} from '../temporal/time-skipping.ts';

/** For what happens at once, on a busy machine. */
const PATIENCE_MS = 20_000;
/** A server that has just started may take longer than a call has. */
const MOST_STARTS = 5;

export interface SkippingGround {
  readonly env: TestWorkflowEnvironment;
  readonly gateway: TemporalGateway;
  readonly testDatabase: TestDatabase;
  readonly database: Database;
  readonly tenantId: string;
  readonly clock: { nowMs: number };
}

/** The servers and the rows; nothing works on anything yet. */
export async function openSkippingGround(policy?: Policy): Promise<SkippingGround> {
  const testDatabase = await createTestDatabase();
  const { tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost:1',
    fraudClientJwks: { keys: [] },
    ...(policy === undefined ? {} : { policy }),
  });
  const env = await createTimeSkippingEnvironment();
  const clock = { nowMs: await env.currentTimeMs() };
  const url = testDatabase.applicationUrl;
  const database = connectDatabase({ url, testNowMs: () => clock.nowMs });
  const { connection } = env;
  const gateway = gatewayInto({ connection, namespace: TIME_SKIPPING_NAMESPACE });
  return { env, gateway, testDatabase, database, tenantId, clock };
}

type Activities = Record<string, (input: never) => Promise<unknown>>;

/** `Subject`: how a test holds one ceremony. */
export abstract class TimeSkippingBed<Subject> {
  readonly env: TestWorkflowEnvironment;
  readonly gateway: TemporalGateway;
  readonly database: Database;
  readonly tenantId: string;
  protected readonly testDatabase: TestDatabase;
  readonly #clock: { nowMs: number };
  #workflows: BuiltWorkflows | undefined;
  #workers: WorkerGroup | undefined;

  protected constructor({ env, gateway, database, tenantId, ...ground }: SkippingGround) {
    this.env = env;
    this.gateway = gateway;
    this.database = database;
    this.tenantId = tenantId;
    this.testDatabase = ground.testDatabase;
    this.#clock = ground.clock;
  }

  protected abstract readonly kind: WorkflowKind;
  protected abstract idOf(subject: Subject): string;
  protected abstract activities(): TestActivities;
  abstract row(subject: Subject): Promise<{ readonly state: string }>;

  /** A Worker of another make that runs with the others. */
  protected beside(_workflows: BuiltWorkflows): Promise<readonly Worker[]> {
    return Promise.resolve([]);
  }

  async startWorkers(): Promise<void> {
    this.#workflows ??= await buildWorkflows();
    const place = { connection: this.env.nativeConnection, namespace: TIME_SKIPPING_NAMESPACE };
    const beside = await this.beside(this.#workflows);
    this.#workers = await startTestWorkers(
      { ...place, workflows: this.#workflows },
      { beside, activities: this.activities() },
    );
  }

  async stopWorkers(): Promise<void> {
    this.#workers?.shutdown();
    await this.#workers?.stopped;
    this.#workers = undefined;
  }

  async close(): Promise<void> {
    await this.stopWorkers();
    await this.env.teardown();
    await this.database.close();
    await this.testDatabase.drop();
  }

  /** Every activity's transactions see the server's time. */
  protected inTime<A extends Activities>(activities: A): A {
    const timed = Object.entries(activities).map(([name, activity]) => [
      name,
      async (input: never) => {
        await this.tick();
        return await activity(input);
      },
    ]);
    // The same names with the same signatures.
    return Object.fromEntries(timed) as A;
  }

  async tick(): Promise<number> {
    this.#clock.nowMs = await this.env.currentTimeMs();
    return this.#clock.nowMs;
  }

  /** As of the last tick. */
  protected get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** Skips to that time: the server's `sleep` waits for no clock. */
  async advanceTo(atMs: number): Promise<void> {
    await this.env.sleep(Math.max(0, atMs - (await this.env.currentTimeMs())));
    await this.tick();
  }

  async inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.tick();
    return await this.database.tenant(this.tenantId, work);
  }

  async startWorkflow(subject: Subject, healCount = 0): Promise<void> {
    const { kind, tenantId } = this;
    const searchAttributes = { state: 'starting' };
    const start = { tenantId, id: this.idOf(subject), healCount, searchAttributes };
    for (let tries = 1; ; tries += 1) {
      try {
        await this.gateway.start(kind, start);
        return;
      } catch (error) {
        if (tries === MOST_STARTS) throw error;
      }
    }
  }

  /** To the n-th successor of its workflow. */
  async update(
    subject: Subject,
    update: string,
    handle: { readonly submissionId: string; readonly notAfterMs: number },
    healCount = 0,
  ): Promise<void> {
    const updateId = `${handle.submissionId}-${String(healCount)}`;
    await this.gateway.update(this.workflowOf(subject, healCount), update, [handle], updateId);
  }

  async signal(subject: Subject, signal: string, healCount = 0): Promise<void> {
    const args = [{ signalId: newId('outbox') }];
    await this.gateway.signal(this.workflowOf(subject, healCount), signal, args);
  }

  async reaches(subject: Subject, state: string): Promise<void> {
    const endsAtMs = performance.now() + PATIENCE_MS;
    while ((await this.row(subject)).state !== state) {
      if (performance.now() > endsAtMs)
        throw new Error(`${(await this.row(subject)).state} instead of ${state}`);
    }
  }

  async closes(subject: Subject, healCount = 0): Promise<void> {
    const id = this.workflowOf(subject, healCount);
    const endsAtMs = performance.now() + PATIENCE_MS;
    while ((await this.gateway.describe(id)) !== 'closed') {
      if (performance.now() > endsAtMs) throw new Error(`${id} has not closed`);
    }
  }

  /**
   * The workflow is gone, as after a loss of Temporal's own data; the row knows nothing of it. The time-skipping server skips no more time
   * after that: tests that move it come first in their file.
   */
  async lose(subject: Subject): Promise<void> {
    await this.env.client.workflow.getHandle(this.workflowOf(subject)).terminate('lost');
  }

  protected workflowOf(subject: Subject, healCount = 0): string {
    return workflowId(this.kind, this.tenantId, this.idOf(subject), healCount);
  }
}
