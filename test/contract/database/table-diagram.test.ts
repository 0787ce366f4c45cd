import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { tableDiagram } from '../../setup/postgres/table-diagram.ts';

let testDatabase: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sql = postgres(testDatabase.ownerUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await testDatabase.drop();
});

describe('the diagram of the tables', () => {
  it('shows the tables, columns, keys and references that the migrations made', async () => {
    await expect(await tableDiagram(sql)).toMatchFileSnapshot('../../../docs/tables.md');
  });

  it('would notice a new table, a new column and a new reference', async () => {
    const before = await tableDiagram(sql);
    await sql`create table extra (tenant_id text not null references tenant, extra_id text primary key)`;
    await sql`alter table hold add column extra_column text`;
    const after = await tableDiagram(sql);
    expect(before).not.toContain('extra');
    for (const line of [
      '  extra {',
      '    text extra_id PK',
      '    text extra_column',
      'tenant ||--o{ extra : "tenant_id"',
    ]) {
      expect(after).toContain(line);
    }
  });
});
