/** Two tenants with a row in every table: whatever the application's role does while bound to one, the other is not there. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { DPOP_SLOTS, insertRow, seedRows } from './seeds.ts';

const a = newId('tenant');
const b = newId('tenant');
const seeds = { [a]: seedRows(a, 'a'), [b]: seedRows(b, 'b') };
const tables = [...(seeds[a]?.keys() ?? [])];

/** insufficient_privilege: a missing grant or a row that the policy does not let in. */
const DENIED = { code: '42501' };

let testDatabase: TestDatabase;
let database: Database;
/** Past row-level security. */
let superuser: postgres.Sql;
/** The application's role without a tenant bound. */
let unbound: postgres.Sql;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 2 });
  superuser = postgres(testDatabase.superuserUrl, { max: 1 });
  unbound = postgres(testDatabase.applicationUrl, { max: 1 });
  for (const tenantId of [a, b]) {
    await database.tenant(tenantId, async (tx) => {
      for (const [table, rows] of seeds[tenantId] ?? [])
        for (const row of rows) await insertRow(tx, table, row);
    });
  }
});

afterAll(async () => {
  await Promise.all([database.close(), superuser.end(), unbound.end()]);
  await testDatabase.drop();
});

/** Everything the tenant has in a table, as one text. */
async function stateOf(table: string, tenantId: string): Promise<string> {
  const rows =
    await superuser`select t::text as row from ${superuser(table)} t where tenant_id = ${tenantId} order by 1`;
  expect(rows.length).toBeGreaterThan(0);
  return JSON.stringify(rows);
}

async function allTables(): Promise<{ name: string; isPartition: boolean }[]> {
  return await superuser<{ name: string; isPartition: boolean }[]>`
    select c.relname as name, c.relispartition as "isPartition" from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schemaversion'`;
}

describe('the seeds', () => {
  it('cover every table', async () => {
    const whole = (await allTables())
      .filter(({ isPartition }) => !isPartition)
      .map(({ name }) => name);
    expect(tables.toSorted()).toStrictEqual(whole.toSorted());
  });

  it('put rows of both tenants into every partition', async () => {
    const partitions = (await allTables()).filter(({ isPartition }) => isPartition);
    expect(partitions).toHaveLength(DPOP_SLOTS.length);
    for (const { name } of partitions) {
      const rows = await superuser`select distinct tenant_id from ${superuser(name)}`;
      expect(rows).toHaveLength(2);
    }
  });
});

describe.each(tables)('tenant A in %s', (table) => {
  it('sees rows of its own and none of tenant B', async () => {
    const seen = await database.tenant(a, async (tx) => [
      ...(await tx<{ tenantId: string }[]>`select tenant_id from ${tx(table)}`),
    ]);
    expect(seen).toHaveLength(seeds[a]?.get(table)?.length ?? 0);
    expect(new Set(seen.map(({ tenantId }) => tenantId))).toStrictEqual(new Set([a]));
  });

  it('sees nothing when it asks for tenant B by name', async () => {
    const seen = await database.tenant(a, async (tx) => [
      ...(await tx`select 1 from ${tx(table)} where tenant_id = ${b}`),
    ]);
    expect(seen).toHaveLength(0);
  });

  it('cannot insert a row for tenant B', async () => {
    const before = await stateOf(table, b);
    const [row = {}] = seedRows(b, 'c').get(table) ?? [];
    await expect(database.tenant(a, (tx) => insertRow(tx, table, row))).rejects.toMatchObject(
      DENIED,
    );
    expect(await stateOf(table, b)).toBe(before);
  });

  it('cannot change or delete a row of tenant B', async () => {
    const before = await stateOf(table, b);
    for (const statement of [
      `update ${table} set tenant_id = tenant_id where tenant_id = '${b}'`,
      `update ${table} set tenant_id = '${a}' where tenant_id = '${b}'`,
      `delete from ${table} where tenant_id = '${b}'`,
    ]) {
      const count = await affected(() =>
        database.tenant(a, async (tx) => (await tx.unsafe(statement)).count),
      );
      expect(count).toBe(0);
    }
    expect(await stateOf(table, b)).toBe(before);
  });

  it('cannot hand a row of its own to tenant B, nor empty the table', async () => {
    const before = await stateOf(table, a);
    for (const statement of [
      `update ${table} set tenant_id = '${b}' where tenant_id = '${a}'`,
      `truncate ${table}`,
    ]) {
      await expect(database.tenant(a, (tx) => tx.unsafe(statement))).rejects.toMatchObject(DENIED);
    }
    expect(await stateOf(table, a)).toBe(before);
  });

  it('is nobody without a bound tenant', async () => {
    await expect(unbound`select 1 from ${unbound(table)}`).resolves.toHaveLength(0);
    await expect(
      unbound.begin(async (tx) => {
        await tx`select set_config('latchkey.tenant', '', true)`;
        return await tx`select 1 from ${tx(table)}`;
      }),
    ).resolves.toHaveLength(0);
    await expect(
      unbound.unsafe(`insert into ${table} (tenant_id) values ('${a}')`),
    ).rejects.toMatchObject(DENIED);
    expect(await affected(async () => (await unbound.unsafe(`delete from ${table}`)).count)).toBe(
      0,
    );
  });
});

describe('a partition named directly', () => {
  it('is closed to the application', async () => {
    const partitions = (await allTables()).filter(({ isPartition }) => isPartition);
    for (const { name } of partitions) {
      for (const statement of [
        `select 1 from ${name}`,
        `delete from ${name}`,
        `truncate ${name}`,
      ]) {
        await expect(database.tenant(a, (tx) => tx.unsafe(statement))).rejects.toMatchObject(
          DENIED,
        );
      }
    }
  });
});

describe('a bound tenant', () => {
  it('is forgotten with its transaction, even on the same connection', async () => {
    const single = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 1 });
    try {
      const seen = (tenantId: string) =>
        single.tenant(tenantId, async (tx) =>
          (await tx<{ slug: string }[]>`select slug from tenant`).map(({ slug }) => slug),
        );
      expect(await seen(a)).toStrictEqual(['a']);
      expect(await seen(b)).toStrictEqual(['b']);
      expect(await seen('')).toStrictEqual([]);
      expect((await single.tenants()).map(({ slug }) => slug).toSorted()).toStrictEqual(['a', 'b']);
    } finally {
      await single.close();
    }
  });
});

describe('this test', () => {
  it('would see both tenants in a table without row-level security', async () => {
    await superuser`alter table hold disable row level security`;
    try {
      const seen = await database.tenant(a, async (tx) => (await tx`select 1 from hold`).length);
      expect(seen).toBe(2);
    } finally {
      await superuser`alter table hold enable row level security`;
    }
  });
});

/** How many rows a statement touched; 0 too when the role may not run it at all. */
async function affected(run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === DENIED.code) return 0;
    throw error;
  }
}
