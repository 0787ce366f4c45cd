/** The rotation's schedule on the real server: made once, brought up to date, begun at once, done again after a failure; and its history. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeyRotationActivities } from '../../../activities/key-rotation.ts';
import type { RotationCounts } from '../../../activities/key-rotation.ts';
import { systemClock } from '../../../adapters/clock.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { KEY_ROTATION_SCHEDULE, prepareSchedules } from '../../../temporal/schedules.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';
import { quietTemporal } from '../../setup/temporal/quiet-temporal.ts';
import { recordHistory } from '../../setup/temporal/recorded-history.ts';
import { createTestNamespace } from '../../setup/temporal.ts';

let connection: Connection;
let native: NativeConnection;
let client: Client;
let workers: readonly Worker[] = [];
let running: Promise<unknown>;
let namespace: string;
const answers: (Error | RotationCounts)[] = [];
let rounds = 0;

beforeAll(async () => {
  quietTemporal();
  const made = await createTestNamespace();
  namespace = made.namespace;
  connection = await Connection.connect({ address: made.address });
  native = await NativeConnection.connect({ address: made.address });
  const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
  client = new Client({ connection, namespace, dataConverter });
  const store = {
    rotateAll: () => {
      rounds += 1;
      const answer = answers.shift() ?? { made: 0, retired: 0 };
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
  const shared = { connection: native, namespace, identity: 'test-worker', dataConverter };
  workers = [
    await Worker.create({
      ...shared,
      taskQueue: 'ceremonies',
      workflowBundle: (await buildWorkflows()).bundle,
    }),
    await Worker.create({
      ...shared,
      taskQueue: 'vendors',
      activities: createKeyRotationActivities({ store }),
    }),
  ];
  running = Promise.all(workers.map((worker) => worker.run()));
});
afterAll(async () => {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  await running;
  await native?.close();
  await connection?.close();
});

const prepare = () =>
  prepareSchedules({ connection, namespace, identity: 'test', clock: systemClock });
const schedule = () => client.schedule.getHandle(KEY_ROTATION_SCHEDULE);
const lastRound = async () => {
  const { info } = await schedule().describe();
  return info.recentActions.at(-1)?.action.workflow.workflowId;
};

describe('the schedule of the rotation', () => {
  test('the history of its first round, which begins at once and tries again, is recorded', async () => {
    answers.push(new Error('the KMS is away'), { made: 2, retired: 1 });
    expect(await prepare()).toBe('made');
    await expect.poll(lastRound, { timeout: 30_000 }).toBeDefined();
    const workflowId = (await lastRound()) ?? '';
    const handle = client.workflow.getHandle(workflowId);
    expect(await handle.result()).toEqual({ made: 2, retired: 1 });
    expect(rounds).toBe(2);
    await recordHistory(connection, { name: 'keyRotation.rotated', namespace, workflowId });
  });

  test('is one, every hour, however many workers prepare it, and stays paused when somebody paused it', async () => {
    expect(await Promise.all([prepare(), prepare()])).toEqual([
      'brought up to date',
      'brought up to date',
    ]);
    await schedule().pause('an operator looks');
    expect(await prepare()).toBe('brought up to date');
    const { spec, state, policies } = await schedule().describe();
    expect(spec.intervals).toMatchObject([{ every: 3_600_000 }]);
    expect(policies.overlap).toBe('SKIP');
    expect(state).toMatchObject({ paused: true, note: 'an operator looks' });
  });

  test('can be found by its kind, and tells nothing', async () => {
    const found = [];
    for await (const execution of client.workflow.list({
      query: 'LatchkeyKind = "key_rotation"',
    }))
      found.push(execution.type);
    expect(found).toContain('keyRotation');
  });
});
