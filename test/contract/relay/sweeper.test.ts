import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { newId } from '../../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createLeadership } from '../../../db/leadership.ts';
import type { Leadership } from '../../../db/leadership.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { createSweepPort, SWEEP_LIMITS } from '../../../db/sweeping.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { createRelayTally } from '../../setup/relay-tally.ts';
import { sweepOnce } from '../../../relay/sweeper.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';
import type { SeededCustomer } from '../../setup/customer.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const personalData = createPersonalData(
  createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]),
);
let testDatabase: TestDatabase;
let database: Database;
let leadership: Leadership;
let rows: SessionRows;
let customer: SeededCustomer;
let nowMs = Date.now();

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  leadership = createLeadership(testDatabase.applicationUrl);
  rows = new SessionRows(testDatabase);
  customer = await rows.customer('demo');
});

afterAll(async () => {
  await rows?.close();
  await leadership?.close();
  await database?.close();
  await testDatabase?.drop();
});

const sweep = async (over: Pick<Database, 'tenant' | 'tenants'> = database): Promise<void> => {
  await sweepOnce({
    sweeps: createSweepPort({ ...database, ...over }, personalData),
    leadership,
    metrics: createRelayTally(),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
};

const wakes = async (sessionId: string) =>
  (await rows.sql`select 1 from outbox where topic = 'session.wake' and subject = ${sessionId}`)
    .length;

describe('the sweeper', () => {
  test('leaves a session that is just due to its workflow and ends it a minute later, waking that', async () => {
    const sessionId = await rows.session(customer, {
      startedAtMs: nowMs - DAY_MS,
      idleDeadlineMs: nowMs,
      absoluteDeadlineMs: nowMs + DAY_MS,
    });
    nowMs += MINUTE_MS - 1;
    await sweep();
    expect((await rows.read(sessionId)).status).toBe('live');
    nowMs += 1;
    await sweep();
    expect(await rows.read(sessionId)).toMatchObject({
      status: 'ended',
      endReason: 'expired_idle',
      workflowClosedAtMs: null,
    });
    expect(await wakes(sessionId)).toBe(1);
    await sweep();
    expect(await wakes(sessionId)).toBe(1);
  });

  test('ends what a shortened limit has passed, and nothing that still fits', async () => {
    const fits = {
      startedAtMs: nowMs - 2 * DAY_MS,
      idleDeadlineMs: nowMs + 28 * DAY_MS,
      absoluteDeadlineMs: nowMs + 88 * DAY_MS,
    };
    const longer = { ...fits, startedAtMs: nowMs - 8 * DAY_MS };
    const kept = await rows.session(customer, fits);
    const passed = await rows.session(customer, longer);
    await sweep();
    expect((await rows.read(passed)).status).toBe('live');
    const week = (7 * DAY_MS) / 1_000;
    const shorter = {
      ...DEFAULT_POLICY,
      session: { ...DEFAULT_POLICY.session, idleSeconds: week, absoluteSeconds: week },
    };
    await rows.sql`insert into policy (tenant_id, version, document, prepared_by, approved_by)
      values (${customer.tenantId}, 2, ${rows.sql.json({ ...shorter })}, 'a', 'b')`;
    await sweep();
    expect(await rows.read(passed)).toMatchObject({
      status: 'ended',
      endReason: 'expired_absolute',
    });
    expect((await rows.read(kept)).status).toBe('live');
  });

  test('looks again when a refresh has put the end off, and then ends it on time', async () => {
    const sessionId = await rows.session(customer, {
      startedAtMs: nowMs - DAY_MS,
      idleDeadlineMs: nowMs + MINUTE_MS,
      absoluteDeadlineMs: nowMs + 5 * DAY_MS,
    });
    await sweep();
    await rows.refreshed(sessionId, nowMs, nowMs + DAY_MS);
    nowMs += 2 * MINUTE_MS;
    await sweep();
    expect((await rows.read(sessionId)).status).toBe('live');
    nowMs += DAY_MS;
    await sweep();
    expect(await rows.read(sessionId)).toMatchObject({ endReason: 'expired_idle' });
  });

  test('finds sessions by an index that holds nothing of what a refresh changes, as no other does', async () => {
    const indexed = await rows.sql`
      select a.attname as name from pg_index i
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = 'session'::regclass`;
    const names = indexed.map(({ name }) => String(name));
    expect(names).toContain('sweep_at');
    for (const changed of ['generation', 'current_hash', 'last_seen_at', 'idle_deadline'])
      expect(names).not.toContain(changed);
  });

  test('retires a start that nobody repeated for ten minutes, and forgets the prospect', async () => {
    const { sql } = rows;
    const { tenantId } = customer;
    const customerId = newId('customer');
    const ceremonyId = newId('ceremony');
    const created = new Date(nowMs);
    await sql`insert into customer (tenant_id, customer_id, status, locale) values (${tenantId}, ${customerId}, 'prospect', 'en')`;
    await database.tenant(tenantId, (tx) => personalData.createKey(tx, tenantId, customerId));
    await sql`insert into ceremony (tenant_id, ceremony_id, kind, customer_id, client_id, jkt, state, epoch, policy_version, locale, deadline, created_at)
      values (${tenantId}, ${ceremonyId}, 'enrollment', ${customerId}, ${DEMO_APP_CLIENT}, 'jkt', 'starting', 1, 1, 'en', ${created}, ${created})`;
    const states = async () => {
      const [row] = await sql`select state, outcome, reason, status, sealed_key from ceremony
        join customer using (tenant_id, customer_id) join customer_key using (tenant_id, customer_id)
        where ceremony_id = ${ceremonyId}`;
      return { ...row };
    };
    nowMs += SWEEP_LIMITS.startingMinutes * MINUTE_MS - 1;
    await sweep();
    expect(await states()).toMatchObject({ state: 'starting', status: 'prospect' });
    nowMs += 1;
    await sweep();
    expect(await states()).toMatchObject({
      state: 'ended',
      outcome: 'expired',
      reason: 'never_started',
      status: 'erased',
      sealed_key: null,
    });
    expect((await rows.trail(ceremonyId)).audit).toEqual(['enrollment.ended']);
  });

  test('forgets spent challenges and idempotency keys only when they can protect nothing more', async () => {
    const { sql } = rows;
    const { tenantId } = customer;
    const hash = createHash('sha256').update('challenge').digest();
    await sql`insert into spent_challenge values (${tenantId}, ${hash}, ${new Date(nowMs)})`;
    await sql`insert into idempotency (tenant_id, caller, operation, key_hash, body_hash, expires_at)
      values (${tenantId}, 'c', 'o', ${hash}, ${hash}, ${new Date(nowMs + 1)})`;
    const left = async () => {
      const [row] =
        await sql`select (select count(*)::int from spent_challenge) as challenges, (select count(*)::int from idempotency) as keys`;
      return { ...row };
    };
    await sweep();
    expect(await left()).toEqual({ challenges: 1, keys: 1 });
    nowMs += 2;
    await sweep();
    expect(await left()).toEqual({ challenges: 1, keys: 0 });
    nowMs += 2 * DAY_MS;
    await sweep();
    expect(await left()).toEqual({ challenges: 0, keys: 0 });
  });

  test('goes on with every other sweep and tenant when one fails, and says so at the end', async () => {
    const { sql } = rows;
    const { tenantId } = customer;
    const hash = createHash('sha256').update('beside a fault').digest();
    await sql`insert into idempotency (tenant_id, caller, operation, key_hash, body_hash, expires_at)
      values (${tenantId}, 'c', 'o', ${hash}, ${hash}, ${new Date(nowMs - 1)})`;
    let asked = 0;
    // The third of the first tenant, which is another one.
    const broken: Pick<Database, 'tenant' | 'tenants'> = {
      tenants: async () => {
        const [known] = await database.tenants();
        if (known === undefined) throw new TypeError('a tenant is there');
        return [known, known];
      },
      tenant: (id, work) => {
        asked += 1;
        return asked === 3 ? Promise.reject(new Error('poison')) : database.tenant(id, work);
      },
    };
    await expect(sweep(broken)).rejects.toThrow(AggregateError);
    expect(await sql`select 1 from idempotency where key_hash = ${hash}`).toHaveLength(0);
    const once = asked;
    asked = Number.NEGATIVE_INFINITY;
    await sweep(broken);
    expect(once).toBeGreaterThan(2 * 17);
  });

  test('removes what was handed in and never judged, once no key can bring the request back', async () => {
    const { sql } = rows;
    const { tenantId } = customer;
    const ceremonyId = newId('ceremony');
    const at = new Date(nowMs);
    await sql`insert into ceremony (tenant_id, ceremony_id, kind, customer_id, client_id, jkt, state, epoch, policy_version, locale, deadline, created_at)
      values (${tenantId}, ${ceremonyId}, 'enrollment', ${customer.customerId}, ${DEMO_APP_CLIENT}, 'jkt', 'phone', 1, 1, 'en', ${at}, ${at})`;
    await sql`insert into step_submission (tenant_id, submission_id, ceremony_id, step, sealed_payload, created_at, not_after)
      values (${tenantId}, 'sub_unused', ${ceremonyId}, 'phone', 'sealed', ${at}, ${at})`;
    await sql`insert into step_submission (tenant_id, submission_id, ceremony_id, step, outcome, created_at, not_after, used_at)
      values (${tenantId}, 'sub_used', ${ceremonyId}, 'phone', 'code_wrong:4', ${at}, ${at}, ${at})`;
    const left = async () =>
      (await sql`select submission_id from step_submission order by 1`).map(
        (row) => row['submission_id'] as string,
      );
    nowMs += SWEEP_LIMITS.unusedSubmissionDays * DAY_MS;
    await sweep();
    expect(await left()).toEqual(['sub_unused', 'sub_used']);
    nowMs += 1;
    await sweep();
    expect(await left()).toEqual(['sub_used']);
  });

  test('empties the replay memory of proofs that are too old, and of no others', async () => {
    const { sql } = rows;
    const minute = Math.floor(nowMs / MINUTE_MS);
    for (const age of [0, 3, 5]) {
      const slot = (((minute - age) % 16) + 16) % 16;
      await sql`insert into dpop_jti values (${customer.tenantId}, ${slot}, ${Buffer.from([age])}, ${new Date(nowMs)})`;
    }
    await sweep();
    const found = await sql`select get_byte(jti_hash, 0) as age from dpop_jti order by age`;
    expect(found.map((row) => Number(row['age']))).toEqual([0, 3]);
  });
});
