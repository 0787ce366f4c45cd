/** The relay's way with events: in order to every sink, whatever one of them does, and none that is down holds up another. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import { createEventPort } from '../../../db/event-port.ts';
import { resumeSink } from '../../../db/events.ts';
import { backoffMs, enqueue, listDead, retryDead } from '../../../db/outbox.ts';
import { createSweepPort, SWEEP_LIMITS } from '../../../db/sweeping.ts';
import type { PersonalData } from '../../../db/personal-data.ts';
import { noFailPoint } from '../../../domain/fail-point.ts';
import type { DomainEvent, Publication } from '../../../domain/ports.ts';
import { numberRound, sinkRound, startEventRelay } from '../../../relay/events.ts';
import type { EventRelayOptions, NamedSink } from '../../../relay/events.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { labelledEvent } from '../../setup/labelled-event.ts';
import { createRelayTally } from '../../setup/relay-tally.ts';
import type { RelayTally } from '../../setup/relay-tally.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';

const LEASE_MS = 30_000;
const HOUR_MS = 3_600_000;

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let tenantId: string;
let nowMs = Date.now();
let metrics: RelayTally;

/** A sink that writes down what it took and says what it is told to. */
class Receiver implements NamedSink {
  readonly name: string;
  readonly tenants: readonly string[] | undefined;
  readonly taken: DomainEvent[] = [];
  says: (event: DomainEvent) => Publication = () => 'published';

  constructor(name: string, tenants?: readonly string[]) {
    this.name = name;
    this.tenants = tenants;
  }

  readonly sink = {
    publish: (events: readonly DomainEvent[]) =>
      Promise.resolve(
        events.map((event) => {
          const word = this.says(event);
          if (word === 'published') this.taken.push(event);
          return word;
        }),
      ),
  };

  get labels(): string[] {
    return this.taken.map(({ data }) => String(data['sessionId']));
  }
}

let one: Receiver;
let two: Receiver;

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
  await rows.sql`delete from event_sink_stop`;
  metrics = createRelayTally();
  [one, two] = [new Receiver('one'), new Receiver('two')];
});

const relayOptions = (overrides: Partial<EventRelayOptions> = {}): EventRelayOptions => ({
  events: createEventPort(database, { claimer: 'relay', leaseMs: LEASE_MS }),
  sinks: [one, two],
  backoffMs,
  metrics,
  log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  failPoint: noFailPoint,
  ...overrides,
});
const event = (subject: string, label: string) =>
  database.tenant(tenantId, (tx) =>
    enqueue(tx, { tenantId, topic: 'event', subject, payload: labelledEvent(subject, label) }),
  );
/** Until nobody takes anything any more. */
async function relay(options = relayOptions()): Promise<void> {
  await numberRound(options);
  for (const sink of options.sinks) while ((await sinkRound(options, sink)) === 0);
}
const dead = () => database.tenant(tenantId, (tx) => listDead(tx, { tenantId, limit: 10 }));

describe('events', () => {
  test('are told to every sink once, as the same CloudEvent, in the order of each customer', async () => {
    const outboxId = await event('cus_1', 'first');
    await event('cus_2', 'other');
    await event('cus_1', 'second');
    await relay();
    await relay();
    for (const { labels } of [one, two]) {
      expect(labels.toSorted()).toEqual(['first', 'other', 'second']);
      expect(labels.indexOf('first')).toBeLessThan(labels.indexOf('second'));
    }
    expect(one.taken).toEqual(two.taken);
    expect(one.taken[0]).toEqual({
      id: outboxId,
      type: 'bank.app.session_revoked',
      source: `/tenants/${tenantId}`,
      subject: 'cus_1',
      time: expect.stringMatching(/Z$/),
      sequence: expect.any(Number),
      dataSchema: 'urn:latchkey:event:bank.app.session_revoked:1',
      data: { customerId: 'cus_1', sessionId: 'first', reason: 'revoked' },
    });
    expect(metrics.counts).toMatchObject({ delivered: 6, retried: 0, dead: 0 });
  });

  test('go out by themselves until the relay is stopped', async () => {
    const relayed = startEventRelay(relayOptions({ pollMs: 5 }));
    await event('cus_1', 'a');
    await expect.poll(() => [one.labels, two.labels]).toEqual([['a'], ['a']]);
    await event('cus_1', 'b');
    await expect
      .poll(() => [one.labels, two.labels])
      .toEqual([
        ['a', 'b'],
        ['a', 'b'],
      ]);
    await relayed.stop();
    await event('cus_1', 'c');
    expect(await rows.sql`select 1 from outbox where event_sequence is null`).toHaveLength(1);
  });

  test('reach a sink that is for some tenants only from these', async () => {
    const [theirs, others] = [new Receiver('theirs', ['demo']), new Receiver('others', ['other'])];
    await event('cus_1', 'a');
    await relay(relayOptions({ sinks: [theirs, others] }));
    expect([theirs.labels, others.labels]).toEqual([['a'], []]);
    expect(await rows.sql`select sink from event_delivery`).toMatchObject([{ sink: 'theirs' }]);
  });
});

describe('a sink that is down', () => {
  test('holds up no other, is tried less and less, and then gets everything once and in order', async () => {
    one.says = () => 'unavailable';
    for (const label of ['1', '2', '3']) await event('cus_1', label);
    await relay();
    expect(await sinkRound(relayOptions(), one)).toBeUndefined();
    expect(two.labels).toEqual(['1', '2', '3']);
    for (let attempt = 1; attempt < 12; attempt += 1) {
      nowMs += backoffMs(attempt) - 1;
      await relay();
      nowMs += 1;
      expect(await sinkRound(relayOptions(), one)).toBeGreaterThan(500);
    }
    one.says = () => 'published';
    nowMs += backoffMs(12);
    await relay();
    expect([one.labels, two.labels]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3'],
    ]);
  });

  test('for one event makes the later ones of that customer wait, and nobody else’s', async () => {
    one.says = ({ data }) => (data['sessionId'] === 'first' ? 'unavailable' : 'published');
    await event('cus_1', 'first');
    await event('cus_1', 'second');
    await event('cus_2', 'other');
    await relay();
    expect(one.labels).toEqual(['other']);
    one.says = () => 'published';
    nowMs += backoffMs(1);
    await relay();
    expect(one.labels).toEqual(['other', 'first', 'second']);
  });

  test('has its events parked after three days, and they are replayed under their numbers', async () => {
    one.says = () => 'unavailable';
    const outboxId = await event('cus_1', 'old');
    await relay();
    nowMs += 72 * HOUR_MS;
    await relay();
    expect(await dead()).toMatchObject([
      { outboxId, sinks: ['one'], errorCode: 'vendor_unavailable', attempts: 2 },
    ]);
    one.says = () => 'published';
    await database.tenant(tenantId, (tx) => retryDead(tx, { tenantId, outboxId }));
    await relay();
    expect(one.taken).toEqual(two.taken);
    expect(await dead()).toEqual([]);
  });
});

describe('an event that a sink refuses', () => {
  test('is parked for this sink alone and holds up nobody behind it', async () => {
    one.says = ({ data }) => (data['sessionId'] === 'poison' ? 'refused' : 'published');
    const outboxId = await event('cus_1', 'poison');
    await event('cus_1', 'next');
    await relay();
    expect([one.labels, two.labels]).toEqual([['next'], ['poison', 'next']]);
    expect(await dead()).toMatchObject([{ outboxId, sinks: ['one'], errorCode: 'vendor_refused' }]);
    expect(metrics.counts).toMatchObject({ dead: 1, delivered: 3 });
  });

  test('waits for a person also where the sink itself has a fault, after five tries', async () => {
    const broken: NamedSink = {
      name: 'one',
      sink: { publish: () => Promise.reject(new TypeError('a bug')) },
    };
    const options = relayOptions({ sinks: [broken, two] });
    const outboxId = await event('cus_1', 'a');
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      await relay(options);
      expect(await dead()).toEqual([]);
      nowMs += backoffMs(attempt);
    }
    await relay(options);
    expect(await dead()).toMatchObject([{ outboxId, errorCode: 'internal_error', sinks: ['one'] }]);
    expect(two.labels).toEqual(['a']);
  });
});

describe('a sink that is gone for good', () => {
  test('is stopped, with an audit row, and gets what waited once it is resumed', async () => {
    one.says = () => 'gone';
    await event('cus_1', '1');
    await event('cus_1', '2');
    await relay();
    one.says = () => 'published';
    await relay();
    expect([one.labels, two.labels]).toEqual([[], ['1', '2']]);
    expect(
      await rows.sql`select subject_id, detail from audit where action = 'events.sink_stopped'`,
    ).toMatchObject([{ subject_id: 'one', detail: { reason: 'gone' } }]);
    await database.tenant(tenantId, (tx) => resumeSink(tx, { tenantId, sink: 'one' }));
    await relay();
    expect(one.labels).toEqual(['1', '2']);
  });
});

describe('two relays, or one that was killed', () => {
  test('tell each event once, and in order, however many relays there are', async () => {
    const labels = Array.from({ length: 40 }, (_, index) => String(index).padStart(2, '0'));
    for (const label of labels) await event(`cus_${String(Number(label) % 4)}`, label);
    const relays = ['a', 'b', 'c'].map((claimer) =>
      relayOptions({ events: createEventPort(database, { claimer, leaseMs: LEASE_MS }) }),
    );
    await Promise.all(relays.map((options) => relay(options)));
    await relay();
    expect(one.labels.toSorted()).toEqual(labels);
    for (const customer of ['cus_0', 'cus_1', 'cus_2', 'cus_3']) {
      const own = one.taken.filter(({ subject }) => subject === customer);
      const numbers = own.map(({ sequence }) => sequence);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  test('tell again what was told but not written down, under the same id and number', async () => {
    await event('cus_1', 'a');
    const port = createEventPort(database, { claimer: 'killed', leaseMs: LEASE_MS });
    const events = { ...port, settle: () => Promise.reject(new Error('killed here')) };
    await expect(relay(relayOptions({ events, sinks: [one] }))).rejects.toThrow('killed here');
    await relay(relayOptions({ sinks: [one] }));
    expect(one.labels).toEqual(['a']);
    nowMs += LEASE_MS + 1;
    await relay(relayOptions({ sinks: [one] }));
    expect(one.taken).toHaveLength(2);
    expect(one.taken[0]).toEqual(one.taken[1]);
  });
});

describe('the sweeper', () => {
  test('keeps an event until every sink has it, and no longer', async () => {
    one.says = () => 'unavailable';
    await event('cus_1', 'a');
    await relay();
    // Erases prospects only, of whom there are none.
    const sweeps = createSweepPort(database, {} as PersonalData);
    nowMs += (SWEEP_LIMITS.deliveredOutboxDays * 24 + 1) * HOUR_MS;
    await sweeps.sweepTenant(tenantId);
    const left = async () => (await rows.sql`select 1 from event_delivery`).length;
    expect(await left()).toBe(2);
    one.says = () => 'published';
    await relay();
    const outboxId = (await dead())[0]?.outboxId ?? '';
    await database.tenant(tenantId, (tx) => retryDead(tx, { tenantId, outboxId }));
    await relay();
    await sweeps.sweepTenant(tenantId);
    expect(await left()).toBe(0);
  });
});
