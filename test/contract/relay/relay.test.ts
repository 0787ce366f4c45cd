import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createOutboxPort } from '../../../db/outbox-port.ts';
import { backoffMs, enqueue, listDead, retryDead } from '../../../db/outbox.ts';
import type { ClaimedRow, NewOutboxRow } from '../../../db/outbox.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { noFailPoint } from '../../../domain/fail-point.ts';
import { createRelayTally } from '../../setup/relay-tally.ts';
import type { RelayTally } from '../../setup/relay-tally.ts';
import { relayRound, startRelay } from '../../../relay/relay.ts';
import type { RelayOptions } from '../../../relay/relay.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';

const LEASE_MS = 30_000;

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let tenantId: string;
let nowMs = Date.now();
let metrics: RelayTally;
let delivered: ClaimedRow[] = [];
/** What the receiver does with a row; throws to refuse it. */
let receive: (row: ClaimedRow) => Promise<void>;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
  rows = new SessionRows(testDatabase);
  ({ tenantId } = await rows.customer('demo'));
});

afterAll(async () => {
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});

beforeEach(async () => {
  await rows.sql`delete from outbox`;
  metrics = createRelayTally();
  delivered = [];
  receive = () => Promise.resolve();
});

const relayOptions = (
  claimer = 'relay-1',
  overrides: Partial<RelayOptions> = {},
): RelayOptions => ({
  outbox: createOutboxPort(database, { claimer, leaseMs: LEASE_MS }),
  deliver: async (_, row) => {
    await receive(row);
    delivered.push(row);
  },
  backoffMs,
  metrics,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  failPoint: noFailPoint,
  ...overrides,
});

type Unbound = NewOutboxRow extends infer Row ? Omit<Row, 'tenantId'> : never;
const put = (row: Unbound): Promise<string> =>
  // The topic and its payload were paired by the caller's literal.
  database.tenant(tenantId, (tx) => enqueue(tx, { ...row, tenantId } as NewOutboxRow));
const message = (subject: string) => {
  const payload = { customerId: subject, contactId: 'con_1', template: 'otp', locale: 'en' };
  return put({ topic: 'message.sms', subject, payload });
};
const wake = (sessionId: string) =>
  put({ topic: 'session.wake', subject: sessionId, payload: { sessionId } });

const outbox = async () =>
  (await rows.sql`select subject, status, attempts, error_code from outbox order by position`).map(
    (row) => ({
      ...row,
    }),
  );
const deliveredSubjects = () => delivered.map(({ subject }) => subject);

describe('the relay', () => {
  test('delivers what is due once and leaves what is not yet due', async () => {
    await wake('ses_1');
    await put({
      topic: 'session.wake',
      subject: 'ses_later',
      payload: { sessionId: 'ses_later' },
      notBeforeMs: nowMs + 60_000,
    });
    await relayRound(relayOptions(), 'temporal');
    await relayRound(relayOptions(), 'temporal');
    expect(deliveredSubjects()).toEqual(['ses_1']);
    nowMs += 60_000;
    await relayRound(relayOptions(), 'temporal');
    expect(deliveredSubjects()).toEqual(['ses_1', 'ses_later']);
    expect(metrics.counts).toMatchObject({ delivered: 2, retried: 0, dead: 0 });
  });

  test('keeps each lane to its own topics', async () => {
    await wake('ses_1');
    await message('cus_1');
    await relayRound(relayOptions(), 'messages');
    expect(deliveredSubjects()).toEqual(['cus_1']);
  });

  test('delivers in a loop by itself until it is stopped', async () => {
    const relay = startRelay(relayOptions('relay-1', { pollMs: 5 }));
    await wake('ses_1');
    await expect.poll(deliveredSubjects).toEqual(['ses_1']);
    await message('cus_1');
    await expect.poll(deliveredSubjects).toEqual(['ses_1', 'cus_1']);
    await relay.stop();
    await wake('ses_2');
    expect((await outbox()).at(-1)).toMatchObject({ status: 'pending' });
  });
});

describe('a receiver that is not there', () => {
  test('pauses the lane without using up attempts, and everything goes out when it is back', async () => {
    for (const id of ['ses_1', 'ses_2', 'ses_3']) await wake(id);
    receive = () => Promise.reject(new LatchkeyError('temporal_unavailable'));
    expect(await relayRound(relayOptions(), 'temporal')).toBeGreaterThan(500);
    expect(await relayRound(relayOptions(), 'temporal')).toBeGreaterThan(500);
    expect(await outbox()).toEqual(
      ['ses_1', 'ses_2', 'ses_3'].map((subject) => ({
        subject,
        status: 'pending',
        attempts: 0,
        error_code: null,
      })),
    );
    expect(metrics.counts).toMatchObject({ released: 6, retried: 0, dead: 0 });
    receive = () => Promise.resolve();
    await relayRound(relayOptions(), 'temporal');
    expect(deliveredSubjects().toSorted()).toEqual(['ses_1', 'ses_2', 'ses_3']);
  });

  test('holds up no other lane', async () => {
    await wake('ses_1');
    await message('cus_1');
    receive = ({ topic }) =>
      topic === 'session.wake'
        ? Promise.reject(new LatchkeyError('temporal_unavailable'))
        : Promise.resolve();
    const relay = startRelay(relayOptions('relay-1', { pollMs: 5 }));
    await expect.poll(deliveredSubjects).toEqual(['cus_1']);
    await relay.stop();
  });
});

describe('a row that cannot be delivered', () => {
  test('goes to the dead letters at once when no repetition can cure it, and blocks nobody', async () => {
    await wake('ses_poison');
    await wake('ses_good');
    receive = ({ subject }) =>
      subject === 'ses_poison'
        ? Promise.reject(new LatchkeyError('invalid_request'))
        : Promise.resolve();
    await relayRound(relayOptions(), 'temporal');
    expect(deliveredSubjects()).toEqual(['ses_good']);
    expect(metrics.counts).toMatchObject({ dead: 1, delivered: 1 });
    const dead = await database.tenant(tenantId, (tx) => listDead(tx, { tenantId, limit: 10 }));
    expect(dead).toMatchObject([{ subject: 'ses_poison', errorCode: 'invalid_request' }]);

    receive = () => Promise.resolve();
    const { outboxId } = dead[0] ?? { outboxId: '' };
    await database.tenant(tenantId, (tx) => retryDead(tx, { tenantId, outboxId }));
    await relayRound(relayOptions(), 'temporal');
    expect(deliveredSubjects()).toEqual(['ses_good', 'ses_poison']);
  });

  test('waits and is tried for ever when its code may be cured', async () => {
    await put({
      topic: 'message.sms',
      subject: 'con_1',
      payload: { customerId: 'cus_1', contactId: 'con_1', template: 'hold_released', locale: 'en' },
    });
    receive = () => Promise.reject(new LatchkeyError('vendor_unavailable'));
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      await relayRound(relayOptions(), 'messages');
      nowMs += backoffMs(attempt);
    }
    expect(await outbox()).toMatchObject([
      { status: 'pending', attempts: 20, error_code: 'vendor_unavailable' },
    ]);
  });

  test.each([
    ['as long as its receiver asks', 600, 600_000],
    ['an hour at most, whatever it asks', 86_400, 3_600_000],
  ])('is left alone %s', async (_what, retryAfterSeconds, waitMs) => {
    const payload = { stepUpId: 'cer_1', customerId: 'cus_1', deviceId: 'dev_1' };
    await put({ topic: 'push.send', subject: 'dev_1', payload });
    receive = () => Promise.reject(new LatchkeyError('vendor_unavailable', { retryAfterSeconds }));
    await relayRound(relayOptions(), 'push');
    receive = () => Promise.resolve();
    nowMs += waitMs - 1000;
    await relayRound(relayOptions(), 'push');
    expect(delivered).toEqual([]);
    nowMs += 1001;
    await relayRound(relayOptions(), 'push');
    expect(deliveredSubjects()).toEqual(['dev_1']);
  });

  test('is given five tries when nobody foresaw its error', async () => {
    await wake('ses_1');
    receive = () => Promise.reject(new TypeError('a bug'));
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await relayRound(relayOptions(), 'temporal');
      nowMs += backoffMs(attempt);
    }
    expect(await outbox()).toMatchObject([{ status: 'pending', attempts: 4 }]);
    await relayRound(relayOptions(), 'temporal');
    expect(await outbox()).toMatchObject([{ status: 'dead', error_code: 'internal_error' }]);
  });
});

describe('two relays, or one that was killed', () => {
  test('claim each row once, however many there are', async () => {
    for (let index = 0; index < 60; index += 1) await wake(`ses_${String(index)}`);
    const both = [relayOptions('relay-1'), relayOptions('relay-2')];
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(both.map((options) => relayRound(options, 'temporal')));
    }
    expect(deliveredSubjects().toSorted()).toEqual(
      Array.from({ length: 60 }, (_, index) => `ses_${String(index)}`).toSorted(),
    );
  });

  test('deliver again what was called but not marked, under the same id', async () => {
    await wake('ses_1');
    const killed = createOutboxPort(database, { claimer: 'relay-1', leaseMs: LEASE_MS });
    const dies = relayOptions('relay-1', {
      outbox: { ...killed, delivered: () => Promise.reject(new Error('killed here')) },
    });
    await expect(relayRound(dies, 'temporal')).rejects.toThrow('killed here');
    await relayRound(relayOptions('relay-2'), 'temporal');
    expect(delivered).toHaveLength(1);
    nowMs += LEASE_MS + 1;
    await relayRound(relayOptions('relay-2'), 'temporal');
    expect(delivered).toHaveLength(2);
    expect(delivered[0]?.outboxId).toBe(delivered[1]?.outboxId);
    expect(await outbox()).toMatchObject([{ status: 'delivered' }]);
  });

  test('let only the holder of the lease say how a row ended', async () => {
    await wake('ses_1');
    const slow = createOutboxPort(database, { claimer: 'slow', leaseMs: LEASE_MS });
    const [row] = await slow.claim(tenantId, ['session.wake'], 1);
    nowMs += LEASE_MS + 1;
    receive = () => Promise.reject(new LatchkeyError('vendor_unavailable'));
    await relayRound(relayOptions('relay-2'), 'temporal');
    expect(await slow.delivered(tenantId, row?.outboxId ?? '')).toBe(false);
    expect(await outbox()).toMatchObject([{ status: 'pending', attempts: 2 }]);
  });
});
