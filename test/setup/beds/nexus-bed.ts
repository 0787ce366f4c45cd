/**
 * Latchkey behind Nexus on the real Temporal server, and the demo bank's payment workflow in a namespace of its own, without our payload keys. The
 * customer answers through the stores; the bank uses an approval through them too.
 */
import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import type { Connection, WorkflowHandle } from '@temporalio/client';
import { createStepUpActivities } from '../../../activities/step-up.ts';
import { createStepUpAnswerActivities } from '../../../activities/step-up-answer.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { embeddedRiskEngine } from '../../../adapters/risk/embedded.ts';
import { bootstrapDemoTenant, DEMO_PAYMENTS_CLIENT } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { createStepUpAnswerStore } from '../../../db/step-up-answers.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { createStepUpStore } from '../../../db/step-up-store.ts';
import { readAction } from '../../../domain/action.ts';
import { workflowId } from '../../../domain/ids.ts';
import { signRequest } from '../../../runtime/demo-payments/payment-activities.ts';
import {
  PAYMENTS_QUEUE,
  startPaymentWorker,
} from '../../../runtime/demo-payments/payment-worker.ts';
import type { demoPayment } from '../../../runtime/demo-payments/payment-workflow.ts';
import { DEMO_PAYMENTS_KEY, demoPaymentsJwks } from '../../../runtime/demo-secrets.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { prepareNexusEndpoint } from '../../../temporal/nexus-endpoints.ts';
import type { StepUpOrder } from '../../../temporal/nexus-service.ts';
import { createNexusWorker } from '../../../temporal/nexus-worker.ts';
import { createStepUpService } from '../../../worker/step-up-operation.ts';
import { createTestDatabase } from '../database.ts';
import {
  approvalOf,
  asked,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../step-ups.ts';
import type { StepUpCustomer } from '../step-ups.ts';
import { createTestNamespace } from '../temporal.ts';
import { openTestTemporal } from '../temporal/test-temporal.ts';
import type { TestTemporal } from '../temporal/test-temporal.ts';

const PUBLIC_URL = 'http://localhost:1';
export const ISSUER = `${PUBLIC_URL}/t/demo`;

export interface Signing {
  readonly clientId?: string;
  readonly issuer?: string;
  readonly nowMs?: () => number;
  /** Signed instead of what is sent. */
  readonly request?: unknown;
}

interface Parts {
  readonly database: Database;
  readonly gateway: TemporalGateway;
  readonly connection: Connection;
  readonly namespace: string;
  readonly tenantId: string;
  readonly endpoint: string;
  readonly bank: Client;
  readonly stop: () => Promise<void>;
}

export class NexusBed {
  readonly connection: Connection;
  readonly namespace: string;
  readonly tenantId: string;
  /** Of the requester's own workflows. */
  readonly bank: Client;
  readonly endpoint: string;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.connection = parts.connection;
    this.namespace = parts.namespace;
    this.tenantId = parts.tenantId;
    this.bank = parts.bank;
    this.endpoint = parts.endpoint;
  }

  static async start(): Promise<NexusBed> {
    const testDatabase = await createTestDatabase();
    const { tenantId } = await bootstrapDemoTenant({
      ownerUrl: testDatabase.ownerUrl,
      publicUrl: PUBLIC_URL,
      fraudClientJwks: { keys: [] },
      paymentsClientJwks: demoPaymentsJwks(),
    });
    const database = connectDatabase({ url: testDatabase.applicationUrl });
    const ours = await openTestTemporal();
    const theirs = await createTestNamespace();
    const { connection, native, namespace, gateway } = ours;
    const endpoint = `latchkey-${randomBytes(6).toString('hex')}`;
    await prepareNexusEndpoint(connection, { name: endpoint, namespace });
    await startLatchkey(database, ours);
    const payments = await startPaymentWorker({
      connection: native,
      namespace: theirs.namespace,
      clientId: DEMO_PAYMENTS_CLIENT,
      issuer: ISSUER,
      key: DEMO_PAYMENTS_KEY,
      nowMs: () => systemClock.nowMs(),
      requester: {
        consume: async (stepUpId, action) => {
          await database.tenant(tenantId, (tx) =>
            consumeStepUp(tx, STEP_UP_TOOLS, {
              tenantId,
              stepUpId,
              requester: PAYMENTS,
              action: readAction(action),
            }),
          );
          return { status: 200, body: {} };
        },
      },
    });
    return new NexusBed({
      database,
      gateway,
      connection,
      namespace,
      tenantId,
      endpoint,
      bank: new Client({ connection, namespace: theirs.namespace }),
      stop: async () => {
        await payments.stop();
        await ours.close();
        await database.close();
        await testDatabase.drop();
      },
    });
  }

  close(): Promise<void> {
    return this.#parts.stop();
  }

  inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#parts.database.tenant(this.tenantId, work);
  }

  customer(): Promise<StepUpCustomer> {
    return this.inTenant((tx) => insertStepUpCustomer(tx, this.tenantId));
  }

  order({ customerId }: StepUpCustomer, amount = '400.00'): StepUpOrder {
    const reference = `order-${randomBytes(8).toString('hex')}`;
    return { customerId, action: payment(amount), reference };
  }

  sign(order: StepUpOrder, jti?: string, signing: Signing = {}): Promise<string> {
    return signRequest(
      {
        clientId: DEMO_PAYMENTS_CLIENT,
        issuer: ISSUER,
        key: DEMO_PAYMENTS_KEY,
        nowMs: () => systemClock.nowMs(),
        ...signing,
      },
      signing.request ?? order,
      jti,
    );
  }

  pay(request: StepUpOrder): Promise<WorkflowHandle<typeof demoPayment>> {
    return this.bank.workflow.start<typeof demoPayment>('demoPayment', {
      // Links between the two workflows name both.
      workflowId: `payment-${randomBytes(8).toString('hex')}`,
      taskQueue: PAYMENTS_QUEUE,
      args: [{ endpoint: this.endpoint, request }],
    });
  }

  /** The operation alone, as a workflow without more awaits it. */
  ask(
    request: unknown,
    jws: unknown,
  ): Promise<WorkflowHandle<(input: unknown) => Promise<unknown>>> {
    return this.bank.workflow.start('askLatchkey', {
      workflowId: `ask-${randomBytes(8).toString('hex')}`,
      taskQueue: PAYMENTS_QUEUE,
      args: [{ endpoint: this.endpoint, input: { request, jws } }],
    });
  }

  /** Without Nexus: rows and workflow, as the API begins them. Answers when the customer may open it. */
  async begin(customer: StepUpCustomer, amount: string): Promise<string> {
    const stepUpId = await this.inTenant((tx) => asked(tx, customer, { action: payment(amount) }));
    await this.#parts.gateway.start('step_up', { tenantId: this.tenantId, id: stepUpId });
    while ((await this.opened(customer)) === undefined);
    return stepUpId;
  }

  async guess(customer: StepUpCustomer, stepUpId: string): Promise<void> {
    const code = await this.inTenant((tx) => sentCode(tx, customer, stepUpId));
    const submissionId = await this.inTenant((tx) =>
      submit(tx, customer, stepUpId, { step: 'step_up', payload: { code } }),
    );
    const handle = { submissionId, notAfterMs: systemClock.nowMs() + 30_000 };
    const id = workflowId('step_up', this.tenantId, stepUpId);
    await this.#parts.gateway.update(id, 'submitStepUpCode', [handle], submissionId);
  }

  async consume(stepUpId: string, amount: string): Promise<void> {
    const { tenantId } = this;
    await this.inTenant((tx) =>
      consumeStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        requester: PAYMENTS,
        action: payment(amount),
      }),
    );
    await this.ring(stepUpId);
  }

  /** Of the step-up's workflow, once it has closed. */
  async historySize(
    stepUpId: string,
  ): Promise<{ readonly events: number; readonly bytes: number }> {
    const id = workflowId('step_up', this.tenantId, stepUpId);
    while ((await this.#parts.gateway.describe(id)) === 'running');
    const client = new Client({ connection: this.connection, namespace: this.namespace });
    const { historyLength, historySize } = await client.workflow.getHandle(id).describe();
    return { events: historyLength, bytes: historySize ?? 0 };
  }

  /** The customer's step-up once it is open. */
  async opened({ customerId }: StepUpCustomer): Promise<string | undefined> {
    const [row] = await this.inTenant(
      (tx) => tx<{ ceremonyId: string }[]>`
        select ceremony_id from ceremony
        where customer_id = ${customerId} and kind = 'step_up' and state = 'open' limit 1`,
    );
    return row?.ceremonyId;
  }

  async approve(customer: StepUpCustomer, stepUpId: string): Promise<void> {
    const opened = await this.inTenant((tx) => show(tx, customer, stepUpId));
    const payload = approvalOf(customer, opened);
    const submissionId = await this.inTenant((tx) =>
      submit(tx, customer, stepUpId, { step: 'step_up_approval', payload }),
    );
    const handle = { submissionId, notAfterMs: systemClock.nowMs() + 30_000 };
    const id = workflowId('step_up', this.tenantId, stepUpId);
    await this.#parts.gateway.update(id, 'approveStepUp', [handle], submissionId);
  }

  /** What the relay has done; what a receipt says is its own tests' business. */
  async seal(stepUpId: string): Promise<void> {
    await this.#parts.database.tenant(
      this.tenantId,
      (tx) =>
        tx`update step_up set receipt_id = ${`of ${stepUpId}`} where step_up_id = ${stepUpId}`,
    );
  }

  async ring(stepUpId: string): Promise<void> {
    const id = workflowId('step_up', this.tenantId, stepUpId);
    await this.#parts.gateway.signal(id, 'cancel', [{ signalId: 'out_1' }]);
  }
}

async function startLatchkey(database: Database, temporal: TestTemporal): Promise<void> {
  const { gateway, native, namespace, workflows } = temporal;
  const log = { error: () => undefined };
  const answers = createStepUpAnswerStore(database, STEP_UP_TOOLS);
  const { personalData } = STEP_UP_TOOLS;
  const configuration = {
    mode: 'development',
    http: { host: '', port: 1, publicUrl: PUBLIC_URL, trustedProxies: [] },
  } as const;
  const requesters = await createNexusWorker({
    connection: native,
    namespace,
    workflows,
    identity: 'test-worker',
    buildId: undefined,
    log,
    activities: createStepUpAnswerActivities({ store: answers }),
    service: createStepUpService({ configuration, database, gateway, personalData, log }, answers),
  });
  await temporal.work({
    beside: [requesters],
    activities: {
      ceremonies: createStepUpActivities({
        store: createStepUpStore(database, STEP_UP_TOOLS),
        risk: embeddedRiskEngine,
      }),
    },
  });
}
