/**
 * Where the two lives of the step-up's part are led: a development server, Latchkey's own Workers with its stores behind them, and the bare
 * workflow's Worker, in this process. PostgreSQL is the bench's. The API is asked nothing here, so its core is the server's.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { createStepUpActivities } from '../../activities/step-up.ts';
import { systemClock } from '../../adapters/clock.ts';
import { newId } from '../../adapters/random.ts';
import { embeddedRiskEngine } from '../../adapters/risk/embedded.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { createOutboxPort } from '../../db/outbox-port.ts';
import { backoffMs } from '../../db/outbox.ts';
import type { ClaimedRow } from '../../db/outbox.ts';
import { createStepUpStore } from '../../db/step-up-store.ts';
import { noFailPoint } from '../../domain/fail-point.ts';
import type { StepUpSubject } from '../../domain/step-up.ts';
import { startLoop } from '../../relay/loop.ts';
import type { Loop } from '../../relay/loop.ts';
import { relayRound } from '../../relay/relay.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { findTemporal } from '../../runtime/temporal-finder.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import { createTemporalGateway } from '../../temporal/client.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { prepareNamespace } from '../../temporal/namespace.ts';
import { startWorkerGroup } from '../../temporal/worker-group.ts';
import { buildWorkflows } from '../../temporal/workflow-bundle.ts';
import { createRelayTally } from '../../test/setup/relay-tally.ts';
import { STEP_UP_TOOLS } from '../../test/setup/step-ups.ts';
import { moveToApiCore } from '../cores.ts';
import type { Bench } from './part.ts';

const NAMESPACE = 'latchkey';
export const BARE_QUEUE = 'bare';
const WORKFLOWS = fileURLToPath(new URL('bare-step-up.ts', import.meta.url));
const MASTER = { kid: 'k1', key: new Uint8Array(32).fill(7) };

export interface Ground {
  readonly database: Database;
  readonly gateway: TemporalGateway;
  readonly client: Client;
  readonly tenantId: string;
  /** Who waits for a workflow to have begun, by its id. */
  readonly begun: Map<string, () => void>;
}

/** Answers how to leave it, too. */
export async function standOn(
  bench: Bench,
): Promise<{ readonly ground: Ground; readonly close: () => Promise<void> }> {
  const { executable } = await findTemporal({ onProgress: () => undefined });
  const server = await startTemporalServer({
    executable,
    port: await findFreePort(),
    namespace: NAMESPACE,
    databaseFile: join(bench.bed.directory, 'step-up.db'),
  });
  await moveToApiCore(bench.bed.cores, server.process.pid);
  const closing: (() => Promise<unknown>)[] = [() => server.process.kill()];
  const close = async () => {
    for (const end of closing.toReversed()) await end();
  };
  try {
    return { ground: await prepare(bench, server.address, closing), close };
  } catch (error) {
    await close();
    throw error;
  }
}

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
      vendors: {},
    },
  });
  closing.push(() => {
    group.shutdown();
    return group.stopped;
  });
  const receipts = startReceipts(database);
  closing.push(() => receipts.stop());
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

/** The relay's lane that has receipts made, beside the load as in a worker. The other lanes have nobody to deliver to here. */
function startReceipts(database: Database): Loop {
  const metrics = createRelayTally();
  const outbox = createOutboxPort(database, { claimer: 'bench', leaseMs: 30_000 });
  const deliver = async (tenantId: string, row: ClaimedRow) => {
    if (row.topic !== 'receipt.seal') return;
    await noteReceipt(database, { tenantId, stepUpId: row.payload.stepUpId });
  };
  const log = { info: silent, warn: silent, error: silent };
  const relay = { outbox, deliver, backoffMs, metrics, log, failPoint: noFailPoint };
  return startLoop({ name: 'relay.receipts', everyMs: 100, metrics, log }, () =>
    relayRound(relay, 'receipts'),
  );
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

const silent = () => undefined;
const quiet = {
  log: silent,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
};
