/**
 * Step-ups on real rows, real workflows and a time-skipping server: for tests of timers, of what risk may do and of what survives. Requester
 * and customer act through the stores as the API does; doorbells are rung as the relay rings them.
 */
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { createStepUpAnswerActivities } from '../../../activities/step-up-answer.ts';
import { createReceiptActivities } from '../../../activities/receipt.ts';
import { createStepUpActivities } from '../../../activities/step-up.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createStepUpAnswerStore } from '../../../db/step-up-answers.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { createStepUpStore } from '../../../db/step-up-store.ts';
import type { OpenedStepUp } from '../../../db/step-up-open.ts';
import type { StepUpRecord } from '../../../db/step-up.ts';
import { stepUpAnswerId, workflowId } from '../../../domain/ids.ts';
import type { Policy } from '../../../domain/policy.ts';
import type { Risk } from '../../../domain/ports.ts';
import type { StepUpSubject } from '../../../domain/step-up.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { createNexusWorker, NEXUS_QUEUE, PLAIN_CONVERTER } from '../../../temporal/nexus-worker.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import type { stepUpAnswer } from '../../../workflows/step-up-answer.ts';
import { createTestDatabase } from '../database.ts';
import type { TestDatabase } from '../database.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import {
  approvalOf,
  asked,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../step-ups.ts';
import type { StepUpCustomer } from '../step-ups.ts';
import {
  createTimeSkippingEnvironment,
  TIME_SKIPPING_NAMESPACE,
} from '../temporal/time-skipping.ts';

const UPDATES = {
  step_up_approval: 'approveStepUp',
  step_up: 'submitStepUpCode',
  step_up_resend: 'resendStepUpCode',
} as const;
type Step = keyof typeof UPDATES;

/** One customer who is asked for one payment. */
export interface Asked {
  readonly stepUpId: string;
  readonly customer: StepUpCustomer;
  readonly amount: string;
}

interface Parts {
  readonly env: TestWorkflowEnvironment;
  readonly gateway: TemporalGateway;
  readonly database: Database;
  readonly tenantId: string;
  readonly testDatabase: TestDatabase;
  readonly clock: { nowMs: number };
}

export class StepUpBed {
  readonly env: TestWorkflowEnvironment;
  readonly database: Database;
  readonly tenantId: string;
  /** What the engine says; tests replace it. */
  risk: () => Promise<Risk> = () => Promise.resolve('low');
  risksAsked = 0;
  /** What the KMS and its store do; tests replace it. */
  seal = async ({ stepUpId }: StepUpSubject): Promise<string | null> => {
    const receiptId = `of ${stepUpId}`;
    await this.inTenant(
      (tx) => tx`update step_up set receipt_id = ${receiptId} where step_up_id = ${stepUpId}`,
    );
    return receiptId;
  };
  readonly sealed: string[] = [];
  private readonly parts: Parts;
  private workers: WorkerGroup | undefined;
  private nexusWorker: Worker | undefined;
  private nexusStopped: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.parts = parts;
    this.env = parts.env;
    this.database = parts.database;
    this.tenantId = parts.tenantId;
  }

  static async create(policy?: Policy): Promise<StepUpBed> {
    const testDatabase = await createTestDatabase();
    const { tenantId } = await bootstrapDemoTenant({
      ownerUrl: testDatabase.ownerUrl,
      publicUrl: 'http://localhost:1',
      fraudClientJwks: { keys: [] },
      ...(policy === undefined ? {} : { policy }),
    });
    const env = await createTimeSkippingEnvironment();
    const clock = { nowMs: await env.currentTimeMs() };
    const database = connectDatabase({
      url: testDatabase.applicationUrl,
      testNowMs: () => clock.nowMs,
    });
    const namespace = TIME_SKIPPING_NAMESPACE;
    const gateway = createTemporalGateway({
      connection: env.connection,
      namespace,
      dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
      identity: 'test-client',
      clock: systemClock,
    });
    const bed = new StepUpBed({ env, gateway, database, tenantId, testDatabase, clock });
    await bed.startWorkers();
    return bed;
  }

  private async startWorkers(): Promise<void> {
    const namespace = TIME_SKIPPING_NAMESPACE;
    const common = {
      connection: this.env.nativeConnection,
      namespace,
      workflows: await buildWorkflows(),
      identity: 'test-worker',
      buildId: undefined,
      log: { error: () => undefined },
    };
    this.nexusWorker = await createNexusWorker({
      ...common,
      activities: this.inTime(
        createStepUpAnswerActivities({
          store: createStepUpAnswerStore(this.database, STEP_UP_TOOLS),
        }),
      ),
    });
    this.nexusStopped = this.nexusWorker.run();
    this.workers = await startWorkerGroup({
      ...common,
      dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
      activities: {
        sessions: { none: () => Promise.resolve() },
        ceremonies: this.inTime({
          ...createStepUpActivities({
            store: createStepUpStore(this.database, STEP_UP_TOOLS),
            risk: {
              evaluate: () => {
                this.risksAsked += 1;
                return this.risk();
              },
            },
          }),
        }),
        revocations: { none: () => Promise.resolve() },
        vendors: this.inTime(
          createReceiptActivities({
            store: {
              seal: async (subject) => {
                const receiptId = await this.seal(subject);
                this.sealed.push(subject.stepUpId);
                return receiptId;
              },
            },
          }),
        ),
      },
    });
  }

  async close(): Promise<void> {
    this.workers?.shutdown();
    this.nexusWorker?.shutdown();
    await Promise.all([this.workers?.stopped, this.nexusStopped]);
    await this.env.teardown();
    await this.database.close();
    await this.parts.testDatabase.drop();
  }

  /** Every activity's transactions see the server's time. */
  private inTime<A extends Record<string, (input: never) => Promise<unknown>>>(activities: A): A {
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

  async tick(): Promise<void> {
    this.parts.clock.nowMs = await this.env.currentTimeMs();
  }

  async advanceTo(atMs: number): Promise<void> {
    await this.env.sleep(Math.max(0, atMs - (await this.env.currentTimeMs())));
    await this.tick();
  }

  async inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    await this.tick();
    return await this.database.tenant(this.tenantId, work);
  }

  /** Only the rows: the API's first half. */
  async insert(amount = '400.00'): Promise<Asked> {
    const customer = await this.inTenant((tx) => insertStepUpCustomer(tx, this.tenantId));
    const stepUpId = await this.inTenant((tx) => asked(tx, customer, { action: payment(amount) }));
    return { stepUpId, customer, amount };
  }

  /** Again when the server, just started on a busy machine, took longer than a call has. */
  async startWorkflow({ stepUpId }: Asked, healCount = 0): Promise<void> {
    const start = { tenantId: this.tenantId, id: stepUpId, healCount };
    for (let tries = 1; ; tries += 1) {
      try {
        await this.parts.gateway.start('step_up', start);
        return;
      } catch (error) {
        if (tries === 5) throw error;
      }
    }
  }

  async start(amount?: string): Promise<Asked> {
    const one = await this.insert(amount);
    await this.startWorkflow(one);
    await this.reaches(one, 'open');
    return one;
  }

  open({ stepUpId, customer }: Asked): Promise<OpenedStepUp> {
    return this.inTenant((tx) => show(tx, customer, stepUpId));
  }

  /** What the API writes before it rings: the handle. */
  async submission(
    { stepUpId, customer }: Asked,
    step: Step,
    payload: object,
  ): Promise<{ readonly submissionId: string; readonly notAfterMs: number }> {
    const submissionId = await this.inTenant((tx) =>
      submit(tx, customer, stepUpId, { step, payload }),
    );
    return { submissionId, notAfterMs: this.parts.clock.nowMs + 30_000 };
  }

  async ring(
    { stepUpId }: Asked,
    step: Step,
    handle: { readonly submissionId: string; readonly notAfterMs: number },
    healCount = 0,
  ): Promise<void> {
    const id = workflowId('step_up', this.tenantId, stepUpId, healCount);
    const updateId = `${handle.submissionId}-${String(healCount)}`;
    await this.parts.gateway.update(id, UPDATES[step], [handle], updateId);
  }

  /** Both signatures, over what the device was sent last. */
  async sign(one: Asked): ReturnType<StepUpBed['submission']> {
    const payload = approvalOf(one.customer, await this.open(one));
    return await this.submission(one, 'step_up_approval', payload);
  }

  async approve(one: Asked, healCount = 0): Promise<void> {
    await this.ring(one, 'step_up_approval', await this.sign(one), healCount);
  }

  codeOf({ stepUpId, customer }: Asked): Promise<string> {
    return this.inTenant((tx) => sentCode(tx, customer, stepUpId));
  }

  async guess(one: Asked, code: string, healCount = 0): Promise<void> {
    await this.ring(one, 'step_up', await this.submission(one, 'step_up', { code }), healCount);
  }

  async resend(one: Asked): Promise<void> {
    await this.ring(one, 'step_up_resend', await this.submission(one, 'step_up_resend', {}));
  }

  /** As the requester's call does; the relay's doorbell follows. */
  async consume(one: Asked): Promise<void> {
    const { tenantId } = this;
    const { stepUpId, amount } = one;
    await this.inTenant((tx) =>
      consumeStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        requester: PAYMENTS,
        action: payment(amount),
      }),
    );
    await this.signal(one, 'cancel');
  }

  async end(one: Asked, event: 'cancelled' | 'denied'): Promise<void> {
    await this.endRow(one, event);
    await this.signal(one, 'cancel');
  }

  /** The API's half of it. */
  async endRow(one: Asked, event: 'cancelled' | 'denied'): Promise<void> {
    const { tenantId } = this;
    const { stepUpId, customer } = one;
    await this.inTenant((tx) =>
      endStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        actor: { kind: 'customer', id: customer.customerId },
        ...(event === 'denied' ? { event, reason: 'declined' } : { event }),
      }),
    );
  }

  async signal({ stepUpId }: Asked, signal: string, healCount = 0): Promise<void> {
    const id = workflowId('step_up', this.tenantId, stepUpId, healCount);
    await this.parts.gateway.signal(id, signal, [{ signalId: 'out_1' }]);
  }

  row({ stepUpId }: Asked): Promise<StepUpRecord> {
    return this.inTenant((tx) => read(tx, this.tenantId, stepUpId));
  }

  async reaches(one: Asked, state: string): Promise<void> {
    const endsAtMs = performance.now() + 20_000;
    while ((await this.row(one)).state !== state) {
      if (performance.now() > endsAtMs)
        throw new Error(`${(await this.row(one)).state} instead of ${state}`);
    }
  }

  async closes({ stepUpId }: Asked, healCount = 0): Promise<void> {
    const id = workflowId('step_up', this.tenantId, stepUpId, healCount);
    const endsAtMs = performance.now() + 20_000;
    while ((await this.parts.gateway.describe(id)) !== 'closed') {
      if (performance.now() > endsAtMs) throw new Error(`${id} has not closed`);
    }
  }

  /** As the Nexus operation does, without our keys. */
  async await({ stepUpId }: Asked): Promise<WorkflowHandle<typeof stepUpAnswer>> {
    const { tenantId } = this;
    const client = new Client({
      connection: this.env.connection,
      namespace: TIME_SKIPPING_NAMESPACE,
      dataConverter: PLAIN_CONVERTER,
    });
    return await client.workflow.start<typeof stepUpAnswer>('stepUpAnswer', {
      workflowId: stepUpAnswerId(tenantId, stepUpId),
      taskQueue: NEXUS_QUEUE,
      args: [{ tenantId, id: stepUpId }],
    });
  }

  /** The workflow is gone, as after a loss of Temporal's own data; the row knows nothing of it. */
  async lose({ stepUpId }: Asked): Promise<void> {
    const id = workflowId('step_up', this.tenantId, stepUpId);
    await this.env.client.workflow.getHandle(id).terminate('lost');
  }
}
