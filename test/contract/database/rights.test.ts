/** What the application's role may do, asked of PostgreSQL's own catalogue. The table of grants below is meant to be read by a person. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { appendAudit } from '../../../db/audit.ts';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

/** select, insert, update, delete on whole tables. Partitions and `schemaversion` have none. */
const GRANTS: Readonly<Record<string, string>> = {
  action_type: 'si',
  approval: 'si',
  audit: 'si',
  ceremony: 'siu',
  client: 'si',
  client_callback: 'si',
  contact: 'siud',
  credential: 'siu',
  customer: 'siu',
  customer_freeze: 'si',
  customer_key: 'siu',
  cut_off: 'sid',
  device: 'siu',
  dpop_jti: 'si',
  event_delivery: 'siu',
  event_sink_stop: 'sid',
  freeze_request: 'sid',
  hold: 'siu',
  idempotency: 'siud',
  key_canary: 'si',
  limit_counter: 'siud',
  number_limit: 'siud',
  outbox: 'siud',
  person: 'si',
  policy: 'si',
  push_registration: 'siud',
  recovery: 'siu',
  recovery_decision: 'sid',
  recovery_factor: 'sid',
  recovery_request: 'sid',
  receipt: 'si',
  receipt_key: 'si',
  revocation: 'siu',
  session: 'siu',
  signing_key: 'si',
  spent_challenge: 'sid',
  staff: 'si',
  staff_session: 'si',
  step_attempt: 'siu',
  step_submission: 'siud',
  step_up: 'siu',
  step_up_evidence: 'si',
  step_up_spend: 'siud',
  tenant: 'si',
};

let testDatabase: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sql = postgres(testDatabase.superuserUrl, { max: 1, transform: postgres.toCamel });
});
afterAll(async () => {
  await sql.end();
  await testDatabase.drop();
});

describe('every table and partition', () => {
  it('has a tenant, row-level security, and the one policy for everything the application does', async () => {
    const tables = await sql`
      select c.relname as name, c.relrowsecurity as secured,
        exists (select 1 from pg_attribute where attrelid = c.oid and attname = 'tenant_id' and attnotnull) as has_tenant,
        (select json_agg(json_build_array(p.polname, p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
          pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)))
          from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'schemaversion'`;
    expect(tables.length).toBeGreaterThan(30);
    const own = '(tenant_id = latchkey_tenant())';
    for (const table of tables) {
      expect(table).toStrictEqual({
        name: table['name'],
        secured: true,
        hasTenant: true,
        policies: [['tenant_only', '*', true, '{latchkey_app}', own, own]],
      });
    }
  });

  it('is reached by no view, whose owner would see past the policies', async () => {
    await expect(
      sql`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm', 'f')`,
    ).resolves.toHaveLength(0);
  });
});

describe("the application's role", () => {
  it('owns nothing, bypasses nothing, makes nothing and is a member of nothing', async () => {
    const [role] = await sql`
      select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
        (select count(*)::int from pg_auth_members where member = r.oid) as memberships,
        (select count(*)::int from pg_class where relowner = r.oid) as relations,
        (select count(*)::int from pg_proc where proowner = r.oid) as functions,
        (select count(*)::int from pg_namespace where nspowner = r.oid) as schemas,
        (select count(*)::int from pg_database where datdba = r.oid) as databases,
        has_schema_privilege(rolname, 'public', 'create') as may_create
      from pg_roles r where rolname = 'latchkey_app'`;
    expect(role).toStrictEqual({
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolreplication: false,
      memberships: 0,
      relations: 0,
      functions: 0,
      schemas: 0,
      databases: 0,
      mayCreate: false,
    });
  });

  it('has exactly the grants that stand in the table above', async () => {
    const rows = await sql<{ name: string; grants: string }[]>`
      select c.relname as name, concat(
        case when has_table_privilege('latchkey_app', c.oid, 'select') then 's' end,
        case when has_table_privilege('latchkey_app', c.oid, 'insert') then 'i' end,
        case when has_table_privilege('latchkey_app', c.oid, 'update') then 'u' end,
        case when has_table_privilege('latchkey_app', c.oid, 'delete') then 'd' end,
        case when has_table_privilege('latchkey_app', c.oid, 'truncate, references, trigger') then '!' end) as grants
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1`;
    const found = rows
      .filter(({ grants }) => grants !== '')
      .map(({ name, grants }) => [name, grants]);
    expect(Object.fromEntries(found)).toStrictEqual(GRANTS);
  });

  it.each([
    ['key_canary', ['retired_at']],
    ['signing_key', ['retired_at', 'retire_reason', 'sealed_private']],
    ['recovery_decision', ['voided_at']],
    [
      'recovery_factor',
      ['on_reported_handset', 'confirmed_by', 'confirmed_employee', 'confirmed_at', 'voided_at'],
    ],
    ['recovery_request', ['status', 'wrong_codes', 'wrong_checks', 'proved_at', 'recovery_id']],
    ['approval', ['status', 'decided_by', 'decided_employee', 'decided_at']],
  ])('may change of a row of %s only %j', async (table, columns) => {
    const rows = await sql`
      select attname from pg_attribute where attrelid = ${table}::regclass and attnum > 0
        and has_column_privilege('latchkey_app', attrelid, attnum, 'update')`;
    expect(rows.map((row) => String(row['attname'])).toSorted()).toStrictEqual(columns.toSorted());
  });
});

describe('the doors past row-level security', () => {
  it('are three functions with a fixed search path, shut to everybody else', async () => {
    const doors = await sql`
      select proname as name, proconfig as settings, has_function_privilege('latchkey_app', oid, 'execute') as open,
        exists (select 1 from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0) as open_to_all
      from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by 1`;
    const shape = { settings: ['search_path=public, pg_temp'], open: true, openToAll: false };
    expect([...doors]).toStrictEqual([
      { name: 'latchkey_empty_dpop_slots', ...shape },
      { name: 'latchkey_started_at', ...shape, settings: ['search_path=pg_catalog, pg_temp'] },
      { name: 'latchkey_tenants', ...shape },
    ]);
  });
});

describe('the audit trail', () => {
  it('is appended to and never changed, by nobody who connects as the application', async () => {
    const { tenantId } = await bootstrapDemoTenant({
      ownerUrl: testDatabase.ownerUrl,
      publicUrl: 'http://localhost',
      fraudClientJwks: { keys: [] },
    });
    const database = connectDatabase({ url: testDatabase.applicationUrl });
    const subject = { kind: 'test', id: newId('request') };
    try {
      const auditId = await database.tenant(tenantId, (tx) =>
        appendAudit(tx, {
          tenantId,
          actor: { kind: 'system', id: 'test' },
          action: 'test.done',
          subject,
        }),
      );
      for (const statement of [
        `update audit set action = 'nothing'`,
        'delete from audit',
        'truncate audit',
      ]) {
        await expect(database.tenant(tenantId, (tx) => tx.unsafe(statement))).rejects.toMatchObject(
          { code: '42501' },
        );
      }
      const [row] = await sql`select action from audit where audit_id = ${auditId}`;
      expect(row).toStrictEqual({ action: 'test.done' });
    } finally {
      await database.close();
    }
  });
});
