import { Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { createRevocationActivities } from '../../../activities/revocation.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';
import { quietTemporal } from '../../setup/temporal/quiet-temporal.ts';
import { createTestNamespace } from '../../setup/temporal.ts';

type Activities = ReturnType<typeof createRevocationActivities>;

let connection: Connection;
let native: NativeConnection;
let worker: Worker;
let running: Promise<void>;
let gateway: TemporalGateway;
let namespace: string;
let stragglers: number[] = [];
let confirmations: boolean[] = [];

beforeAll(async () => {
  quietTemporal();
  const test = await createTestNamespace();
  namespace = test.namespace;
  connection = await Connection.connect({ address: test.address });
  native = await NativeConnection.connect({ address: test.address });
  const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
  const nothing = () => Promise.resolve();
  const activities: Activities = {
    endRows: () => Promise.resolve({ secondListingMs: 50, alarmMs: 50 }),
    endStragglers: () => Promise.resolve({ stragglers: stragglers.shift() ?? 0 }),
    wakeWorkflows: nothing,
    sealReceipt: nothing,
    confirmClosed: () => Promise.resolve({ closed: confirmations.shift() ?? true }),
    raiseAlarm: nothing,
    markRevocationClosed: nothing,
  };
  worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: 'revocations',
    identity: 'test-worker',
    workflowBundle: (await buildWorkflows()).bundle,
    dataConverter,
    activities,
  });
  running = worker.run();
  gateway = createTemporalGateway({
    connection,
    namespace,
    dataConverter,
    identity: 'test-client',
    clock: systemClock,
  });
});

afterAll(async () => {
  if (worker?.getState() === 'RUNNING') worker.shutdown();
  await running;
  await native?.close();
  await connection?.close();
});

describe('the history of a revocation on the real server', () => {
  test.each([
    { name: 'sealed', found: [], closed: [] },
    { name: 'stragglers-and-alarm', found: [2], closed: [false] },
  ])('closes by itself and is recorded: $name', async ({ name, found, closed }) => {
    stragglers = found;
    confirmations = closed;
    const workflowId = `revocation/ten_1/${name}`;
    expect(await gateway.start('revocation', { tenantId: 'ten_1', id: name })).toBe('started');
    await expect.poll(() => gateway.describe(workflowId), { timeout: 30_000 }).toBe('closed');
    // Without the ending: recorded before its state could be searched for.
    const recorded = `revocation.${name}-state-in-search`;
    await recordHistory(connection, { name: recorded, namespace, workflowId });
    const { workflowExecutionInfo } = await connection.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId },
    });
    // COMPLETED
    expect(workflowExecutionInfo?.status).toBe(2);
    const state = workflowExecutionInfo?.searchAttributes?.indexedFields?.['LatchkeyState'];
    expect(Buffer.from(state?.data ?? []).toString()).toBe('"closed"');
  });
});
