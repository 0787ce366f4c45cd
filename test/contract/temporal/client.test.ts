import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { findFreePort } from '../../../runtime/ports.ts';
import { startTemporalServer } from '../../../runtime/temporal-server.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import { connectTemporal } from '../../../temporal/connection.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import { historyText } from '../../setup/temporal/history-text.ts';
import { TEST_PAYLOAD_KEYS } from '../../setup/payload-keys.ts';
import { quietTemporal } from '../../setup/temporal/quiet-temporal.ts';
import { createTestNamespace } from '../../setup/temporal.ts';

const gatewayOf = (connection: Connection, namespace: string): TemporalGateway =>
  createTemporalGateway({
    connection,
    namespace,
    dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
    identity: 'test-client',
    clock: systemClock,
  });

const elapsedMs = async (work: () => Promise<unknown>): Promise<number> => {
  const beganAt = performance.now();
  await work();
  return performance.now() - beganAt;
};

describe('the gateway against a server that is there', () => {
  let connection: Connection;
  let native: NativeConnection;
  let gateway: TemporalGateway;
  let namespace: string;
  let worker: Worker;
  let running: Promise<void>;

  beforeAll(async () => {
    quietTemporal();
    const test = await createTestNamespace();
    namespace = test.namespace;
    connection = await Connection.connect({ address: test.address });
    native = await NativeConnection.connect({ address: test.address });
    gateway = gatewayOf(connection, namespace);
    const fixture = new URL('fixtures/workflows.ts', import.meta.url);
    worker = await Worker.create({
      connection: native,
      namespace,
      taskQueue: 'ceremonies',
      identity: 'test-worker',
      workflowBundle: (await buildWorkflows(fileURLToPath(fixture))).bundle,
      dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
    });
    running = worker.run();
  });

  afterAll(async () => {
    if (worker?.getState() === 'RUNNING') worker.shutdown();
    await running;
    await native?.close();
    await connection?.close();
  });

  const begin = async (id: string): Promise<string> => {
    await gateway.start('enrollment', { tenantId: 'ten_1', id });
    return `enrollment/ten_1/${id}`;
  };
  const answer = (workflow: string, how: string, updateId: string) =>
    gateway.update<string>(workflow, 'answer', [{ how }], updateId);

  test('starts once and says so, however often it is asked', async () => {
    expect(await gateway.start('enrollment', { tenantId: 'ten_1', id: 'once' })).toBe('started');
    expect(await gateway.start('enrollment', { tenantId: 'ten_1', id: 'once' })).toBe(
      'already_started',
    );
    await gateway.signal('enrollment/ten_1/once', 'end', [{ signalId: 'out_1' }]);
    await expect.poll(() => gateway.describe('enrollment/ten_1/once')).toBe('closed');
    expect(await gateway.start('enrollment', { tenantId: 'ten_1', id: 'once' })).toBe(
      'already_started',
    );
  });

  test('answers what the update answered, the same for the same id', async () => {
    const workflow = await begin('answers');
    expect(await answer(workflow, 'plainly', 'u1')).toBe('answered plainly');
    // Measured: the same id with other arguments silently gives the old result. Callers compare keys and bodies first.
    expect(await answer(workflow, 'otherwise', 'u1')).toBe('answered plainly');
  });

  test('gives a refusal back as its code with its public members', async () => {
    const workflow = await begin('refuses');
    await expect(answer(workflow, 'refuse', 'u1')).rejects.toMatchObject({
      code: 'wrong_code',
      extra: { attemptsLeft: 2 },
    });
    await expect(answer(workflow, 'too many', 'u2')).rejects.toMatchObject({
      code: 'too_many_updates',
    });
    expect(await answer(workflow, 'plainly', 'u3')).toBe('answered plainly');
  });

  test('says that the outcome is not known when the answer takes longer than its deadline', async () => {
    const workflow = await begin('hangs');
    const waitedMs = await elapsedMs(() =>
      expect(answer(workflow, 'hang', 'u1')).rejects.toMatchObject({
        code: 'outcome_pending',
        retryAfterSeconds: expect.any(Number),
      }),
    );
    expect(waitedMs).toBeLessThan(4_500);
    await gateway.signal(workflow, 'end', [{ signalId: 'out_1' }]);
    expect(await answer(workflow, 'hang', 'u1')).toBe('answered hang');
    expect(await gateway.describe(workflow)).toBe('closed');
  });

  test('says that a ceremony has ended when its workflow is closed, gone, or completes under the update', async () => {
    const workflow = await begin('ends');
    await expect(answer(workflow, 'end', 'u1')).rejects.toMatchObject({ code: 'ceremony_ended' });
    await expect(answer(workflow, 'plainly', 'u2')).rejects.toMatchObject({
      code: 'ceremony_ended',
    });
    await expect(answer('enrollment/ten_1/never', 'plainly', 'u3')).rejects.toMatchObject({
      code: 'ceremony_ended',
    });
  });

  test('tells a signal that found nobody from one that arrived, and a missing workflow from a closed one', async () => {
    const workflow = await begin('signalled');
    expect(await gateway.signal(workflow, 'end', [{ signalId: 'out_1' }])).toBe('signalled');
    await expect.poll(() => gateway.describe(workflow)).toBe('closed');
    expect(await gateway.signal(workflow, 'end', [{ signalId: 'out_2' }])).toBe('not_found');
    expect(await gateway.signal('enrollment/ten_1/never', 'end', [])).toBe('not_found');
    expect(await gateway.describe('enrollment/ten_1/never')).toBe('missing');
  });

  test('leaves no message of a failure in clear, only its type', async () => {
    const workflow = await begin('fails');
    await gateway.signal(workflow, 'fail', [{ signalId: 'out_1' }]);
    await expect.poll(() => gateway.describe(workflow)).toBe('closed');
    const text = await historyText(connection, { namespace, workflowId: workflow });
    expect(text).toContain('binary/encrypted');
    expect(text).toContain('a_code');
    expect(text).not.toContain('nobody may read');
    expect(text).not.toContain('a detail');
    expect(text).not.toContain('out_1');
  });
});

describe('the gateway against a server that is not there', () => {
  test('answers within its deadline, then at once while the breaker is open', async () => {
    const connection = connectTemporal({
      address: `127.0.0.1:${await findFreePort()}`,
      tls: false,
    });
    const gateway = gatewayOf(connection, 'latchkey');
    const unavailable = { code: 'temporal_unavailable', retryAfterSeconds: expect.any(Number) };
    expect(await gateway.healthy()).toBe(false);
    for (let call = 0; call < 3; call += 1) {
      const waitedMs = await elapsedMs(() =>
        expect(gateway.describe('session/ten_1/ses_1')).rejects.toMatchObject(unavailable),
      );
      expect(waitedMs).toBeLessThan(3_500);
    }
    const waitedMs = await elapsedMs(() =>
      expect(gateway.start('enrollment', { tenantId: 'ten_1', id: 'a' })).rejects.toMatchObject(
        unavailable,
      ),
    );
    expect(waitedMs).toBeLessThan(100);
    await gateway.close();
  });

  test('opens the breaker for updates too, whose own error says only that the outcome is not known', async () => {
    const connection = connectTemporal({
      address: `127.0.0.1:${await findFreePort()}`,
      tls: false,
    });
    const gateway = gatewayOf(connection, 'latchkey');
    const update = () =>
      gateway.update('enrollment/ten_1/a', 'answer', [{}], 'u1').catch((error: unknown) => error);
    const codes = /^(outcome_pending|temporal_unavailable)$/;
    expect(await update()).toMatchObject({ code: expect.stringMatching(codes) });
    await expect
      .poll(() => elapsedMs(update), { timeout: 30_000, message: 'refused at once' })
      .toBeLessThan(50);
    expect(await update()).toMatchObject({ code: 'temporal_unavailable' });
    await gateway.close();
  });

  test('closes the breaker again when the server has come back', async () => {
    quietTemporal();
    const port = await findFreePort();
    const connection = connectTemporal({ address: `127.0.0.1:${port}`, tls: false });
    const gateway = gatewayOf(connection, 'latchkey');
    for (let call = 0; call < 3; call += 1) {
      await expect(gateway.describe('session/ten_1/ses_1')).rejects.toThrow('temporal_unavailable');
    }
    const { temporalExecutable: executable } = inject('servers');
    const server = await startTemporalServer({ executable, port, namespace: 'latchkey' });
    await expect
      .poll(() => gateway.describe('session/ten_1/ses_1').catch(() => 'down'), { timeout: 30_000 })
      .toBe('missing');
    expect(await gateway.healthy()).toBe(true);
    await gateway.close();
    await server.stop();
  });
});
