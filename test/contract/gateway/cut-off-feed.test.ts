/** Who was cut off, as services hear of it: whatever statement cuts off is told, in the same transaction, and no order of commits hides one. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import {
  CUT_OFFS_KEPT_SECONDS,
  FEED_START,
  feedPositionNow,
  readCutOffs,
  sweepCutOffs,
} from '../../../db/cut-off-feed.ts';
import type { FeedCutOff } from '../../../db/cut-off-feed.ts';
import { policyBreaches } from '../../../domain/policy-breaches.ts';
import { DEFAULT_POLICY, LONGEST_ACCESS_TOKEN_SECONDS } from '../../../domain/policy.ts';
import { cutOffCustomer, insertCustomer, insertLiveSession } from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';

let testDatabase: TestDatabase;
let database: Database;
let rows: postgres.Sql;
let tenantId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl });
  rows = postgres(testDatabase.superuserUrl, { max: 1 });
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost:4600',
    fraudClientJwks: { keys: [] },
  }));
});
afterAll(async () => {
  await rows?.end();
  await database?.close();
  await testDatabase?.drop();
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const readFrom = (after: string, limit = 1_000) =>
  inTenant((tx) => readCutOffs(tx, { tenantId, after, limit }));
const cutOffsOf = (page: { entries: readonly { cutOff: FeedCutOff }[] }) =>
  page.entries.map(({ cutOff: { atMs: _at, ...cutOff } }) => cutOff);

interface Somebody extends SeededCustomer {
  readonly sessionId: string;
}

/** With a live session. */
async function somebody(): Promise<Somebody> {
  return await inTenant(async (tx) => {
    const customer = await insertCustomer(tx, tenantId);
    return { ...customer, sessionId: await insertLiveSession(tx, customer) };
  });
}

/** What one statement of anybody's makes the feed say. */
async function toldAfter(change: (tx: Tx) => Promise<unknown>) {
  const from = await inTenant(feedPositionNow);
  await inTenant(change);
  return cutOffsOf(await readFrom(from));
}

describe('the feed tells', () => {
  it('the new epoch of a customer who was cut off, once, whatever else that suspended', async () => {
    const { customerId } = await somebody();
    const told = await toldAfter((tx) => cutOffCustomer(tx, { tenantId, customerId }));
    expect(told).toEqual([{ kind: 'customer', id: customerId, minimumEpoch: 2 }]);
  });

  it('an epoch above every one of a customer who was erased', async () => {
    const { customerId } = await somebody();
    const told = await toldAfter(
      (tx) => tx`update customer set status = 'erased' where customer_id = ${customerId}`,
    );
    expect(told).toEqual([{ kind: 'customer', id: customerId, minimumEpoch: 2 }]);
  });

  it.each(['logged_out', 'superseded', 'expired_idle', 'reuse_detected'])(
    'a session that ended: %s',
    async (reason) => {
      const { sessionId } = await somebody();
      const told = await toldAfter(
        (tx) =>
          tx`update session set status = 'ended', end_reason = ${reason}, ended_at = now() where session_id = ${sessionId}`,
      );
      expect(told).toEqual([{ kind: 'session', id: sessionId }]);
    },
  );

  it.each(['untrusted', 'restricted', 'suspended', 'revoked'])(
    'a device that is %s, until shortly after',
    async (status) => {
      const { deviceId } = await somebody();
      const nowSeconds = Math.floor(Date.now() / 1000);
      const [told, ...others] = await toldAfter(
        (tx) => tx`update device set status = ${status} where device_id = ${deviceId}`,
      );
      expect(told).toMatchObject({ kind: 'device', id: deviceId });
      expect(told).toHaveProperty('issuedUpTo');
      const { issuedUpTo } = told as { issuedUpTo: number };
      expect(issuedUpTo - nowSeconds).toBeGreaterThanOrEqual(15);
      expect(issuedUpTo - nowSeconds).toBeLessThan(40);
      expect(others).toEqual([]);
    },
  );

  it('the sessions of a passkey that was revoked, and no others', async () => {
    const { customerId, credentialId, sessionId } = await somebody();
    const other = await somebody();
    const told = await toldAfter(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id in (${credentialId}, 'x')`,
    );
    expect(told).toEqual([{ kind: 'session', id: sessionId }]);
    expect([customerId, sessionId]).not.toContain(other.sessionId);
  });

  it('a client that was disabled, by the owner of the database', async () => {
    const from = await inTenant(feedPositionNow);
    await rows`update client set status = 'disabled' where tenant_id = ${tenantId} and client_id = 'demo-fraud'`;
    await rows`update client set status = 'active' where tenant_id = ${tenantId} and client_id = 'demo-fraud'`;
    const told = cutOffsOf(await readFrom(from));
    expect(told).toEqual([
      { kind: 'client', id: 'demo-fraud', issuedUpTo: expect.any(Number) as number },
    ]);
  });

  it('a key of access tokens that was retired', async () => {
    const insert = (keyId: string, purpose: string) =>
      rows`insert into signing_key (tenant_id, key_id, purpose, public_jwk, kek_id, sealed_private, active_from)
        values (${tenantId}, ${keyId}, ${purpose}, '{}', 'kek', 'x', now())`;
    await insert('key_a', 'access_token');
    await insert('key_i', 'id_token');
    const told = await toldAfter(
      (
        tx,
      ) => tx`update signing_key set retired_at = now(), retire_reason = 'emergency', sealed_private = ''
        where key_id in ('key_a', 'key_i')`,
    );
    expect(told).toEqual([{ kind: 'signing_key', id: 'key_a' }]);
  });

  it('nothing of a release, a refresh, a login or a device that is trusted again', async () => {
    const { customerId, deviceId, sessionId } = await somebody();
    await inTenant(
      (tx) => tx`update device set status = 'suspended' where device_id = ${deviceId}`,
    );
    const told = await toldAfter(async (tx) => {
      await tx`update device set status = 'trusted' where device_id = ${deviceId}`;
      await tx`update customer set cut_off_seq = cut_off_seq + 1 where customer_id = ${customerId}`;
      await tx`update session set generation = generation + 1, status = 'live' where session_id = ${sessionId}`;
    });
    expect(told).toEqual([]);
  });

  it('nothing of a transaction that was rolled back', async () => {
    const { customerId } = await somebody();
    const from = await inTenant(feedPositionNow);
    const failing = inTenant(async (tx) => {
      await cutOffCustomer(tx, { tenantId, customerId });
      throw new Error('not after all');
    });
    await expect(failing).rejects.toThrow('not after all');
    expect(cutOffsOf(await readFrom(from))).toEqual([]);
  });

  it('nothing to another tenant', async () => {
    const { customerId } = await somebody();
    const from = await inTenant(feedPositionNow);
    await inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId }));
    const other = await bootstrapDemoTenant({
      ownerUrl: testDatabase.ownerUrl,
      publicUrl: 'http://localhost:4600',
      fraudClientJwks: { keys: [] },
      slug: 'other',
    });
    const page = await database.tenant(other.tenantId, (tx) =>
      readCutOffs(tx, { tenantId: other.tenantId, after: from, limit: 10 }),
    );
    expect(page.entries).toEqual([]);
  });
});

describe('a reader of the feed', () => {
  it('misses nothing when an earlier number is committed later', async () => {
    const [slow, quick] = [await somebody(), await somebody()];
    const from = await inTenant(feedPositionNow);
    let commit: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let hasWritten: () => void = () => undefined;
    const written = new Promise<void>((resolve) => {
      hasWritten = resolve;
    });
    const slowCutOff = inTenant(async (tx) => {
      await cutOffCustomer(tx, slow);
      hasWritten();
      await held;
    });
    await written;
    await inTenant((tx) => cutOffCustomer(tx, quick));
    const first = await readFrom(from);
    expect(cutOffsOf(first)).toMatchObject([{ id: quick.customerId }]);
    commit();
    await slowCutOff;
    const second = await readFrom(first.next);
    expect(cutOffsOf(second).map(({ id }) => id)).toContain(slow.customerId);
    const third = await readFrom(second.next);
    expect(third.entries).toEqual([]);
  });

  it('misses none of many that are committed in any order while it reads in small pages', async () => {
    const customers = await Promise.all(Array.from({ length: 40 }, () => somebody()));
    const told = new Set<string>();
    let after = await inTenant(feedPositionNow);
    const read = async () => {
      const page = await readFrom(after, 3);
      for (const { id } of cutOffsOf(page)) told.add(id);
      after = page.next;
      return page;
    };
    let isOver = false;
    const cuttingOff = Promise.all(
      customers.map((customer) =>
        inTenant(async (tx) => {
          await cutOffCustomer(tx, customer);
          // Between the number and the commit: as long as a number between 0 and 30 ms.
          await tx`select pg_sleep(random() * 0.03)`;
        }),
      ),
    ).then(() => {
      isOver = true;
    });
    while (!isOver) await read();
    await cuttingOff;
    for (let isUpToDate = false; !isUpToDate;) isUpToDate = (await read()).asOfMs !== undefined;
    expect(customers.map(({ customerId }) => customerId).filter((id) => !told.has(id))).toEqual([]);
  });

  it('begins anew when its position is from another life of the database', async () => {
    const { customerId } = await somebody();
    await inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId }));
    const told = cutOffsOf(await readFrom('9000000000000000000-9000000000000000000-0'));
    expect(told.map(({ id }) => id)).toContain(customerId);
  });

  it('hears of a cut-off as long as any token can live, and a little longer', async () => {
    expect(CUT_OFFS_KEPT_SECONDS).toBeGreaterThanOrEqual(LONGEST_ACCESS_TOKEN_SECONDS + 60);
    const session = {
      ...DEFAULT_POLICY.session,
      accessTokenSeconds: LONGEST_ACCESS_TOKEN_SECONDS + 1,
    };
    expect(policyBreaches({ ...DEFAULT_POLICY, session })).toHaveLength(1);
    const [old, young] = [await somebody(), await somebody()];
    for (const [customer, age] of [
      [old, CUT_OFFS_KEPT_SECONDS + 1],
      [young, CUT_OFFS_KEPT_SECONDS - 5],
    ] as const) {
      await inTenant((tx) => cutOffCustomer(tx, customer));
      await rows`update cut_off set at = now() - make_interval(secs => ${age}) where subject = ${customer.customerId}`;
    }
    expect(await inTenant((tx) => sweepCutOffs(tx, tenantId))).toBe(1);
    const told = cutOffsOf(await readFrom(FEED_START)).map(({ id }) => id);
    expect(told).toContain(young.customerId);
    expect(told).not.toContain(old.customerId);
  });
});
