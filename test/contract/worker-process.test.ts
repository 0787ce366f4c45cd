import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { enqueue } from '../../db/outbox.ts';
import { workflowId } from '../../domain/ids.ts';
import {
  DEMO_IDENTITY_SECRET,
  DEMO_MASTER_KEYS,
  DEMO_SMS_SECRET,
} from '../../runtime/demo-secrets.ts';
import { startProcess } from '../../runtime/managed-process.ts';
import type { ManagedProcess } from '../../runtime/managed-process.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import type { TemporalServer } from '../../runtime/temporal-server.ts';
import { createTemporalGateway } from '../../temporal/client.ts';
import { connectTemporal } from '../../temporal/connection.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import { createDataConverter } from '../../temporal/data-converter.ts';
import { promote } from '../../temporal/deployment.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { labelledEvent } from '../setup/labelled-event.ts';
import { TEST_PAYLOAD_KEYS } from '../setup/payload-keys.ts';
import { SessionRows } from '../setup/rows/session-rows.ts';
import type { SeededCustomer } from '../setup/customer.ts';

const NAMESPACE = 'latchkey';
const BUILD_ID = 'test-build';
const HOUR_MS = 3_600_000;

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let customer: SeededCustomer;
let worker: ManagedProcess;
let server: TemporalServer | undefined;
let gateway: TemporalGateway;
let port: number;
const lines: string[] = [];

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl });
  rows = new SessionRows(testDatabase);
  customer = await rows.customer('demo');
  port = await findFreePort();
  const [{ kid, key }] = TEST_PAYLOAD_KEYS;
  const nowhere = `127.0.0.1:${await findFreePort()}`;
  worker = await startProcess({
    name: 'worker',
    command: process.execPath,
    args: [fileURLToPath(new URL('../../worker.ts', import.meta.url))],
    env: {
      PATH: process.env['PATH'],
      LATCHKEY_MODE: 'development',
      LATCHKEY_BUILD_ID: BUILD_ID,
      DATABASE_URL: testDatabase.applicationUrl,
      TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
      TEMPORAL_NAMESPACE: NAMESPACE,
      LATCHKEY_MASTER_KEYS: DEMO_MASTER_KEYS,
      LATCHKEY_PAYLOAD_KEYS: `${kid}:${Buffer.from(key).toString('base64')}`,
      SMS_URL: `http://${nowhere}/sms`,
      SMS_SECRET: DEMO_SMS_SECRET,
      SMTP_URL: `smtp://${nowhere}`,
      EMAIL_FROM: 'bank@example.org',
      IDENTITY_URL: `http://${nowhere}`,
      IDENTITY_SECRET: DEMO_IDENTITY_SECRET,
    },
    onLine: (line) => {
      lines.push(line);
    },
  });
});

afterAll(async () => {
  await worker?.kill();
  await gateway?.close();
  await server?.stop();
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});

const said = (text: string) =>
  expect
    .poll(() => lines.join('\n'), { timeout: 60_000, message: `the worker says ${text}` })
    .toContain(text);

describe('the worker process', () => {
  test('publishes events while Temporal is down', async () => {
    const { tenantId, customerId } = customer;
    await database.tenant(tenantId, (tx) =>
      enqueue(tx, {
        tenantId,
        topic: 'event',
        subject: customerId,
        payload: labelledEvent(customerId, 'ses_published'),
      }),
    );
    await said('"sessionId":"ses_published"');
    expect(lines.join('\n')).not.toContain('worker ready');
  });

  test('logs an error by its kind and place, and nothing that its message quotes', async () => {
    const { tenantId } = customer;
    // As PostgreSQL does with the values of a row that breaks a constraint.
    await rows.sql`
      create function quote_number() returns trigger language plpgsql as
        $$ begin raise exception 'not +447700900123' using detail = 'Failing row contains (+447700900123)'; end $$`;
    await rows.sql`
      create trigger quote_number before update on outbox for each row when (new.subject = 'quoted') execute function quote_number()`;
    await database.tenant(tenantId, (tx) =>
      enqueue(tx, {
        tenantId,
        topic: 'event',
        subject: 'quoted',
        payload: labelledEvent('quoted', 'ses_quoted'),
      }),
    );
    await said('a round of the relay failed');
    await rows.sql`drop function quote_number cascade`;
    const told = lines.filter((line) => line.includes('"level":50'));
    expect(told.join('\n')).toContain('"code":"P0001"');
    expect(lines.join('\n')).not.toContain('+447700900123');
    await rows.sql`delete from outbox where subject = 'quoted'`;
  });

  test('catches up when Temporal comes, and expires a session by its workflow', async () => {
    const { tenantId } = customer;
    const now = Date.now();
    const sessionId = await rows.session(customer, {
      startedAtMs: now - HOUR_MS,
      idleDeadlineMs: now + 2_000,
      absoluteDeadlineMs: now + HOUR_MS,
    });
    await database.tenant(tenantId, (tx) =>
      enqueue(tx, {
        tenantId,
        topic: 'session.start',
        subject: sessionId,
        payload: { sessionId, dueAtMs: now + 2_000 },
      }),
    );
    const { temporalExecutable: executable } = inject('servers');
    server = await startTemporalServer({ executable, port, namespace: NAMESPACE });
    await said('worker ready');
    const connection = connectTemporal({ address: server.address, tls: false });
    gateway = createTemporalGateway({
      connection,
      namespace: NAMESPACE,
      dataConverter: createDataConverter({ namespace: NAMESPACE, keys: TEST_PAYLOAD_KEYS }),
      identity: 'test-client',
      clock: systemClock,
    });
    const signal = AbortSignal.timeout(60_000);
    await promote(connection, {
      namespace: NAMESPACE,
      buildId: BUILD_ID,
      identity: 'test-client',
      signal,
    });
    await expect
      .poll(() => gateway.describe(workflowId('session', tenantId, sessionId)), { timeout: 60_000 })
      .toBe('closed');
    expect(await rows.read(sessionId)).toMatchObject({
      status: 'ended',
      endReason: 'expired_idle',
    });
    await said('"type":"bank.app.session_revoked"');
  });

  test('drains and ends by itself when it is told to stop', async () => {
    process.kill(worker.pid, 'SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    await said('worker stopped');
    const errors = lines.filter((line) => line.includes('"level":50'));
    expect(errors.filter((line) => !line.includes('"code":"P0001"'))).toEqual([]);
  });
});
