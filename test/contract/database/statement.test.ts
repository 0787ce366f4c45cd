/** A statement that commits by itself: bound to its tenant from its first row on, in one round trip, and told of like a transaction. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CommittedFact } from '../../../db/committed-facts.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import type { StatementParts } from '../../../db/statement.ts';
import { insertCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';

const told: CommittedFact[] = [];
const ends: (string | undefined)[] = [];
let testDatabase: TestDatabase;
let database: Database;
let superuser: postgres.Sql;
let mine: string;
let theirs: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  mine = await seedDemoTenant(testDatabase);
  theirs = await seedDemoTenant(testDatabase, { slug: 'other', name: 'other' });
  database = connectDatabase({
    url: testDatabase.applicationUrl,
    maxConnections: 2,
    maxStatementConnections: 1,
    observer: {
      asked: () => undefined,
      began: () => undefined,
      ended: ({ code }) => ends.push(code),
      committed: (facts) => told.push(...facts),
    },
  });
  superuser = postgres(testDatabase.superuserUrl, { max: 1, onnotice: () => undefined });
  for (const tenantId of [mine, theirs])
    await database.tenant(tenantId, (tx) => insertCustomer(tx, tenantId));
});

afterAll(async () => {
  await Promise.all([database?.close(), superuser?.end()]);
  await testDatabase?.drop();
});

const tenantsSeen = ({ sql, bound, isBound }: StatementParts) => sql<{ tenantId: string }[]>`
  with ${bound} select tenant_id from customer where ${isBound}`;

describe('a statement', () => {
  it('sees the rows of its tenant and no others, one after the other on one connection', async () => {
    const seen = await Promise.all(
      [mine, theirs, mine, 'ten_nobody'].map((tenantId) =>
        database.statement({ tenantId, build: tenantsSeen }),
      ),
    );
    expect(seen.map((rows) => rows.map(({ tenantId }) => tenantId))).toEqual([
      [mine],
      [theirs],
      [mine],
      [],
    ]);
  });

  it('leaves nobody bound behind it', async () => {
    await database.statement({ tenantId: mine, build: tenantsSeen });
    const rows = await database.statement({
      tenantId: mine,
      build: ({ sql }) => sql<{ tenantId: string }[]>`select tenant_id from customer`,
    });
    expect([...rows]).toEqual([]);
  });

  it('binds before any part of it reads, whatever plan PostgreSQL chooses', async () => {
    for (const setting of ['enable_nestloop', 'enable_hashjoin', 'enable_mergejoin', 'none']) {
      const application = postgres(testDatabase.applicationUrl, { max: 1 });
      try {
        if (setting !== 'none') await application.unsafe(`set ${setting} = off`);
        const rows = await application`
          with bound as materialized (select set_config('latchkey.tenant', ${mine}, true) as tenant_id)
          select c.customer_id, d.device_id from customer c
            join device d on d.tenant_id = c.tenant_id and d.customer_id = c.customer_id
          where (select tenant_id from bound) is not null
            and exists (select from credential k where k.tenant_id = c.tenant_id and k.customer_id = c.customer_id)`;
        expect({ setting, count: rows.length }).toEqual({ setting, count: 1 });
      } finally {
        await application.end();
      }
    }
  });

  it('cannot write a row of another tenant', async () => {
    const trespass = database.statement({
      tenantId: mine,
      build: ({ sql, bound, isBound }) => sql`
        with ${bound} insert into dpop_jti (tenant_id, slot, jti_hash, seen_at)
        select ${theirs}, 0, '\\x00', latchkey_now() where ${isBound}`,
    });
    await expect(trespass).rejects.toMatchObject({ code: '42501' });
    await expect(superuser`select 1 from dpop_jti`).resolves.toHaveLength(0);
  });

  it('commits by itself and tells what it did, once', async () => {
    const fact = { kind: 'cut_off', reason: 'other' } as const;
    told.length = 0;
    await database.statement({
      tenantId: mine,
      build: ({ sql, bound, isBound }) => sql<{ slot: number }[]>`
        with ${bound} insert into dpop_jti (tenant_id, slot, jti_hash, seen_at)
        select latchkey_tenant(), 1, '\\x01', latchkey_now() where ${isBound} returning slot`,
      tell: (rows) => rows.map(() => fact),
    });
    expect(told).toEqual([fact]);
    await expect(superuser`select 1 from dpop_jti where slot = 1`).resolves.toHaveLength(1);
  });

  it('that fails tells nothing but its code, and the ones behind it go on', async () => {
    told.length = 0;
    ends.length = 0;
    const broken = database.statement({
      tenantId: mine,
      build: ({ sql, bound }) => sql`with ${bound} select 1 / (select 0 from bound)`,
      tell: () => [{ kind: 'cut_off', reason: 'other' }],
    });
    const next = database.statement({ tenantId: mine, build: tenantsSeen });
    await expect(broken).rejects.toMatchObject({ code: '22012' });
    await expect(next).resolves.toHaveLength(1);
    expect(told).toEqual([]);
    expect(ends).toEqual(['internal_error', undefined]);
  });

  it('may take five seconds, by the setting of its connection', async () => {
    const [row] = await database.statement({
      tenantId: mine,
      build: ({ sql, bound }) =>
        sql<{ limit: string }[]>`
          with ${bound} select current_setting('statement_timeout') as limit from bound`,
    });
    expect(row).toEqual({ limit: '5s' });
  });

  it('whose connection breaks is something to try again, and the next finds the database', async () => {
    const [row] = await database.statement({
      tenantId: mine,
      build: ({ sql, bound }) =>
        sql<{ pid: number }[]>`with ${bound} select pg_backend_pid() as pid from bound`,
    });
    const lost = database.statement({
      tenantId: mine,
      build: ({ sql, bound }) => sql`with ${bound} select pg_sleep(30) from bound`,
    });
    const ended = Promise.allSettled([lost]);
    await expect
      .poll(
        async () =>
          await superuser`select 1 from pg_stat_activity where pid = ${row?.pid ?? 0} and wait_event = 'PgSleep'`,
      )
      .toHaveLength(1);
    await superuser`select pg_terminate_backend(${row?.pid ?? 0}, 5000)`;
    expect(await ended).toMatchObject([{ reason: { code: 'database_unavailable' } }]);
    // What is sent before the socket has closed as well is lost with it.
    await vi.waitFor(async () => {
      const rows = await database.statement({ tenantId: mine, build: tenantsSeen });
      expect(rows).toHaveLength(1);
    });
  });
});
