/** The limit on a number, to the millisecond and under concurrency, on real rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { sweepNumberLimits, takeStart } from '../../../db/number-limit.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';

const STARTS = 3;
const INTERVAL_SECONDS = 60;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let otherTenantId: string;
let nowMs = Date.parse('2030-01-01T00:00:00Z');

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({
    url: testDatabase.applicationUrl,
    maxConnections: 8,
    testNowMs: () => nowMs,
  });
  tenantId = await seedDemoTenant(testDatabase);
  otherTenantId = await seedDemoTenant(testDatabase, { slug: 'other', name: 'other' });
});
afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});

const take = (number: string, tenant = tenantId) =>
  database.tenant(tenant, (tx) =>
    takeStart(tx, {
      tenantId: tenant,
      numberIndex: Buffer.from(number),
      starts: STARTS,
      intervalSeconds: INTERVAL_SECONDS,
    }),
  );

const takeTimes = async (number: string, times: number) => {
  const waits: number[] = [];
  for (let time = 0; time < times; time += 1) waits.push(await take(number));
  return waits;
};

describe('the limit on a number', () => {
  it('lets so many through at once, then says how long to wait', async () => {
    await expect(takeTimes('a', 5)).resolves.toStrictEqual([0, 0, 0, 60, 60]);
    nowMs += 20_000;
    await expect(take('a')).resolves.toBe(40);
  });

  it('gives one back an interval: not a millisecond before, and not lessened by the refusals', async () => {
    await takeTimes('b', 5);
    nowMs += INTERVAL_SECONDS * 1_000 - 1;
    await expect(take('b')).resolves.toBe(1);
    nowMs += 1;
    await expect(takeTimes('b', 2)).resolves.toStrictEqual([0, 60]);
  });

  it('forgets everything once nobody used the number for as many intervals, and saves up no more than that', async () => {
    await takeTimes('c', 3);
    nowMs += 100 * INTERVAL_SECONDS * 1_000;
    await expect(takeTimes('c', 4)).resolves.toStrictEqual([0, 0, 0, 60]);
  });

  it('counts each tenant and each number by itself', async () => {
    await takeTimes('d', 4);
    await expect(take('d', otherTenantId)).resolves.toBe(0);
    await expect(take('e')).resolves.toBe(0);
  });

  it('lets no more through when many start at the same moment', async () => {
    const waits = await Promise.all(Array.from({ length: 16 }, () => take('f')));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(STARTS);
  });

  it('counts nothing when the start itself is not committed', async () => {
    const failing = database.tenant(tenantId, async (tx) => {
      const limit = { tenantId, numberIndex: Buffer.from('g'), starts: STARTS };
      await takeStart(tx, { ...limit, intervalSeconds: INTERVAL_SECONDS });
      throw new Error('the rest of it failed');
    });
    await expect(failing).rejects.toThrow('failed');
    await expect(takeTimes('g', 4)).resolves.toStrictEqual([0, 0, 0, 60]);
  });

  it('is swept when it says nothing any more, and not before', async () => {
    await take('h');
    const sweep = () => database.tenant(tenantId, (tx) => sweepNumberLimits(tx, 100));
    const isKept = () =>
      database.tenant(
        tenantId,
        async (tx) =>
          (await tx`select 1 from number_limit where number_index = ${Buffer.from('h')}`).length,
      );
    nowMs += INTERVAL_SECONDS * 1_000;
    await sweep();
    await expect(isKept()).resolves.toBe(1);
    nowMs += 1;
    await sweep();
    await expect(isKept()).resolves.toBe(0);
  });
});
