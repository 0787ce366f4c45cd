/**
 * The race of SECURITY.md section 1, the final grants of a step-up: keys, code and use against a cut-off, statement by statement on real
 * connections, and every two that end or use one step-up against each other. The naive forms are shown to lose.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../../db/connection.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { statusOf } from '../../../domain/step-up-status.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import { mergesOf, play } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import {
  approvalOf,
  approved,
  asked,
  CARDS,
  drive,
  guess,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  proveKeys,
  read,
  sentCode,
  show,
  STEP_UP_TOOLS,
  submit,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});

afterAll(() => race.close());

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  race.database.tenant(race.tenantId, work);

/** One step-up just before the grant that races. */
interface Ready {
  readonly customer: StepUpCustomer;
  readonly stepUpId: string;
  readonly amount: string;
  readonly submissionId: string;
}

const newCustomer = () => run((tx) => insertStepUpCustomer(tx, race.tenantId));

async function openAndSubmitted(amount = '400.00'): Promise<Ready> {
  const customer = await newCustomer();
  return await run(async (tx) => {
    const stepUpId = await asked(tx, customer, { action: payment(amount) });
    await drive(tx, customer, stepUpId, { event: 'opened' });
    const payload = approvalOf(customer, await show(tx, customer, stepUpId));
    const handed = { step: 'step_up_approval', payload } as const;
    const submissionId = await submit(tx, customer, stepUpId, handed);
    return { customer, stepUpId, amount, submissionId };
  });
}

async function codeMatched(): Promise<Ready> {
  const customer = await newCustomer();
  const amount = '40000.00';
  return await run(async (tx) => {
    const stepUpId = await asked(tx, customer, { action: payment(amount) });
    await drive(tx, customer, stepUpId, { event: 'opened' });
    await proveKeys(tx, customer, stepUpId, await show(tx, customer, stepUpId));
    await guess(tx, customer, stepUpId, await sentCode(tx, customer, stepUpId));
    return { customer, stepUpId, amount, submissionId: '' };
  });
}

async function approvedOne(): Promise<Ready> {
  const customer = await newCustomer();
  const stepUpId = await approved(run, customer);
  return { customer, stepUpId, amount: '400.00', submissionId: '' };
}

interface Grant {
  readonly name: string;
  readonly prepare: () => Promise<Ready>;
  readonly work: (tx: Tx, ready: Ready) => Promise<unknown>;
  readonly status: string;
}

const GRANTS: readonly Grant[] = [
  {
    name: 'approve',
    prepare: () => openAndSubmitted(),
    work: (tx, { customer, stepUpId, submissionId }) =>
      drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId }),
    status: 'approved',
  },
  {
    name: 'code',
    prepare: codeMatched,
    work: (tx, { customer, stepUpId }) => drive(tx, customer, stepUpId, { event: 'code_matched' }),
    status: 'approved',
  },
  { name: 'consume', prepare: approvedOne, work: use, status: 'consumed' },
];

async function use(tx: Tx, { stepUpId, amount }: Ready) {
  return await consumeStepUp(tx, STEP_UP_TOOLS, {
    tenantId: race.tenantId,
    stepUpId,
    requester: PAYMENTS,
    action: payment(amount),
  });
}

const cut = ({ customer }: Ready): Actor =>
  race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, customer));

const shown = async ({ stepUpId }: Ready) =>
  statusOf(await run((tx) => read(tx, race.tenantId, stepUpId)));

describe.each(GRANTS)('$name against a cut-off', ({ name, prepare, work, status }) => {
  const grant = (ready: Ready): Actor => race.stage.actor(name, (tx) => work(tx, ready));

  /** The cut-off always comes through; the grant only when it was committed before. */
  async function expectSafe(order: string): Promise<void> {
    const ready = await prepare();
    const before = await shown(ready);
    const committed = await play(order, grant(ready), cut(ready));
    const isGranted = committed.includes(name);
    expect({ order, committed, shown: await shown(ready) }).toEqual({
      order,
      committed: isGranted ? [name, 'cut-off'] : ['cut-off'],
      shown: isGranted ? status : before,
    });
  }

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
  const naive = (ready: Ready) =>
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
    const ready = await approvedOne();
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
    expect(await shown(ready)).toBe('consumed');
  });

  test('the real form, in the same place, refuses', async () => {
    const ready = await approvedOne();
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
    const ready = await approvedOne();
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
  const ending = (event: 'cancelled' | 'declined' | 'not_me') => async (tx: Tx, ready: Ready) =>
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
      (tx: Tx, { customer }: Ready) => asked(tx, customer, { reference: 'the same' }),
      'superseded',
    ],
    [
      'its time',
      (tx: Tx, { customer, stepUpId }: Ready) =>
        drive(tx, customer, stepUpId, { event: 'risk_refused' }),
      'denied',
    ],
  ] as const;

  test.each(RIVALS)('consume and %s: one of them, never both', async (name, rival, end) => {
    const seen = new Set<string>();
    // Also far ahead: some have much to ask before they come to the row.
    for (const order of [...mergesOf(3, 3), 'a'.repeat(12), 'b'.repeat(12)]) {
      const customer = await newCustomer();
      const stepUpId = await approved(run, customer, { reference: 'the same' });
      const ready = { customer, stepUpId, amount: '400.00', submissionId: '' };
      const a = race.stage.actor('consume', (tx) => use(tx, ready));
      const b = race.stage.actor(name, (tx) => rival(tx, ready));
      await play(order, a, b);
      const now = await shown(ready);
      const isUsed = (await a.state()) === 'committed';
      expect({ order, now }).toEqual({ order, now: isUsed ? 'consumed' : end });
      seen.add(now);
    }
    expect([...seen].sort()).toEqual(['consumed', end].sort());
  });

  test('consume and consume: one uses it, the other is told the old fact', async () => {
    for (const order of mergesOf(4, 4)) {
      const ready = await approvedOne();
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
      const ready = await openAndSubmitted();
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
      const customer = await newCustomer();
      const make = (name: string) => race.stage.actor(name, (tx) => asked(tx, customer));
      const [a, b] = [make('one'), make('two')];
      await play(order, a, b);
      const failed = [a, b].filter(({ error }) => error !== undefined);
      expect(failed).toHaveLength(1);
      expect(failed[0]?.error).toMatchObject({ code: 'step_up_pending' });
    }
  });

  test('two requesters of one customer wait for each other and both get their place', async () => {
    const customer = await newCustomer();
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
