import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import {
  backoffMs,
  claimOutbox,
  enqueue,
  listDead,
  markDelivered,
  markFailed,
  retryDead,
} from '../../../db/outbox.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { labelledEvent } from '../../setup/labelled-event.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId = '';
let nowMs = Date.UTC(2026, 0, 1);
const leaseMs = 30_000;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost',
    fraudClientJwks: { keys: [] },
  }));
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await inTenant((tx) => tx`delete from outbox`);
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => database.tenant(tenantId, work);
const wake = (sessionId: string, notBeforeMs?: number) =>
  inTenant((tx) =>
    enqueue(tx, {
      tenantId,
      topic: 'session.wake',
      subject: sessionId,
      payload: { sessionId },
      notBeforeMs,
    }),
  );
const event = (subject: string, label: string) =>
  inTenant((tx) =>
    enqueue(tx, { tenantId, topic: 'event', subject, payload: labelledEvent(subject, label) }),
  );
const claim = (claimer = 'one', limit = 100) =>
  inTenant((tx) => claimOutbox(tx, { tenantId, claimer, limit, leaseMs }));
const claimedIds = async (claimer?: string, limit?: number) =>
  (await claim(claimer, limit)).map(({ outboxId }) => outboxId);
const deliver = (outboxId: string, claimer = 'one') =>
  inTenant((tx) => markDelivered(tx, { tenantId, outboxId, claimer }));
const fail = (
  outboxId: string,
  next: { kind: 'retry'; afterMs: number } | { kind: 'dead' },
  claimer = 'one',
) =>
  inTenant((tx) =>
    markFailed(tx, { tenantId, outboxId, claimer, errorCode: 'vendor_unavailable', next }),
  );

describe('enqueueing', () => {
  it('is undone with the transaction that wrote it', async () => {
    const aborted = inTenant(async (tx) => {
      await enqueue(tx, {
        tenantId,
        topic: 'session.wake',
        subject: 's',
        payload: { sessionId: 's' },
      });
      throw new Error('changed its mind');
    });
    await expect(aborted).rejects.toThrow('changed its mind');
    expect(await claim()).toHaveLength(0);
  });

  it('keeps topic, subject and payload as they were', async () => {
    const outboxId = await wake('ses_1');
    expect(await claim()).toMatchObject([
      {
        outboxId,
        topic: 'session.wake',
        subject: 'ses_1',
        payload: { sessionId: 'ses_1' },
        attempts: 1,
        createdAtMs: nowMs,
      },
    ]);
  });
});

describe('a claim', () => {
  it('takes what is due in order, up to its limit', async () => {
    const ids = [await wake('1'), await wake('2'), await wake('3')];
    expect(await claimedIds('one', 2)).toStrictEqual(ids.slice(0, 2));
    expect(await claimedIds('one', 2)).toStrictEqual(ids.slice(2));
    expect(await claimedIds('one', 2)).toStrictEqual([]);
  });

  it('leaves a row alone until just its time', async () => {
    const outboxId = await wake('later', nowMs + 1000);
    nowMs += 999;
    expect(await claimedIds()).toStrictEqual([]);
    nowMs += 1;
    expect(await claimedIds()).toStrictEqual([outboxId]);
  });

  it('holds until its lease runs out, then the row is given out again', async () => {
    const outboxId = await wake('1');
    expect(await claimedIds('one')).toStrictEqual([outboxId]);
    nowMs += leaseMs - 1;
    expect(await claimedIds('two')).toStrictEqual([]);
    nowMs += 1;
    expect(await claim('two')).toMatchObject([{ outboxId, attempts: 2 }]);
  });

  it('gives two claimers at once different rows, and every row to somebody', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 40; index += 1) ids.push(await wake(String(index)));
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, index) => claimedIds(`claimer ${String(index)}`, 5)),
    );
    const taken = claims.flat();
    expect(new Set(taken).size).toBe(taken.length);
    expect(new Set([...taken, ...(await claimedIds())])).toStrictEqual(new Set(ids));
  });

  it('passes by what another claimer has just locked, without waiting for it', async () => {
    const [first, second] = [await wake('1'), await wake('2')];
    await inTenant(async (tx) => {
      const mine = await claimOutbox(tx, { tenantId, claimer: 'one', limit: 1, leaseMs });
      expect(mine.map(({ outboxId }) => outboxId)).toStrictEqual([first]);
      // The other transaction runs while this one is still open.
      expect(await claimedIds('two')).toStrictEqual([second]);
    });
  });
});

describe('events', () => {
  it('are left to those who number them', async () => {
    await event('a', '1');
    expect(await claim()).toHaveLength(0);
  });
});

describe('settling', () => {
  it('delivers once, and what is delivered is never given out again', async () => {
    const outboxId = await wake('1');
    await claim();
    expect(await deliver(outboxId)).toBe(true);
    expect(await deliver(outboxId)).toBe(false);
    nowMs += leaseMs * 10;
    expect(await claim()).toHaveLength(0);
  });

  it('is refused to a claimer whose lease went to another', async () => {
    const outboxId = await wake('1');
    await claim('one');
    nowMs += leaseMs;
    await claim('two');
    expect(await deliver(outboxId, 'one')).toBe(false);
    expect(await fail(outboxId, { kind: 'dead' }, 'one')).toBe(false);
    expect(await deliver(outboxId, 'two')).toBe(true);
  });

  it('gives a failed row out again after its pause, just then', async () => {
    const outboxId = await wake('1');
    await claim();
    expect(await fail(outboxId, { kind: 'retry', afterMs: 500 })).toBe(true);
    nowMs += 499;
    expect(await claimedIds()).toStrictEqual([]);
    nowMs += 1;
    expect(await claim()).toMatchObject([{ outboxId, attempts: 2 }]);
  });
});

describe('the dead', () => {
  it('are listed in order, page by page, with what went wrong and without their payloads', async () => {
    const ids = [await wake('1'), await wake('2'), await wake('3')];
    await claim();
    for (const outboxId of ids) await fail(outboxId, { kind: 'dead' });
    const page = await inTenant((tx) => listDead(tx, { tenantId, limit: 2 }));
    expect(page).toMatchObject([
      { outboxId: ids[0], topic: 'session.wake', errorCode: 'vendor_unavailable', attempts: 1 },
      { outboxId: ids[1] },
    ]);
    for (const row of page) expect(row).not.toHaveProperty('payload');
    const rest = await inTenant((tx) =>
      listDead(tx, { tenantId, limit: 2, after: page.at(-1)?.position ?? 0 }),
    );
    expect(rest.map(({ outboxId }) => outboxId)).toStrictEqual([ids[2]]);
  });

  it('are retried once, and only they', async () => {
    const [dead, alive] = [await wake('1'), await wake('2')];
    await claim();
    await fail(dead, { kind: 'dead' });
    const retry = (outboxId: string) => inTenant((tx) => retryDead(tx, { tenantId, outboxId }));
    expect(await retry(alive)).toBe(false);
    expect(await retry(dead)).toBe(true);
    expect(await retry(dead)).toBe(false);
    expect(await claimedIds()).toStrictEqual([dead]);
  });
});

describe('the pause after a failure', () => {
  it('doubles from half a second and stops growing at five minutes', () => {
    expect([1, 2, 3, 10, 11, 1000].map(backoffMs)).toStrictEqual([
      500, 1000, 2000, 256_000, 300_000, 300_000,
    ]);
    expect(backoffMs(0)).toBe(500);
  });
});
