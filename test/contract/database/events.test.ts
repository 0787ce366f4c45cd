/** Events on their way out: their numbers under transactions that overtake each other, and the claims of their sinks. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import {
  claimEvents,
  numberEvents,
  resumeSink,
  settleEvent,
  sinkStandings,
  stopSink,
} from '../../../db/events.ts';
import type { EventOutcome } from '../../../db/events.ts';
import { enqueue, listDead, retryDead } from '../../../db/outbox.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { labelledEvent, labelOf } from '../../setup/labelled-event.ts';

let testDatabase: TestDatabase;
let database: Database;
let tenantId = '';
let nowMs = Date.UTC(2026, 0, 1);
const leaseMs = 30_000;
const HOURS_72_MS = 72 * 3_600_000;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  ({ tenantId } = await bootstrapDemoTenant({
    ownerUrl: testDatabase.ownerUrl,
    publicUrl: 'http://localhost',
    fraudClientJwks: { keys: [] },
  }));
  database = connectDatabase({
    url: testDatabase.applicationUrl,
    maxConnections: 20,
    testNowMs: () => nowMs,
  });
});
afterAll(async () => {
  await database?.close();
  await testDatabase?.drop();
});
beforeEach(async () => {
  await inTenant(async (tx) => {
    await tx`delete from outbox`;
    await tx`delete from event_sink_stop`;
  });
});

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => database.tenant(tenantId, work);
const write = (tx: Tx, subject: string, label: string) =>
  enqueue(tx, { tenantId, topic: 'event', subject, payload: labelledEvent(subject, label) });
const event = (subject: string, label: string) => inTenant((tx) => write(tx, subject, label));
const number = (sinks: readonly string[] = ['one', 'two'], limit = 100) =>
  inTenant((tx) => numberEvents(tx, { tenantId, sinks, limit }));
const claim = (sink = 'one', claimer = 'relay', limit = 100) =>
  inTenant((tx) => claimEvents(tx, { tenantId, sink, claimer, limit, leaseMs }));
const claimedLabels = async (sink?: string, claimer?: string) =>
  (await claim(sink, claimer)).map(({ payload }) => labelOf(payload));
const settle = (outboxId: string, outcome: EventOutcome, sink = 'one', claimer = 'relay') =>
  inTenant((tx) => settleEvent(tx, { tenantId, sink, outboxId, claimer }, outcome));
const numbers = () =>
  inTenant(async (tx) =>
    (
      await tx<{ label: string }[]>`
        select payload -> 'data' ->> 'sessionId' as label from outbox where event_sequence is not null order by event_sequence`
    ).map(({ label }) => label),
  );
const delivered: EventOutcome = { kind: 'delivered' };
const parked: EventOutcome = { kind: 'dead', errorCode: 'vendor_refused' };

/** A gate that a transaction waits at while it is open. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: () => resolve() };
}

describe('the number of an event', () => {
  it('is given once, whoever asks and how often, and to every sink the same', async () => {
    await event('a', '1');
    await event('b', '2');
    expect(await Promise.all([number(), number(), number()])).toContain(2);
    expect(await number()).toBe(0);
    const [ones, twos] = [await claim('one'), await claim('two')];
    expect(ones.map(({ sequence }) => sequence)).toEqual(twos.map(({ sequence }) => sequence));
    expect(ones.map(({ payload }) => labelOf(payload))).toEqual(['1', '2']);
  });

  it('follows the commits: one that was written first and committed last comes last', async () => {
    const [written, mayCommit] = [gate(), gate()];
    const slow = inTenant(async (tx) => {
      await write(tx, 'a', 'slow');
      written.open();
      await mayCommit.passed;
    });
    await written.passed;
    await event('a', 'fast');
    await number();
    expect(await claimedLabels()).toEqual(['fast']);
    mayCommit.open();
    await slow;
    await number();
    expect(await numbers()).toEqual(['fast', 'slow']);
  });

  it('never contradicts what happened: of transactions that waited for one lock, in any number at once', async () => {
    const customers = ['cus_a', 'cus_b', 'cus_c'];
    await inTenant(async (tx) => {
      for (const customer of customers)
        await tx`
          insert into customer (tenant_id, customer_id, status, locale) values (${tenantId}, ${customer}, 'prospect', 'en')
          on conflict do nothing`;
    });
    let isOver = false;
    const numbering = (async () => {
      while (!isOver) await number(['one'], 3);
    })();
    const writers = Array.from({ length: 90 }, (_, index) =>
      inTenant(async (tx) => {
        const customer = customers[index % customers.length] ?? '';
        const [row] = await tx<{ cutOffSeq: number }[]>`
          update customer set cut_off_seq = cut_off_seq + 1 where tenant_id = ${tenantId} and customer_id = ${customer}
          returning cut_off_seq`;
        await write(tx, customer, String(row?.cutOffSeq).padStart(4, '0'));
        // Some commit at once, some late.
        for (let turn = 0; turn < index % 4; turn += 1) await tx`select 1`;
      }),
    );
    await Promise.all(writers);
    isOver = true;
    await numbering;
    await number(['one'], 1000);
    const rows = await inTenant(
      (tx) => tx<{ subject: string; label: string }[]>`
        select subject, payload -> 'data' ->> 'sessionId' as label from outbox order by event_sequence`,
    );
    for (const customer of customers) {
      const labels = rows.filter(({ subject }) => subject === customer).map(({ label }) => label);
      expect(labels).toHaveLength(30);
      expect(labels).toEqual(labels.toSorted());
    }
  });

  it('is given in order where more waits than one statement takes', async () => {
    for (let index = 0; index < 7; index += 1) await event('a', String(index));
    expect([await number(['one'], 3), await number(['one'], 3), await number(['one'], 3)]).toEqual([
      3, 3, 1,
    ]);
    expect(await numbers()).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });
});

describe('a claim for a sink', () => {
  it('gives out one event a subject, the earliest', async () => {
    for (const [subject, label] of [
      ['a', 'a1'],
      ['a', 'a2'],
      ['b', 'b1'],
    ] as const)
      await event(subject, label);
    await number();
    const [head] = await claim();
    expect(await claimedLabels()).toEqual([]);
    await settle(head?.outboxId ?? '', delivered);
    expect(await claimedLabels()).toEqual(['a2']);
  });

  it('waits for an earlier one that is backing off', async () => {
    await event('a', '1');
    await event('a', '2');
    await number();
    const [head] = await claim();
    const retry = { kind: 'retry', afterMs: 1000, errorCode: 'vendor_unavailable' } as const;
    await settle(head?.outboxId ?? '', retry);
    nowMs += 999;
    expect(await claimedLabels()).toEqual([]);
    nowMs += 1;
    expect(await claim()).toMatchObject([{ outboxId: head?.outboxId, attempts: 2 }]);
  });

  it('does not wait for another sink', async () => {
    await event('a', '1');
    await event('a', '2');
    await number();
    const [head] = await claim('two');
    await settle(head?.outboxId ?? '', delivered, 'two');
    expect(await claimedLabels('two')).toEqual(['2']);
    expect(await claimedLabels('one')).toEqual(['1']);
  });

  it('holds until its lease runs out, and its holder alone settles it', async () => {
    await event('a', '1');
    await number();
    const [head] = await claim('one', 'first');
    nowMs += leaseMs - 1;
    expect(await claimedLabels('one', 'second')).toEqual([]);
    nowMs += 1;
    expect(await claimedLabels('one', 'second')).toEqual(['1']);
    expect(await settle(head?.outboxId ?? '', delivered, 'one', 'first')).toBe(false);
    expect(await settle(head?.outboxId ?? '', delivered, 'one', 'second')).toBe(true);
    expect(await settle(head?.outboxId ?? '', delivered, 'one', 'second')).toBe(false);
  });

  it('is never given to two claimers of one subject at once', async () => {
    for (let index = 0; index < 10; index += 1) await event('a', String(index));
    await number();
    for (let round = 0; round < 10; round += 1) {
      const claims = await Promise.all(
        ['1', '2', '3', '4'].map(async (name) => ({ name, rows: await claim('one', name) })),
      );
      const winners = claims.filter(({ rows }) => rows.length > 0);
      expect(winners).toHaveLength(1);
      const { name = '', rows = [] } = winners[0] ?? {};
      expect(rows).toMatchObject([{ payload: { data: { sessionId: String(round) } } }]);
      await settle(rows[0]?.outboxId ?? '', delivered, 'one', name);
    }
  });

  it('says when 72 hours of trying are over', async () => {
    await event('a', '1');
    await number();
    nowMs += HOURS_72_MS - 1;
    expect(await claim()).toMatchObject([{ isLast: false }]);
    nowMs += leaseMs;
    expect(await claim()).toMatchObject([{ isLast: true }]);
  });

  it('carries the version of the catalogue under which the event was written', async () => {
    await event('a', '1');
    await inTenant(
      (tx) =>
        tx`update outbox set payload = payload || '{"version": 3}' where tenant_id = ${tenantId}`,
    );
    await number();
    expect(await claim('one')).toMatchObject([{ version: 3 }]);
    await inTenant(
      (tx) => tx`update outbox set payload = payload - 'version' where tenant_id = ${tenantId}`,
    );
    expect(await claim('two')).toMatchObject([{ version: 1 }]);
  });
});

describe('a parked event', () => {
  it('holds up nobody, is listed with its sinks, and keeps its number when it is replayed', async () => {
    const outboxId = await event('a', 'poison');
    await event('a', 'next');
    await number();
    const [head] = await claim();
    const [ofTwo] = await claim('two');
    await settle(outboxId, parked);
    await settle(outboxId, parked, 'two');
    const [next] = await claim();
    expect(labelOf(next?.payload ?? labelledEvent('', ''))).toBe('next');
    await settle(next?.outboxId ?? '', delivered);
    expect(await inTenant((tx) => listDead(tx, { tenantId, limit: 10 }))).toMatchObject([
      {
        outboxId,
        topic: 'event',
        eventType: 'bank.app.session_revoked',
        subject: 'a',
        sinks: ['one', 'two'],
        errorCode: 'vendor_refused',
        attempts: 1,
      },
    ]);
    expect(await inTenant((tx) => sinkStandings(tx, tenantId))).toMatchObject([
      { sink: 'one', parked: 1, lastError: 'vendor_refused' },
      { sink: 'two', parked: 1, lastError: 'vendor_refused' },
    ]);
    expect(await inTenant((tx) => retryDead(tx, { tenantId, outboxId }))).toBe(true);
    expect(await inTenant((tx) => retryDead(tx, { tenantId, outboxId }))).toBe(false);
    expect(await claim()).toMatchObject([{ outboxId, sequence: head?.sequence, attempts: 1 }]);
    expect(await claim('two')).toMatchObject([{ outboxId, sequence: ofTwo?.sequence }]);
    expect(head?.sequence).toBeLessThan(next?.sequence ?? 0);
    expect(await inTenant((tx) => listDead(tx, { tenantId, limit: 10 }))).toEqual([]);
  });
});

describe('a sink that is stopped', () => {
  it('gets nothing, loses nothing, and goes on once it is resumed', async () => {
    await inTenant((tx) => stopSink(tx, { tenantId, sink: 'one', reason: 'gone' }));
    await event('a', '1');
    await number();
    expect([await claimedLabels('one'), await claimedLabels('two')]).toEqual([[], ['1']]);
    nowMs += 60_000;
    expect(await inTenant((tx) => sinkStandings(tx, tenantId))).toEqual([
      { sink: 'one', waiting: 1, parked: 0, oldestSeconds: 60, stopped: 'gone', lastError: null },
      { sink: 'two', waiting: 1, parked: 0, oldestSeconds: 60, stopped: null, lastError: null },
    ]);
    const resume = () => inTenant((tx) => resumeSink(tx, { tenantId, sink: 'one' }));
    expect([await resume(), await resume()]).toEqual([true, false]);
    expect(await claimedLabels('one')).toEqual(['1']);
  });
});
