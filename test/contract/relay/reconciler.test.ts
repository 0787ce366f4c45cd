import { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../adapters/clock.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createLeadership } from '../../../db/leadership.ts';
import type { Leadership } from '../../../db/leadership.ts';
import { createReconciliationPort } from '../../../db/reconciliation-port.ts';
import { createSessionStore } from '../../../db/session-lifecycle.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { workflowId } from '../../../domain/ids.ts';
import { startKind } from '../../../relay/kinds.ts';
import type { WorkflowCalls } from '../../../relay/kinds.ts';
import { createRelayTally } from '../../setup/relay-tally.ts';
import type { RelayTally } from '../../setup/relay-tally.ts';
import { createReconciler } from '../../../relay/reconciler.ts';
import type { ReconcilerOptions } from '../../../relay/reconciler.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createSessionTemporal } from '../../setup/beds/session-workers.ts';
import type { SessionTemporal } from '../../setup/beds/session-workers.ts';

const HOUR_MS = 3_600_000;

let testDatabase: TestDatabase;
let database: Database;
let leadership: Leadership;
let rows: SessionRows;
let customer: SeededCustomer;
let temporal: SessionTemporal;
let metrics: RelayTally;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl });
  leadership = createLeadership(testDatabase.applicationUrl);
  rows = new SessionRows(testDatabase);
  customer = await rows.customer('demo');
  temporal = await createSessionTemporal();
  await temporal.work({ store: createSessionStore(database) });
});

afterAll(async () => {
  await temporal?.close();
  await rows?.close();
  await leadership?.close();
  await database?.close();
  await testDatabase?.drop();
});

beforeEach(async () => {
  metrics = createRelayTally();
  // Only the session of the test at hand is looked at.
  await rows.sql`update session set workflow_closed_at = now() where workflow_closed_at is null and status = 'ended'`;
});

const options = (overrides: Partial<ReconcilerOptions> = {}): ReconcilerOptions => ({
  rows: createReconciliationPort(database),
  calls: temporal.gateway,
  leadership,
  clock: systemClock,
  metrics,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  settledMs: 0,
  ...overrides,
});

async function login(): Promise<string> {
  const now = Date.now();
  return await rows.session(customer, {
    startedAtMs: now - 1_000,
    idleDeadlineMs: now + HOUR_MS,
    absoluteDeadlineMs: now + 2 * HOUR_MS,
  });
}

const workflow = (id: string, healCount = 0) =>
  workflowId('session', customer.tenantId, id, healCount);
const subject = (id: string) => ({
  tenantId: customer.tenantId,
  id,
  healCount: 0,
  customerId: customer.customerId,
  dueAtMs: Date.now() + HOUR_MS,
});
const start = (id: string) => startKind(temporal.gateway, 'session', subject(id), Date.now());
const terminate = (id: string) =>
  new Client({ connection: temporal.connection, namespace: temporal.namespace }).workflow
    .getHandle(id)
    .terminate('lost');

describe('a row that is open', () => {
  test('is left alone while its workflow is there', async () => {
    const id = await login();
    await start(id);
    await createReconciler(options()).reconcileOnce();
    expect(metrics.counts).toMatchObject({ missing: 0, open: 0, markedClosed: 0 });
    expect((await rows.read(id)).healCount).toBe(0);
    await rows.end(id, 'revoked', Date.now());
    await createReconciler(options()).reconcileOnce();
    await expect.poll(() => temporal.gateway.describe(workflow(id))).toBe('closed');
  });

  test('gets a numbered successor when its workflow was never started, and only one', async () => {
    const id = await login();
    await createReconciler(options()).reconcileOnce();
    await createReconciler(options()).reconcileOnce();
    expect(await temporal.gateway.describe(workflow(id))).toBe('missing');
    expect(await temporal.gateway.describe(workflow(id, 1))).toBe('running');
    expect(await temporal.gateway.describe(workflow(id, 2))).toBe('missing');
    expect((await rows.read(id)).healCount).toBe(1);
    expect(metrics.counts.missing).toBe(1);
    await rows.end(id, 'revoked', Date.now());
  });

  test('gets a successor when its workflow was terminated, and that one expires it', async () => {
    const id = await login();
    await start(id);
    await terminate(workflow(id));
    await createReconciler(options()).reconcileOnce();
    expect(await temporal.gateway.describe(workflow(id, 1))).toBe('running');
    await rows.end(id, 'logged_out', Date.now());
    await createReconciler(options()).reconcileOnce();
    await expect.poll(() => temporal.gateway.describe(workflow(id, 1))).toBe('closed');
    expect((await rows.read(id)).workflowClosedAtMs).not.toBeNull();
  });

  test('is healed under the next number when a start was lost between the count and the call', async () => {
    const id = await login();
    const dies: WorkflowCalls = {
      ...temporal.gateway,
      start: () => Promise.reject(new LatchkeyError('temporal_unavailable')),
    };
    await createReconciler(options({ calls: dies })).reconcileOnce();
    expect((await rows.read(id)).healCount).toBe(1);
    await createReconciler(options()).reconcileOnce();
    expect(await temporal.gateway.describe(workflow(id, 2))).toBe('running');
    await rows.end(id, 'revoked', Date.now());
  });

  test('is given time to be started before it counts as lost', async () => {
    const id = await login();
    await createReconciler(options({ settledMs: 60_000 })).reconcileOnce();
    expect((await rows.read(id)).healCount).toBe(0);
    await rows.end(id, 'revoked', Date.now());
  });
});

describe('a row that has ended', () => {
  test('wakes its workflow when that still sleeps', async () => {
    const id = await login();
    await start(id);
    await rows.end(id, 'logged_out', Date.now());
    await createReconciler(options()).reconcileOnce();
    await expect.poll(() => temporal.gateway.describe(workflow(id))).toBe('closed');
    await expect.poll(async () => (await rows.read(id)).workflowClosedAtMs).not.toBeNull();
    expect(metrics.counts).toMatchObject({ open: 1, missing: 0 });
  });

  test('is noted as closed when its workflow is gone, and starts none', async () => {
    const id = await login();
    await start(id);
    await terminate(workflow(id));
    await rows.end(id, 'logged_out', Date.now());
    await createReconciler(options()).reconcileOnce();
    expect((await rows.read(id)).workflowClosedAtMs).not.toBeNull();
    expect(metrics.counts).toMatchObject({ markedClosed: 1, open: 0, missing: 0 });
    expect(await temporal.gateway.describe(workflow(id, 1))).toBe('missing');
  });
});

describe('the reconciler', () => {
  test('waits without an error while Temporal is down', async () => {
    const id = await login();
    const gone = () => Promise.reject(new LatchkeyError('temporal_unavailable'));
    const down: WorkflowCalls = {
      start: gone,
      signal: gone,
      signalWithStart: gone,
      describe: gone,
    };
    await createReconciler(options({ calls: down })).reconcileOnce();
    expect((await rows.read(id)).healCount).toBe(0);
    await rows.end(id, 'revoked', Date.now());
  });

  test('walks page by page through more rows than it looks at in a round', async () => {
    const ids = await Promise.all([login(), login(), login(), login(), login()]);
    const paged = createReconciler(options({ pageSize: 2 }));
    for (let round = 0; round < 3; round += 1) await paged.reconcileOnce();
    for (const id of ids) {
      expect(await temporal.gateway.describe(workflow(id, 1))).toBe('running');
      await rows.end(id, 'revoked', Date.now());
    }
  });

  test('is done by one process at a time', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: began, resolve: begin } = Promise.withResolvers<void>();
    const other = createLeadership(testDatabase.applicationUrl);
    const first = leadership.lead('reconciler', async () => {
      begin();
      await held;
    });
    await began;
    expect(await other.lead('reconciler', () => Promise.resolve())).toBe(false);
    expect(await other.lead('sweeper', () => Promise.resolve())).toBe(true);
    release();
    expect(await first).toBe(true);
    expect(await other.lead('reconciler', () => Promise.resolve())).toBe(true);
    await other.close();
  });
});
