/**
 * A payment from its request to its use, beside a bare workflow with as many local activities and updates on the same server in the same run.
 * Rows and workflows as the API drives them; HTTP and the check of the signatures are left out on both sides.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { createReceiptActivities } from '../../activities/receipt.ts';
import { createStepUpActivities } from '../../activities/step-up.ts';
import { systemClock } from '../../adapters/clock.ts';
import { newId } from '../../adapters/random.ts';
import { embeddedRiskEngine } from '../../adapters/risk/embedded.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database, Tx } from '../../db/connection.ts';
import { consumeStepUp } from '../../db/step-up-consume.ts';
import { createStepUpStore } from '../../db/step-up-store.ts';
import { workflowId } from '../../domain/ids.ts';
import type { StepUpSubject } from '../../domain/step-up.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { findTemporal } from '../../runtime/temporal-finder.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import { createTemporalGateway } from '../../temporal/client.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { prepareNamespace } from '../../temporal/namespace.ts';
import { startWorkerGroup } from '../../temporal/worker-group.ts';
import { buildWorkflows } from '../../temporal/workflow-bundle.ts';
import {
  approvalOf,
  asked,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../../test/setup/step-ups.ts';
import type { StepUpCustomer } from '../../test/setup/step-ups.ts';
import { median, medianRatio, percentile } from '../statistics.ts';
import type { Bench, Part, Row } from './part.ts';

const NAMESPACE = 'latchkey';
const BARE_QUEUE = 'bare';
const LANES = 4;
/** More than a round can use up. */
const CUSTOMERS_A_SECOND = 60;
const WORKFLOWS = fileURLToPath(new URL('bare-step-up.ts', import.meta.url));
const MASTER = { kid: 'k1', key: new Uint8Array(32).fill(7) };

interface Ground {
  readonly database: Database;
  readonly gateway: TemporalGateway;
  readonly client: Client;
  readonly tenantId: string;
  /** Who waits for a workflow to have begun, by its id. */
  readonly begun: Map<string, () => void>;
}

/** From one request to its use, in milliseconds. */
type Life = (ground: Ground, customer: StepUpCustomer) => Promise<string>;

export const stepUp: Part = async (bench) => {
  const { executable } = await findTemporal({ onProgress: () => undefined });
  const server = await startTemporalServer({
    executable,
    port: await findFreePort(),
    namespace: NAMESPACE,
    databaseFile: join(bench.bed.directory, 'step-up.db'),
  });
  const closing: (() => Promise<unknown>)[] = [() => server.process.kill()];
  try {
    const ground = await prepare(bench, server.address, closing);
    return await measure(bench, ground);
  } finally {
    for (const close of closing.toReversed()) await close();
  }
};

async function prepare(
  { bed }: Bench,
  address: string,
  closing: (() => Promise<unknown>)[],
): Promise<Ground> {
  const { tenantId } = bed;
  const connection = await Connection.connect({ address });
  await prepareNamespace(connection, {
    namespace: NAMESPACE,
    signal: AbortSignal.timeout(30_000),
  });
  const native = await NativeConnection.connect({ address });
  const database = connectDatabase({ url: bed.postgres.applicationUrl() });
  closing.push(
    () => connection.close(),
    () => native.close(),
    () => database.close(),
  );
  const dataConverter = createDataConverter({ namespace: NAMESPACE, keys: [MASTER] });
  const common = { connection: native, namespace: NAMESPACE, identity: 'bench' };
  const begun = new Map<string, () => void>();
  const tell = (id: string) => {
    begun.get(id)?.();
    begun.delete(id);
  };
  const store = createStepUpStore(database, STEP_UP_TOOLS);
  const activities = createStepUpActivities({ store, risk: embeddedRiskEngine });
  const group = await startWorkerGroup({
    ...common,
    workflows: await buildWorkflows(),
    dataConverter,
    buildId: undefined,
    log: { error: () => undefined },
    activities: {
      sessions: {},
      revocations: {},
      ceremonies: {
        ...activities,
        advanceStepUp: async (request: Parameters<typeof activities.advanceStepUp>[0]) => {
          const answer = await activities.advanceStepUp(request);
          tell(request.stepUpId);
          return answer;
        },
      },
      vendors: createReceiptActivities({
        store: { seal: (subject) => noteReceipt(database, subject) },
      }),
    },
  });
  closing.push(() => {
    group.shutdown();
    return group.stopped;
  });
  closing.push(await startBareWorker({ ...common, dataConverter }, tell));
  const identity = 'bench-client';
  const gateway = createTemporalGateway({
    connection,
    namespace: NAMESPACE,
    dataConverter,
    identity,
    clock: systemClock,
  });
  const client = new Client({ connection, namespace: NAMESPACE, dataConverter, identity });
  return { database, gateway, client, tenantId, begun };
}

/** Signing one is the receipts' own cost, and nobody waits for it. */
async function noteReceipt(
  database: Database,
  { tenantId, stepUpId }: StepUpSubject,
): Promise<string> {
  const receiptId = newId('receipt');
  await database.tenant(
    tenantId,
    (tx) => tx`update step_up set receipt_id = ${receiptId} where step_up_id = ${stepUpId}`,
  );
  return receiptId;
}

/** Answers how to stop it. */
async function startBareWorker(
  common: Pick<WorkerOptions, 'connection' | 'namespace' | 'identity' | 'dataConverter'>,
  tell: (id: string) => void,
): Promise<() => Promise<void>> {
  const bare = await Worker.create({
    ...common,
    taskQueue: BARE_QUEUE,
    workflowBundle: await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: quiet }),
    activities: {
      nothing: () => Promise.resolve(null),
      opened: (id: string) => {
        tell(id);
        return Promise.resolve(null);
      },
    },
  });
  const running = bare.run();
  return () => {
    bare.shutdown();
    return running;
  };
}

async function measure({ size, say }: Bench, ground: Ground): Promise<readonly Row[]> {
  const ours: number[][] = [];
  const bares: number[][] = [];
  const seconds = Math.max(size.seconds, 3);
  let last = '';
  for (let round = 0; round < size.rounds; round += 1) {
    const customers = await seed(ground, seconds * CUSTOMERS_A_SECOND);
    bares.push((await run(ground, bareLife, { seconds, customers: [...customers] })).latenciesMs);
    const seen = await run(ground, ceremony, { seconds, customers });
    ours.push(seen.latenciesMs);
    last = seen.last;
    say(`round ${String(round + 1)} of ${String(size.rounds)}`);
  }
  const { events, bytes } = await historyOf(ground, last);
  const at = (rounds: readonly (readonly number[])[], share: number) =>
    rounds.map((latencies) => percentile(latencies, share));
  const perSecond = (rounds: readonly (readonly number[])[]) =>
    rounds.map((latencies) => latencies.length / seconds);
  const said = (rounds: readonly (readonly number[])[], share: number) =>
    `${median(at(rounds, share)).toFixed(1)} ms, ${median(perSecond(rounds)).toFixed(1)}/s`;
  const latency = (name: string, share: number): Row => ({
    figure: `step-up, create → approve → consume, ${name}`,
    measured: said(ours, share),
    baseline: `${said(bares, share)} bare`,
    value: medianRatio(at(ours, share), at(bares, share)),
    unit: 'ratio',
    target: { bound: 'at most', value: 1.5 },
    seen: {
      ours: at(ours, share),
      bare: at(bares, share),
      oursPerSecond: perSecond(ours),
      barePerSecond: perSecond(bares),
    },
  });
  return [
    latency('p50', 0.5),
    latency('p99', 0.99),
    {
      figure: `events a step-up (${String(bytes)} bytes)`,
      measured: String(events),
      baseline: '–',
      value: events,
      unit: 'events',
      target: { bound: 'at most', value: 40 },
      seen: { events, bytes },
    },
  ];
}

/** One after the other in each lane, for so long. */
async function run(
  ground: Ground,
  life: Life,
  { seconds, customers }: { readonly seconds: number; readonly customers: StepUpCustomer[] },
): Promise<{ readonly latenciesMs: number[]; readonly last: string }> {
  const latenciesMs: number[] = [];
  const endsAtMs = performance.now() + seconds * 1000;
  let last = '';
  const lane = async () => {
    while (performance.now() < endsAtMs) {
      const customer = customers.pop();
      if (customer === undefined) return;
      const startedAtMs = performance.now();
      last = await life(ground, customer);
      latenciesMs.push(performance.now() - startedAtMs);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { latenciesMs, last };
}

async function seed({ database, tenantId }: Ground, count: number): Promise<StepUpCustomer[]> {
  const customers: StepUpCustomer[] = [];
  while (customers.length < count) {
    const some = Array.from({ length: 8 }, () =>
      database.tenant(tenantId, (tx) => insertStepUpCustomer(tx, tenantId)),
    );
    customers.push(...(await Promise.all(some)));
  }
  return customers;
}

/** Resolves once the workflow's first activity is done. */
function whenBegun({ begun }: Ground, id: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  begun.set(id, resolve);
  return promise;
}

const ceremony: Life = async (ground, customer) => {
  const { database, gateway, tenantId } = ground;
  const inTenant = <T>(work: (tx: Tx) => Promise<T>) => database.tenant(tenantId, work);
  const stepUpId = await inTenant((tx) => asked(tx, customer));
  const isOpen = whenBegun(ground, stepUpId);
  await gateway.start('step_up', { tenantId, id: stepUpId });
  await isOpen;
  const opened = await inTenant((tx) => show(tx, customer, stepUpId));
  const submissionId = await inTenant((tx) =>
    submit(tx, customer, stepUpId, {
      step: 'step_up_approval',
      payload: approvalOf(customer, opened),
    }),
  );
  const handle = { submissionId, notAfterMs: systemClock.nowMs() + 30_000 };
  const id = workflowId('step_up', tenantId, stepUpId);
  await gateway.update(id, 'approveStepUp', [handle], submissionId);
  const use = { tenantId, stepUpId, requester: PAYMENTS, action: payment('400.00') };
  await inTenant((tx) => consumeStepUp(tx, STEP_UP_TOOLS, use));
  await gateway.signal(id, 'cancel', [{ signalId: stepUpId }]);
  return id;
};

const bareLife: Life = async (ground) => {
  const { client } = ground;
  const id = newId('request');
  const isBegun = whenBegun(ground, id);
  const handle = await client.workflow.start('bareStepUp', {
    workflowId: id,
    taskQueue: BARE_QUEUE,
    args: [{ id }],
  });
  await isBegun;
  await handle.executeUpdate('approve');
  await handle.signal('end');
  return id;
};

async function historyOf(
  { client, gateway }: Ground,
  id: string,
): Promise<{ events: number; bytes: number }> {
  while ((await gateway.describe(id)) === 'running');
  const { historyLength, historySize } = await client.workflow.getHandle(id).describe();
  return { events: historyLength, bytes: historySize ?? 0 };
}

const silent = () => undefined;
const quiet = {
  log: silent,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
};
