/** The demo bank's own worker: a queue of the bank's, without Latchkey's payload keys. It must never run in production. */
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { createPaymentActivities } from './payment-activities.ts';
import type { PaymentActivityOptions } from './payment-activities.ts';

export const PAYMENTS_QUEUE = 'demo-payments';

const WORKFLOWS = fileURLToPath(new URL('payment-workflow.ts', import.meta.url));
const silent = () => undefined;
const quiet = {
  log: silent,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
};

export interface PaymentWorker {
  stop(): Promise<void>;
}

export async function startPaymentWorker(
  options: PaymentActivityOptions & {
    readonly connection: NativeConnection;
    readonly namespace: string;
  },
): Promise<PaymentWorker> {
  const { connection, namespace } = options;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: PAYMENTS_QUEUE,
    identity: 'demo-payments',
    workflowBundle: await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: quiet }),
    activities: createPaymentActivities(options),
    shutdownGraceTime: 5_000,
  });
  const running = worker.run();
  // A Temporal that was stopped for good takes the worker with it, not whoever started it; `stop` tells.
  running.catch(() => undefined);
  return {
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}
