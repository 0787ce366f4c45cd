/**
 * Payments that a workflow of the demo bank makes: it awaits the customer's approval through Nexus, in a namespace of the bank's own. Nothing of it runs
 * until somebody at the stage wants one. It must never be started beside a Temporal that is not the demo's.
 */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { DEMO_PAYMENTS_CLIENT } from '../db/bootstrap.ts';
import type { Clock } from '../domain/clock.ts';
import { prepareNamespace } from '../temporal/namespace.ts';
import { prepareNexusEndpoint } from '../temporal/nexus-endpoints.ts';
import { actionOf } from './demo-payment.ts';
import type { PaymentOrder } from './demo-payment.ts';
import { PAYMENTS_QUEUE, startPaymentWorker } from './demo-payments/payment-worker.ts';
import type { demoPayment } from './demo-payments/payment-workflow.ts';
import type { Requester } from './demo-requester.ts';
import { DEMO_PAYMENTS_KEY } from './demo-secrets.ts';

const PREPARE_TIMEOUT_MS = 30_000;
const ORDER: Omit<PaymentOrder, 'paymentId'> = {
  amount: '400.00',
  currency: 'NZD',
  payee: 'Mere Roofing Ltd',
  account: '99-0451-0098231-00',
  reference: 'Invoice 2217',
};

export interface WorkflowStanding {
  readonly workflowId: string;
  readonly namespace: string;
  readonly status: 'running' | 'completed' | 'failed';
}

export interface DemoWorkflows {
  pay(customerId: string): Promise<WorkflowStanding>;
  /** The customer's latest. */
  of(customerId: string): Promise<WorkflowStanding | undefined>;
  forget(customerId: string): void;
  stop(): Promise<void>;
}

export interface DemoWorkflowsOptions {
  readonly address: string;
  /** Latchkey's. */
  readonly namespace: string;
  readonly issuer: string;
  readonly requester: Requester;
  readonly clock: Clock;
}

interface Running {
  readonly client: Client;
  stop(): Promise<void>;
}

export function createDemoWorkflows(options: DemoWorkflowsOptions): DemoWorkflows {
  const namespace = `${options.namespace}-bank`;
  const endpoint = `${options.namespace}-demo-payments`;
  const latest = new Map<string, string>();
  let running: Promise<Running> | undefined;
  const started = (): Promise<Running> => {
    running ??= start(options, { namespace, endpoint }).catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
  return {
    pay: async (customerId) => {
      const { client } = await started();
      const workflowId = `payment-${randomUUID()}`;
      const request = { customerId, action: actionOf({ ...ORDER, paymentId: '' }), locale: 'en' };
      await client.workflow.start<typeof demoPayment>('demoPayment', {
        workflowId,
        taskQueue: PAYMENTS_QUEUE,
        args: [{ endpoint, request: { ...request, reference: workflowId } }],
      });
      latest.set(customerId, workflowId);
      return { workflowId, namespace, status: 'running' };
    },
    of: async (customerId) => {
      const workflowId = latest.get(customerId);
      if (workflowId === undefined || running === undefined) return undefined;
      const { client } = await running;
      return { workflowId, namespace, status: await statusOf(client, workflowId) };
    },
    forget: (customerId) => {
      latest.delete(customerId);
    },
    stop: async () => {
      const parts = await running?.catch(() => undefined);
      await parts?.stop();
    },
  };
}

async function start(
  { address, issuer, requester, clock, ...ours }: DemoWorkflowsOptions,
  { namespace, endpoint }: { readonly namespace: string; readonly endpoint: string },
): Promise<Running> {
  const connection = await Connection.connect({ address });
  await prepareNamespace(connection, {
    namespace,
    signal: AbortSignal.timeout(PREPARE_TIMEOUT_MS),
  });
  await prepareNexusEndpoint(connection, { name: endpoint, namespace: ours.namespace });
  const native = await NativeConnection.connect({ address });
  const worker = await startPaymentWorker({
    connection: native,
    namespace,
    clientId: DEMO_PAYMENTS_CLIENT,
    issuer,
    key: DEMO_PAYMENTS_KEY,
    nowMs: () => clock.nowMs(),
    requester,
  });
  return {
    client: new Client({ connection, namespace }),
    stop: async () => {
      await worker.stop();
      await native.close();
      await connection.close();
    },
  };
}

async function statusOf(client: Client, workflowId: string): Promise<WorkflowStanding['status']> {
  const handle = client.workflow.getHandle<typeof demoPayment>(workflowId);
  const { status } = await handle.describe();
  if (status.name === 'RUNNING') return 'running';
  if (status.name !== 'COMPLETED') return 'failed';
  return (await handle.result()).status === 'paid' ? 'completed' : 'failed';
}
