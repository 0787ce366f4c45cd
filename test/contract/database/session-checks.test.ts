/** Checks of sessions in batches, as two replicas ask them: each proof passes once, nobody waits for ever, and what is broken breaks alone. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSessionChecks } from '../../../api/callers/session-checks.ts';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { insertCustomer, insertLiveSession } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';

let testDatabase: TestDatabase;
let replicas: Database[];
let tenantId: string;
let sessionId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  const open = () => connectDatabase({ url: testDatabase.applicationUrl, maxConnections: 1 });
  replicas = [open(), open()];
  sessionId = await replicas[0]!.tenant(tenantId, async (tx) =>
    insertLiveSession(tx, await insertCustomer(tx, tenantId)),
  );
});

afterAll(async () => {
  await Promise.all((replicas ?? []).map((replica) => replica.close()));
  await testDatabase?.drop();
});

const newProof = () => ({ jtiHash: randomBytes(32), issuedAtMs: Date.now() });

describe('a check', () => {
  test('answers what the session is, and that there is none', async () => {
    const [database] = replicas;
    const checks = createSessionChecks(database!);
    const [there, nowhere] = await Promise.all([
      checks.check(tenantId, { sessionId, proof: newProof() }),
      checks.check(tenantId, { sessionId: newId('session'), proof: newProof() }),
    ]);
    expect(there).toMatchObject({ isFresh: true, session: { sessionId, status: 'live' } });
    expect(nowhere).toEqual({ isFresh: true, session: undefined });
  });

  test('of another tenant’s session finds none', async () => {
    const other = await seedDemoTenant(testDatabase, { slug: 'other', name: 'other' });
    const checks = createSessionChecks(replicas[0]!);
    expect(await checks.check(other, { sessionId, proof: newProof() })).toEqual({
      isFresh: true,
      session: undefined,
    });
  });

  test('of a proof from before the memory of proofs began is refused', async () => {
    const checks = createSessionChecks(replicas[0]!);
    const proof = { jtiHash: randomBytes(32), issuedAtMs: Date.UTC(2020, 0, 1) };
    expect(await checks.check(tenantId, { sessionId, proof })).toMatchObject({ isFresh: false });
  });

  test('without a proof to remember passes as often as it is asked', async () => {
    const checks = createSessionChecks(replicas[0]!);
    const question = { sessionId, proof: undefined };
    for (let round = 0; round < 2; round += 1)
      expect(await checks.check(tenantId, question)).toMatchObject({ isFresh: true });
  });
});

describe('checks of one moment', () => {
  test('share statements', async () => {
    const database = replicas[0]!;
    const statement = vi.spyOn(database, 'statement');
    const checks = createSessionChecks(database);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => checks.check(tenantId, { sessionId, proof: newProof() })),
    );
    expect(answers.every(({ isFresh }) => isFresh)).toBe(true);
    expect(statement.mock.calls.length).toBeLessThanOrEqual(4);
    statement.mockRestore();
  });

  test('with one proof pass once, in one replica', async () => {
    const checks = createSessionChecks(replicas[0]!);
    const proof = newProof();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => checks.check(tenantId, { sessionId, proof })),
    );
    expect(answers.filter(({ isFresh }) => isFresh)).toHaveLength(1);
  });

  test('with the same proofs in two replicas, in any order, pass once each and never deadlock', async () => {
    for (let round = 0; round < 30; round += 1) {
      const proofs = Array.from({ length: 40 }, newProof);
      const answers = await Promise.all(
        [proofs, proofs.toReversed()].map((order, index) => {
          const checks = createSessionChecks(replicas[index]!);
          return Promise.all(order.map((proof) => checks.check(tenantId, { sessionId, proof })));
        }),
      );
      expect(answers.flat().filter(({ isFresh }) => isFresh)).toHaveLength(40);
    }
  });

  test('are not failed by one that PostgreSQL cannot read', async () => {
    const checks = createSessionChecks(replicas[0]!);
    const answers = await Promise.allSettled(
      [sessionId, 'no\0session', sessionId].map((id) =>
        checks.check(tenantId, { sessionId: id, proof: newProof() }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
