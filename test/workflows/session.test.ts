import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSessionActivities } from '../../activities/session.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { createSessionStore } from '../../db/session-lifecycle.ts';
import { workflowId } from '../../domain/ids.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import type { WorkerGroup } from '../../temporal/worker-group.ts';
import { buildWorkflows } from '../../temporal/workflow-bundle.ts';
import { gatewayInto, startTestWorkers } from '../setup/temporal/test-temporal.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { SessionRows } from '../setup/rows/session-rows.ts';
import type { SeededCustomer } from '../setup/customer.ts';
import {
  createTimeSkippingEnvironment,
  TIME_SKIPPING_NAMESPACE,
} from '../setup/temporal/time-skipping.ts';

const IDLE_MS = DEFAULT_POLICY.session.idleSeconds * 1_000;
const ABSOLUTE_MS = DEFAULT_POLICY.session.absoluteSeconds * 1_000;
const DAY_MS = 24 * 3_600_000;
const SECOND_MS = 1_000;

let env: TestWorkflowEnvironment;
let gateway: TemporalGateway;
let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let customer: SeededCustomer;
let workers: WorkerGroup;
let nowMs = 0;
let asked: string[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  rows = new SessionRows(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  env = await createTimeSkippingEnvironment();
  const namespace = TIME_SKIPPING_NAMESPACE;
  gateway = gatewayInto({ connection: env.connection, namespace });
  const session = createSessionActivities({ store: createSessionStore(database) });
  const place = { connection: env.nativeConnection, namespace };
  workers = await startTestWorkers(
    { ...place, workflows: await buildWorkflows() },
    {
      activities: {
        sessions: {
          askRow: async (subject: { tenantId: string; sessionId: string }) => {
            nowMs = await env.currentTimeMs();
            asked.push(subject.sessionId);
            return await session.askRow(subject);
          },
        },
      },
    },
  );
  customer = await rows.customer('demo');
});

afterAll(async () => {
  workers?.shutdown();
  await workers?.stopped;
  await env?.teardown();
  await database?.close();
  await rows?.close();
  await testDatabase?.drop();
});

beforeEach(async () => {
  asked = [];
  nowMs = await env.currentTimeMs();
});

async function login(): Promise<{ sessionId: string; workflow: string; startedAtMs: number }> {
  const startedAtMs = await env.currentTimeMs();
  const sessionId = await rows.session(customer, {
    startedAtMs,
    idleDeadlineMs: startedAtMs + IDLE_MS,
    absoluteDeadlineMs: startedAtMs + ABSOLUTE_MS,
  });
  return {
    sessionId,
    workflow: workflowId('session', customer.tenantId, sessionId),
    startedAtMs,
  };
}

const start = (sessionId: string, startDelayMs: number) =>
  gateway.start('session', { tenantId: customer.tenantId, id: sessionId, startDelayMs });

const wake = (sessionId: string) =>
  gateway.signalWithStart('session', {
    tenantId: customer.tenantId,
    id: sessionId,
    signal: 'revoked',
    args: [{ signalId: 'out_1' }],
  });

const advanceTo = async (atMs: number) => {
  await env.sleep(Math.max(0, atMs - (await env.currentTimeMs())));
};

const isClosed = (workflow: string) =>
  expect.poll(() => gateway.describe(workflow), { timeout: 20_000 }).toBe('closed');

describe('a session that nobody uses', () => {
  test('is live just before its idle deadline and expires just after it, with audit and event', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await start(sessionId, IDLE_MS + SECOND_MS);

    await advanceTo(startedAtMs + IDLE_MS - SECOND_MS);
    expect(await gateway.describe(workflow)).toBe('running');
    expect(asked).toEqual([]);
    expect(await rows.read(sessionId)).toMatchObject({ status: 'live' });

    await advanceTo(startedAtMs + IDLE_MS + 5 * SECOND_MS);
    await isClosed(workflow);
    const row = await rows.read(sessionId);
    expect(row).toMatchObject({ status: 'ended', endReason: 'expired_idle' });
    expect(row.endedAtMs).toBeGreaterThanOrEqual(startedAtMs + IDLE_MS);
    expect(row.workflowClosedAtMs).not.toBeNull();
    expect(await rows.trail(sessionId)).toEqual({
      audit: ['session.ended'],
      events: ['bank.app.session_revoked'],
    });
  });
});

describe('a session that is used', () => {
  test('wakes at its old idle deadline, finds the row moved, and waits for the new one', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await start(sessionId, IDLE_MS + SECOND_MS);
    const refreshedAtMs = startedAtMs + 10 * DAY_MS;
    await rows.refreshed(sessionId, refreshedAtMs, refreshedAtMs + IDLE_MS);

    await advanceTo(refreshedAtMs + IDLE_MS - SECOND_MS);
    expect(asked).toEqual([sessionId]);
    expect(await rows.read(sessionId)).toMatchObject({ status: 'live' });
    expect(await gateway.describe(workflow)).toBe('running');

    await advanceTo(refreshedAtMs + IDLE_MS + 5 * SECOND_MS);
    await isClosed(workflow);
    expect(asked).toEqual([sessionId, sessionId]);
    expect(await rows.read(sessionId)).toMatchObject({
      status: 'ended',
      endReason: 'expired_idle',
    });
  });

  test('outlives every idle deadline until its absolute one, just before and just after', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await start(sessionId, IDLE_MS + SECOND_MS);
    const absoluteMs = startedAtMs + ABSOLUTE_MS;
    for (const day of [20, 40, 60, 80]) {
      await advanceTo(startedAtMs + day * DAY_MS);
      const idle = Math.min(startedAtMs + day * DAY_MS + IDLE_MS, absoluteMs);
      await rows.refreshed(sessionId, startedAtMs + day * DAY_MS, idle);
    }

    await advanceTo(absoluteMs - SECOND_MS);
    expect(await rows.read(sessionId)).toMatchObject({ status: 'live' });
    expect(await gateway.describe(workflow)).toBe('running');

    await advanceTo(absoluteMs + 5 * SECOND_MS);
    await isClosed(workflow);
    expect(await rows.read(sessionId)).toMatchObject({
      status: 'ended',
      endReason: 'expired_absolute',
    });
  });
});

describe('a session that is ended', () => {
  test('while asleep closes at once when it is woken, and writes nothing itself', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await start(sessionId, IDLE_MS);
    await rows.end(sessionId, 'revoked', startedAtMs + SECOND_MS);
    expect(await wake(sessionId)).toBe('signalled');
    await isClosed(workflow);
    expect((await rows.read(sessionId)).workflowClosedAtMs).not.toBeNull();
    expect(await rows.trail(sessionId)).toEqual({ audit: [], events: [] });
    expect(await wake(sessionId)).toBe('already_closed');
  });

  test('before its workflow started is closed by the wake, and the late start is harmless', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await rows.end(sessionId, 'logged_out', startedAtMs + SECOND_MS);
    expect(await wake(sessionId)).toBe('signalled');
    await isClosed(workflow);
    expect(await start(sessionId, IDLE_MS)).toBe('already_started');
    expect(asked).toEqual([sessionId]);
  });

  test('woken although its row is live, asks and goes on waiting for its deadline', async () => {
    const { sessionId, workflow, startedAtMs } = await login();
    await start(sessionId, IDLE_MS);
    await wake(sessionId);
    await expect.poll(() => asked, { timeout: 20_000 }).toEqual([sessionId]);
    expect(await gateway.describe(workflow)).toBe('running');
    await rows.end(sessionId, 'revoked', startedAtMs + SECOND_MS);
    await wake(sessionId);
    await isClosed(workflow);
  });

  test('whose row is not there closes without a trace', async () => {
    const sessionId = 'ses_00000000000000000000000000000000';
    await start(sessionId, 0);
    await isClosed(workflowId('session', customer.tenantId, sessionId));
    expect(asked).toEqual([sessionId]);
  });
});
