/** What is told of a transaction: once, after its commit, and never of one that was rolled back or found its work done. And what waits, read from the rows. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { createBacklogReader } from '../../../db/backlog.ts';
import { noteFact } from '../../../db/committed-facts.ts';
import type { CommittedFact } from '../../../db/committed-facts.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import type { DatabaseObserver } from '../../../db/database-observer.ts';
import { enqueue } from '../../../db/outbox.ts';
import { createRevocationStore } from '../../../db/revocation-store.ts';
import { revocationReceipt } from '../../../domain/revocation.ts';
import { cutOffCustomer, insertCustomer, insertLiveSession } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import { labelledEvent } from '../../setup/labelled-event.ts';

const told: CommittedFact[] = [];
const seen = { waiting: 0, open: 0, codes: [] as (string | undefined)[] };
const observer: DatabaseObserver = {
  asked: () => {
    seen.waiting += 1;
  },
  began: () => {
    seen.waiting -= 1;
    seen.open += 1;
  },
  ended: ({ code, held }) => {
    if (held) seen.open -= 1;
    else seen.waiting -= 1;
    seen.codes.push(code);
  },
  committed: (facts) => {
    told.push(...facts);
  },
};

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 1, observer });
});

afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});

afterEach(() => {
  told.length = 0;
  seen.codes.length = 0;
});

const FACT: CommittedFact = { kind: 'cut_off', reason: 'other' };

describe('a fact', () => {
  it('is told when its transaction has committed', async () => {
    await database.tenant(tenantId, async (tx) => {
      noteFact(tx, FACT);
      await tx`select 1`;
      expect(told).toEqual([]);
    });
    expect(told).toEqual([FACT]);
  });

  it('is not told of a transaction that was rolled back', async () => {
    const broken = database.tenant(tenantId, (tx) => {
      noteFact(tx, FACT);
      return Promise.reject(new TypeError('a defect'));
    });
    await expect(broken).rejects.toThrow('a defect');
    expect(told).toEqual([]);
    expect(seen.codes).toEqual(['internal_error']);
  });

  it('is not told when the database broke the transaction', async () => {
    const broken = database.tenant(tenantId, async (tx) => {
      noteFact(tx, FACT);
      await tx`set local statement_timeout = '1ms'`;
      await tx`select pg_sleep(5)`;
    });
    await expect(broken).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(told).toEqual([]);
    expect(seen.codes).toEqual(['database_unavailable']);
  });

  it('of a cut-off, of ended sessions and of the seal is told once each, however often they are repeated', async () => {
    const customer = await database.tenant(tenantId, async (tx) => {
      const inserted = await insertCustomer(tx, tenantId);
      await insertLiveSession(tx, inserted);
      return inserted;
    });
    told.length = 0;
    const answer = await database.tenant(tenantId, (tx) => cutOffCustomer(tx, customer));
    const subject = { tenantId, revocationId: answer?.revocationId ?? '' };
    const store = createRevocationStore(database);
    await store.endRows(subject);
    await store.endRows(subject);
    const facts = await store.facts(subject);
    await store.seal(subject, (sealedAtMs) => revocationReceipt(facts, sealedAtMs));
    await store.seal(subject, (sealedAtMs) => revocationReceipt(facts, sealedAtMs));
    await store.raiseAlarm(subject);
    await store.raiseAlarm(subject);
    expect(told).toEqual([
      { kind: 'cut_off', reason: expect.any(String) },
      { kind: 'sessions_ended', reason: 'revoked', count: 1 },
      { kind: 'revocation_sealed', afterSeconds: expect.any(Number) },
      { kind: 'revocation_alarmed' },
    ]);
  });
});

describe('the pool', () => {
  it('tells who waits and who holds, and gives both back', async () => {
    const gate = Promise.withResolvers<void>();
    const first = database.tenant(tenantId, () => gate.promise);
    const second = database.tenant(tenantId, () => Promise.resolve());
    await expect.poll(() => ({ ...seen })).toMatchObject({ waiting: 1, open: 1 });
    gate.resolve();
    await Promise.all([first, second]);
    expect(seen).toMatchObject({ waiting: 0, open: 0, codes: [undefined, undefined] });
  });
});

describe('the backlog', () => {
  it('tells what waits and what is dead, by topic, and how old the oldest due row is', async () => {
    const read = createBacklogReader(database);
    await database.tenant(tenantId, async (tx) => {
      await tx`update outbox set status = 'delivered', delivered_at = latchkey_now()`;
      const row = {
        tenantId,
        topic: 'event',
        subject: newId('customer'),
        payload: labelledEvent('cus_1', 'ses_1'),
      } as const;
      const old = await enqueue(tx, row);
      const dead = await enqueue(tx, row);
      // Not due for an hour: it waits on purpose.
      await enqueue(tx, { ...row, notBeforeMs: Date.now() + 3_600_000 });
      await tx`update outbox set created_at = created_at - interval '90 seconds', attempts = 1 where outbox_id = ${old}`;
      await tx`update outbox set status = 'dead' where outbox_id = ${dead}`;
    });
    const { outbox, dead } = await read();
    expect(outbox).toEqual([{ topic: 'event', pending: 2, oldestSeconds: expect.any(Number) }]);
    expect(outbox[0]?.oldestSeconds).toBeGreaterThanOrEqual(90);
    expect(outbox[0]?.oldestSeconds).toBeLessThan(150);
    expect(dead).toEqual([{ topic: 'event', rows: 1 }]);
  });

  it('tells of a revocation until its receipt is sealed', async () => {
    const read = createBacklogReader(database);
    const before = (await read()).revocations.running;
    const answer = await database.tenant(tenantId, async (tx) =>
      cutOffCustomer(tx, await insertCustomer(tx, tenantId)),
    );
    const { revocations } = await read();
    expect(revocations.running).toBe(before + 1);
    expect(revocations.oldestSeconds).toBeGreaterThan(0);
    const subject = { tenantId, revocationId: answer?.revocationId ?? '' };
    const store = createRevocationStore(database);
    await store.endRows(subject);
    const facts = await store.facts(subject);
    await store.seal(subject, (sealedAtMs) => revocationReceipt(facts, sealedAtMs));
    expect((await read()).revocations.running).toBe(before);
  });
});
