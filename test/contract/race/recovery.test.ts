/**
 * The races of a recovery: the binding against a cut-off and against the owner's veto, two bindings, an approval against an edit of the case, a veto
 * against the end of the time to object. In whichever order their statements come, what ends first decides, and nothing is half-granted.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import type { Tx } from '../../../db/connection.ts';
import { decide } from '../../../db/recovery-decisions.ts';
import { objectToRecovery } from '../../../db/recovery-ends.ts';
import { approversOf } from '../../../db/recovery-facts.ts';
import { recordFactor } from '../../../db/recovery-ledger.ts';
import type { RecoverySubject } from '../../../domain/recovery.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import { mergesOf, play } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import {
  approved,
  colleague,
  drive,
  insertRecoverable,
  proved,
  read,
  readyToBind,
  RECOVERY_TOOLS,
  submitPasskey,
} from '../../setup/recoveries.ts';
import type { RecoverableCustomer } from '../../setup/recoveries.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});
afterAll(() => race.close());

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
  race.database.tenant(race.tenantId, work);

interface Ready {
  readonly customer: RecoverableCustomer;
  readonly subject: RecoverySubject;
}

async function ready(
  until: (customer: RecoverableCustomer) => Promise<RecoverySubject>,
): Promise<Ready> {
  const customer = await run((tx) => insertRecoverable(tx, race.tenantId));
  return { customer, subject: await until(customer) };
}

const inRebind = () => ready((customer) => readyToBind(run, customer));
const inReview = () => ready((customer) => proved(run, customer));
/** Its time to object is over; nobody has followed that yet. */
const inCooling = () =>
  ready(async (customer) => {
    const subject = await proved(run, customer);
    await approved(run, subject);
    await run(
      (
        tx,
      ) => tx`update recovery set cooling_from = cooling_from - make_interval(secs => cooling_seconds + 1)
        where recovery_id = ${subject.recoveryId}`,
    );
    return subject;
  });

const binder = (name: string, { customer, subject }: Ready, submissionId: string): Actor =>
  race.stage.actor(name, async (tx) => {
    const answer = await drive(tx, subject, 'rebound', submissionId);
    // What the rows say instead binds nobody: for this test that is a refusal.
    if (!('isMoved' in answer) || !answer.isMoved) throw new Error('not bound');
    return customer.customerId;
  });
const submitted = ({ customer, subject }: Ready) =>
  run((tx) => submitPasskey(tx, customer, subject));
const cutter = ({ customer }: Ready): Actor =>
  race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, customer));
const vetoer = ({ customer, subject }: Ready): Actor =>
  race.stage.actor('veto', (tx) =>
    objectToRecovery(tx, RECOVERY_TOOLS, {
      subject,
      customerId: customer.customerId,
      deviceId: customer.deviceId,
    }),
  );

interface Standing {
  readonly state: string;
  readonly outcome: string | null;
  readonly live: number;
  readonly fresh: number;
}

/** How the case ended, how many devices may be used, and whether the new phone is there. */
async function standing({ customer, subject }: Ready): Promise<Standing> {
  const { state, outcome } = await run((tx) => read(tx, subject));
  const [row] = await run(
    (tx) => tx<{ live: number; fresh: number }[]>`
      select (count(*) filter (where status = 'trusted'))::integer as live,
        (count(*) filter (where session_jkt = ${customer.newJkt}))::integer as fresh
      from device where customer_id = ${customer.customerId}`,
  );
  return { state, outcome, live: row?.live ?? -1, fresh: row?.fresh ?? -1 };
}

/** Each early merge of their first statements, and each of them begun wherever the other stands. */
async function everyOrder(play1: (order: string) => Promise<void>, a: number, b: number) {
  for (const order of mergesOf(3, 2)) await play1(order);
  for (let k = 3; k <= a; k += 6) await play1('a'.repeat(k) + 'b'.repeat(b));
  for (let k = 2; k <= b; k += 3) await play1('b'.repeat(k) + 'a'.repeat(a));
}

describe('the binding against a cut-off', () => {
  test('grants nothing after it, and a phone bound before it is suspended by it', async () => {
    let afterwards = 0;
    await everyOrder(
      async (order) => {
        const one = await inRebind();
        const committed = await play(order, binder('bind', one, await submitted(one)), cutter(one));
        const isBound = committed.includes('bind');
        if (!isBound) afterwards += 1;
        expect({ order, committed, ...(await standing(one)) }).toEqual(
          isBound
            ? {
                order,
                committed: ['bind', 'cut-off'],
                state: 'ended',
                outcome: 'completed',
                live: 0,
                fresh: 1,
              }
            : { order, committed: ['cut-off'], state: 'rebind', outcome: null, live: 0, fresh: 0 },
        );
      },
      24,
      5,
    );
    expect(afterwards).toBeGreaterThan(2);
  });

  test('waits for a cut-off that is not committed yet, and is then refused', async () => {
    const one = await inRebind();
    const cut = cutter(one);
    await cut.step();
    const bind = binder('bind', one, await submitted(one));
    expect(await bind.finish()).toBe('waiting_for_lock');
    expect(await cut.end()).toBe('committed');
    expect(await bind.end()).toBe('failed');
  });
});

describe('the binding against the owner’s veto', () => {
  test('one of both happens: bound, and the veto is a signal of fraud; or vetoed, and nothing is bound', async () => {
    await everyOrder(
      async (order) => {
        const one = await inRebind();
        const committed = await play(order, binder('bind', one, await submitted(one)), vetoer(one));
        const isBound = committed.includes('bind');
        expect({ order, committed, ...(await standing(one)) }).toEqual({
          order,
          committed: isBound ? ['bind', 'veto'] : ['veto'],
          state: 'ended',
          outcome: isBound ? 'completed' : 'denied',
          // Heard after the end it cut everything off.
          live: isBound ? 0 : 1,
          fresh: isBound ? 1 : 0,
        });
      },
      24,
      8,
    );
  });
});

describe('two bindings', () => {
  test('bind one phone', async () => {
    await everyOrder(
      async (order) => {
        const one = await inRebind();
        const committed = await play(
          order,
          binder('first', one, await submitted(one)),
          binder('second', one, await submitted(one)),
        );
        expect(committed.length).toBeGreaterThan(0);
        expect({ order, ...(await standing(one)) }).toEqual({
          order,
          state: 'ended',
          outcome: 'completed',
          live: 1,
          fresh: 1,
        });
        const revocations = await run(
          (tx) => tx`select 1 from revocation where customer_id = ${one.customer.customerId}`,
        );
        expect(revocations).toHaveLength(1);
      },
      24,
      24,
    );
  });
});

describe('an approval against an edit of the case', () => {
  test('never counts for what was edited after it, nor is given for what the person has not seen', async () => {
    const [reviewer, recorder] = [
      await colleague(run, race.tenantId),
      await colleague(run, race.tenantId),
    ];
    let refusals = 0;
    await everyOrder(
      async (order) => {
        const one = await inReview();
        const { subject } = one;
        const { revision } = await run((tx) => read(tx, subject));
        const approve = race.stage.actor('approve', (tx) =>
          decide(tx, RECOVERY_TOOLS, {
            subject,
            kind: 'approve',
            revision,
            reason: 'person_recognised',
            staffId: reviewer.staffId,
          }),
        );
        const edit = race.stage.actor('edit', (tx) =>
          recordFactor(tx, RECOVERY_TOOLS, {
            subject,
            method: 'call_back',
            evidenceId: newId('request'),
            staffId: recorder.staffId,
          }),
        );
        const committed = await play(order, approve, edit);
        expect(committed).toContain('edit');
        if (!committed.includes('approve')) refusals += 1;
        const counting = await run(async (tx) => approversOf(tx, await read(tx, subject)));
        expect({ order, counting }).toEqual({ order, counting: 0 });
      },
      10,
      10,
    );
    expect(refusals).toBeGreaterThan(2);
  });
});

describe('a veto against the end of the time to object', () => {
  test('ends the case in either order, and no phone can be bound after it', async () => {
    await everyOrder(
      async (order) => {
        const one = await inCooling();
        const over = race.stage.actor('over', (tx) => drive(tx, one.subject, 'cooling_over'));
        const committed = await play(order, over, vetoer(one));
        expect(committed).toContain('veto');
        expect({ order, ...(await standing(one)) }).toEqual({
          order,
          state: 'ended',
          outcome: 'denied',
          live: 1,
          fresh: 0,
        });
        const submissionId = await submitted(one);
        await expect(
          run((tx) => drive(tx, one.subject, 'rebound', submissionId)),
        ).rejects.toMatchObject({ code: 'ceremony_ended' });
      },
      9,
      8,
    );
  });
});
