import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTimeSkippingEnvironment } from '../setup/temporal/time-skipping.ts';

const THIRTY_DAYS_MS = 30 * 24 * 60 * 60 * 1000;

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await createTimeSkippingEnvironment();
});
afterAll(() => environment.teardown());

test('a timer of thirty days passes at once, and the server says what time it is then', async () => {
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: 'timers',
    workflowsPath: fileURLToPath(new URL('workflows/long-timer.ts', import.meta.url)),
  });
  const before = await environment.currentTimeMs();
  const startedMs = performance.now();
  await worker.runUntil(
    environment.client.workflow.execute('longTimer', {
      workflowId: 'timer/1',
      taskQueue: 'timers',
      args: [THIRTY_DAYS_MS],
    }),
  );
  expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(THIRTY_DAYS_MS);
  expect(performance.now() - startedMs).toBeLessThan(60_000);
});
