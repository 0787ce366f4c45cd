import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../setup/database.ts';
import type { TestDatabase } from '../setup/database.ts';
import { createTestNamespace } from '../setup/temporal.ts';

describe('a test database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test('is migrated and reached by two different roles', async () => {
    const application = postgres(database.applicationUrl, { max: 1 });
    const owner = postgres(database.ownerUrl, { max: 1 });
    const [asApplication] = await application`select current_user, latchkey_tenant() as tenant`;
    const [asOwner] =
      await owner`select current_user, (select count(*)::int from tenant) as tenants`;
    const roles = await owner`
      select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'latchkey%'`;
    await Promise.all([application.end(), owner.end()]);
    expect(asApplication).toEqual({ current_user: 'latchkey_app', tenant: null });
    expect(asOwner).toEqual({ current_user: 'latchkey_owner', tenants: 0 });
    expect(roles.map((role) => ({ ...role }))).toEqual(
      expect.arrayContaining(
        ['latchkey_owner', 'latchkey_app'].map((rolname) => ({
          rolname,
          rolsuper: false,
          rolbypassrls: false,
          rolcreaterole: false,
        })),
      ),
    );
  });

  test('takes its time from the transaction when one is brought, else from the machine', async () => {
    const application = postgres(database.applicationUrl, { max: 1 });
    const [brought] = await application.begin(async (sql) => {
      await sql`select set_config('latchkey.now', '2031-02-03T04:05:06.789Z', true)`;
      return await sql`select latchkey_now() as now`;
    });
    const [real] =
      await application`select abs(extract(epoch from clock_timestamp() - latchkey_now())) < 5 as close`;
    await application.end();
    expect(brought?.['now']).toEqual(new Date('2031-02-03T04:05:06.789Z'));
    expect(real?.['close']).toBe(true);
  });

  test('shares nothing with another one', async () => {
    const other = await createTestDatabase();
    const sql = postgres(other.superuserUrl, { max: 1 });
    await sql`create table only_here (n int)`;
    await sql.end();
    const mine = postgres(database.superuserUrl, { max: 1 });
    const [found] = await mine`select to_regclass('only_here')::text as found`;
    await mine.end();
    await other.drop();
    expect(found?.['found']).toBeNull();
  });
});

test('a test namespace starts workflows with the search attributes of the workflows at once', async () => {
  const { address, namespace } = await createTestNamespace();
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  const tenant = defineSearchAttributeKey('LatchkeyTenant', 'KEYWORD');
  const handle = await client.workflow.start('session', {
    workflowId: 'session/ten_1/ses_1',
    taskQueue: 'nobody',
    startDelay: '1 hour',
    typedSearchAttributes: new TypedSearchAttributes([{ key: tenant, value: 'ten_1' }]),
  });
  const description = await handle.describe();
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  await handle.terminate();
  await connection.close();
  expect(description.typedSearchAttributes.get(tenant)).toBe('ten_1');
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(7 * 24 * 3600);
});
