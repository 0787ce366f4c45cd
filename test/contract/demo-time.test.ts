/** Simulated time at the stage: what a year and a time to object move, what they leave, and what is no request about time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../db/connection.ts';
import type { Database } from '../../db/connection.ts';
import { answerTimeRequest, openDemoTime } from '../../runtime/demo-time.ts';
import type { DemoTime } from '../../runtime/demo-time.ts';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { seedDemoTenant } from '../setup/demo-tenant.ts';
import { approved, insertRecoverable, opened, proved, read, follow } from '../setup/recoveries.ts';
import type { Run } from '../setup/recoveries.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let time: DemoTime;
const run: Run = (work) => database.tenant(tenantId, work);

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
  time = openDemoTime({ databaseUrl: testDatabase.applicationUrl, tenantId });
});
afterAll(async () => {
  await time?.stop();
  await database?.close();
  await testDatabase?.drop();
});

const press = (path: string, content: unknown, of: DemoTime | undefined = time) =>
  answerTimeRequest(
    { method: 'POST', url: new URL(path, 'http://localhost'), body: JSON.stringify(content) },
    of,
  );

const trustedSince = (customerId: string) =>
  run(async (tx) => {
    const [row] = await tx<{ since: Date }[]>`
      select trusted_at as since from device where customer_id = ${customerId}`;
    return row?.since.getTime() ?? 0;
  });

describe('a year', () => {
  it('makes the contacts and phones of one customer a year older, and nobody else’s', async () => {
    const { customerId } = await run((tx) => insertRecoverable(tx, tenantId));
    const other = await run((tx) => insertRecoverable(tx, tenantId));
    const [before, beforeOther] = [
      await trustedSince(customerId),
      await trustedSince(other.customerId),
    ];
    expect(await press('/time/year', { customerId })).toEqual({
      status: 200,
      body: { passed: true },
    });
    expect(await trustedSince(customerId)).toBe(before - YEAR_MS);
    expect(await trustedSince(other.customerId)).toBe(beforeOther);
  });

  it('passes for nobody who is not there', async () => {
    const customerId = `cus_${'0'.repeat(32)}`;
    expect((await press('/time/year', { customerId }))?.status).toBe(404);
    expect((await press('/time/year', { customerId: 'x' }))?.status).toBe(400);
  });
});

describe('the time to object', () => {
  it('is over once it was let pass, and the case goes on to the new phone', async () => {
    const customer = await run((tx) => insertRecoverable(tx, tenantId));
    const subject = await proved(run, customer);
    expect((await approved(run, subject)).state).toBe('cooling');
    const { recoveryId } = subject;
    expect((await press('/time/cooling-off', { recoveryId }))?.status).toBe(200);
    expect((await follow(run, subject)).state).toBe('rebind');
  });

  it('may be over for its shortest wait alone: the case goes on cooling, and its owner may end it', async () => {
    const customer = await run((tx) => insertRecoverable(tx, tenantId));
    const subject = await proved(run, customer);
    const before = await approved(run, subject);
    const { recoveryId } = subject;
    expect((await press('/time/cooling-floor', { recoveryId }))?.status).toBe(200);
    const after = await run((tx) => read(tx, subject));
    expect(after.state).toBe('cooling');
    expect((before.coolingFromMs ?? 0) - (after.coolingFromMs ?? 0)).toBe(
      before.times.coolingFloorMs + 1_000,
    );
  });

  it('cannot be let pass before it has begun: nothing else of a case is skipped', async () => {
    const customer = await run((tx) => insertRecoverable(tx, tenantId));
    const subject = await opened(run, customer);
    const before = await run((tx) => read(tx, subject));
    const { recoveryId } = subject;
    expect((await press('/time/cooling-off', { recoveryId }))?.status).toBe(404);
    expect(await run((tx) => read(tx, subject))).toMatchObject({ seq: before.seq });
  });
});

it('is not there without a database of this stack, and answers nothing else', async () => {
  const url = new URL('http://localhost/time/year');
  expect(await answerTimeRequest({ method: 'POST', url, body: '{}' }, undefined)).toMatchObject({
    status: 409,
  });
  expect(await press('/time/decade', {})).toBeUndefined();
  expect(await press('/parts/line/drop', {})).toBeUndefined();
});
