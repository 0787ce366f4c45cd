/**
 * The race of SECURITY.md section 1, the final grants of a step-up: keys, code and use against a cut-off, statement by statement on real
 * connections, and every two that end or use one step-up against each other. The naive forms are shown to lose.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../../db/connection.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import { mergesOf, play } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import {
  approvedOne,
  expectNothingGrantedAfter,
  newCustomer,
  openAndSubmitted,
  shown,
  STEP_UP_GRANTS,
  use,
} from '../../setup/step-up-grants.ts';
import type { ReadyStepUp } from '../../setup/step-up-grants.ts';
import { approved, asked, CARDS, drive, show, STEP_UP_TOOLS } from '../../setup/step-ups.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});

afterAll(() => race.close());

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  race.database.tenant(race.tenantId, work);

const cut = ({ customer }: ReadyStepUp): Actor =>
  race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, customer));

describe.each(STEP_UP_GRANTS)('$name against a cut-off', (one) => {
  const { name, work } = one;
  const prepare = () => one.prepare(race);
  const grant = (ready: ReadyStepUp): Actor => race.stage.actor(name, (tx) => work(tx, ready));
  const expectSafe = (order: string) =>
    expectNothingGrantedAfter(race, one, { order, name: 'cut-off', actor: cut });

  test('in every interleaving of their first statements, nothing is granted after the cut-off', async () => {
    const orders = mergesOf(4, 3);
    for (const order of orders) await expectSafe(order);
    expect(orders).toHaveLength(35);
  });

  test('wherever in the grant the cut-off begins, and wherever in the cut-off the grant', async () => {
    const once = grant(await prepare());
    expect(await once.end()).toBe('committed');
    const cutOnce = cut(await prepare());
    expect(await cutOnce.end()).toBe('committed');
    expect(once.statements).toBeGreaterThanOrEqual(8);
    for (let k = 0; k <= once.statements; k += 1)
      await expectSafe('a'.repeat(k) + 'b'.repeat(cutOnce.statements));
    for (let k = 0; k <= cutOnce.statements; k += 1)
      await expectSafe('b'.repeat(k) + 'a'.repeat(once.statements));
  });

  test('the grant waits for a cut-off that is not committed yet, and is then refused', async () => {
    const ready = await prepare();
    const b = cut(ready);
    await b.step();
    const a = grant(ready);
    expect(await a.finish()).toBe('waiting_for_lock');
    expect(await b.end()).toBe('committed');
    expect(await a.end()).toBe('failed');
    expect(a.error).toMatchObject({ code: 'revoked' });
  });
});

describe('the naive forms', () => {
  /** Consumes when the epoch is right, as one would write it who does not know section 1. */
  const naive = (ready: ReadyStepUp) =>
    race.stage.actor('naive', async (tx) => {
      const moved = await tx`
        update ceremony c set state = 'ended', outcome = 'completed', reason = 'consumed', ended_at = latchkey_now()
        from customer u
        where c.ceremony_id = ${ready.stepUpId} and c.state = 'approved' and u.tenant_id = c.tenant_id
          and u.customer_id = c.customer_id and u.security_epoch = c.epoch
        returning 1`;
      if (moved.length === 0) throw new Error('refused');
    });

  test('an epoch compared in WHERE alone uses an approval after the cut-off was committed', async () => {
    const ready = await approvedOne(race);
    // Somebody holds the ceremony's row, so that the naive statement waits with its old snapshot.
    const holder = race.stage.actor('holder', async (tx) => {
      await tx`select 1 from ceremony where ceremony_id = ${ready.stepUpId} for update`;
      await tx`select 1`;
    });
    await holder.step();
    const a = naive(ready);
    expect(await a.step()).toBe('waiting_for_lock');
    const b = cut(ready);
    expect(await b.end()).toBe('committed');
    expect(await holder.end()).toBe('committed');
    // The cut-off is acknowledged, and yet:
    expect(await a.end()).toBe('committed');
    expect(await shown(race, ready)).toBe('consumed');
  });

  test('the real form, in the same place, refuses', async () => {
    const ready = await approvedOne(race);
    const holder = race.stage.actor('holder', async (tx) => {
      await tx`select 1 from ceremony where ceremony_id = ${ready.stepUpId} for update`;
      await tx`select 1`;
    });
    await holder.step();
    const a = race.stage.actor('consume', (tx) => use(tx, ready));
    expect(await a.finish()).toBe('waiting_for_lock');
    const b = cut(ready);
    // It has shared the customer's row: the cut-off waits for it, and comes after.
    expect(await b.step()).toBe('waiting_for_lock');
    expect(await holder.end()).toBe('committed');
    expect(await a.end()).toBe('committed');
    expect(await b.end()).toBe('committed');
  });

  test('a state read without the row’s lock is used twice', async () => {
    const ready = await approvedOne(race);
    const twice = (name: string) =>
      race.stage.actor(name, async (tx) => {
        const [row] =
          await tx`select 1 from ceremony where ceremony_id = ${ready.stepUpId} and state = 'approved'`;
        if (row === undefined) throw new Error('refused');
        await tx`update ceremony set state = 'ended', outcome = 'completed', reason = 'consumed', ended_at = latchkey_now()
          where ceremony_id = ${ready.stepUpId}`;
      });
    const [a, b] = [twice('one'), twice('two')];
    await a.step();
    await b.step();
    expect(await a.end()).toBe('committed');
    expect(await b.end()).toBe('committed');
  });
});

describe('two that want the same approval', () => {
  const ending =
    (event: 'cancelled' | 'declined' | 'not_me') => async (tx: Tx, ready: ReadyStepUp) =>
      await endStepUp(tx, STEP_UP_TOOLS, {
        tenantId: race.tenantId,
        stepUpId: ready.stepUpId,
        actor: { kind: 'customer', id: ready.customer.customerId },
        ...(event === 'cancelled' ? { event } : { event: 'denied', reason: event }),
      });
  const RIVALS = [
    ['cancel', ending('cancelled'), 'cancelled'],
    ['deny', ending('declined'), 'denied'],
    ['not me', ending('not_me'), 'denied'],
    [
      'a newer request',
      (tx: Tx, { customer }: ReadyStepUp) => asked(tx, customer, { reference: 'the same' }),
      'superseded',
    ],
    [
      'its time',
      (tx: Tx, { customer, stepUpId }: ReadyStepUp) =>
        drive(tx, customer, stepUpId, { event: 'risk_refused' }),
      'denied',
    ],
  ] as const;

  test.each(RIVALS)('consume and %s: one of them, never both', async (name, rival, end) => {
    const seen = new Set<string>();
    // Also far ahead: some have much to ask before they come to the row.
    for (const order of [...mergesOf(3, 3), 'a'.repeat(12), 'b'.repeat(12)]) {
      const customer = await newCustomer(race);
      const stepUpId = await approved(run, customer, { reference: 'the same' });
      const ready = { customer, stepUpId, amount: '400.00', submissionId: '' };
      const a = race.stage.actor('consume', (tx) => use(tx, ready));
      const b = race.stage.actor(name, (tx) => rival(tx, ready));
      await play(order, a, b);
      const now = await shown(race, ready);
      const isUsed = (await a.state()) === 'committed';
      expect({ order, now }).toEqual({ order, now: isUsed ? 'consumed' : end });
      seen.add(now);
    }
    expect([...seen].sort()).toEqual(['consumed', end].sort());
  });

  test('consume and consume: one uses it, the other is told the old fact', async () => {
    for (const order of mergesOf(4, 4)) {
      const ready = await approvedOne(race);
      const a = race.stage.actor('one', (tx) => use(tx, ready));
      const b = race.stage.actor('two', (tx) => use(tx, ready));
      await play(order, a, b);
      // What use() answers is what consumeStepUp() does.
      const facts = (await Promise.all([a.outcome, b.outcome])) as { isRepeat: boolean }[];
      expect(facts.filter(({ isRepeat }) => isRepeat)).toHaveLength(1);
      const rows = await run(
        (tx) =>
          tx`select 1 from audit where ceremony_id = ${ready.stepUpId} and action = 'step_up.consumed'`,
      );
      expect(rows).toHaveLength(1);
    }
  });

  test('an opening anew and the approval of the former one: never approved over what is no longer shown', async () => {
    for (const order of mergesOf(3, 3)) {
      const ready = await openAndSubmitted(race);
      const { customer, stepUpId, submissionId } = ready;
      const a = race.stage.actor('approve', (tx) =>
        drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId }),
      );
      const b = race.stage.actor('open', (tx) => show(tx, customer, stepUpId, { locale: 'de' }));
      await play(order, a, b);
      const states = [await a.state(), await b.state()];
      expect(states.filter((state) => state === 'committed')).toHaveLength(1);
    }
  });

  test('two requests of one requester: one waits for its answer, the other is told so', async () => {
    for (const order of mergesOf(4, 4)) {
      const customer = await newCustomer(race);
      const make = (name: string) => race.stage.actor(name, (tx) => asked(tx, customer));
      const [a, b] = [make('one'), make('two')];
      await play(order, a, b);
      const failed = [a, b].filter(({ error }) => error !== undefined);
      expect(failed).toHaveLength(1);
      expect(failed[0]?.error).toMatchObject({ code: 'step_up_pending' });
    }
  });

  test('two requesters of one customer wait for each other and both get their place', async () => {
    const customer = await newCustomer(race);
    const a = race.stage.actor('one', (tx) => asked(tx, customer));
    const b = race.stage.actor('two', (tx) => asked(tx, customer, { requester: CARDS }));
    await a.step();
    await a.step();
    await a.step();
    expect(await b.finish()).toBe('waiting_for_lock');
    expect(await a.end()).toBe('committed');
    expect(await b.end()).toBe('committed');
  });
});
