/**
 * The race of SECURITY.md section 1 with a freeze instead of a cut-off: no request, approval or use of a step-up is granted once the freeze was
 * committed, in whichever order their statements come.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import type { Tx } from '../../../db/connection.ts';
import { placeFreeze } from '../../../db/freeze.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { DEFAULT_FREEZE_POLICY } from '../../../domain/freeze-policy.ts';
import { statusOf } from '../../../domain/step-up-status.ts';
import { mergesOf, play } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import {
  approvalOf,
  approved,
  asked,
  drive,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  read,
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

interface Ready {
  readonly customer: StepUpCustomer;
  readonly stepUpId: string;
  readonly submissionId: string;
}

const newCustomer = () => run((tx) => insertStepUpCustomer(tx, race.tenantId));

async function submitted(): Promise<Ready> {
  const customer = await newCustomer();
  return await run(async (tx) => {
    const stepUpId = await asked(tx, customer);
    await drive(tx, customer, stepUpId, { event: 'opened' });
    const payload = approvalOf(customer, await show(tx, customer, stepUpId));
    const handed = { step: 'step_up_approval', payload } as const;
    return { customer, stepUpId, submissionId: await submit(tx, customer, stepUpId, handed) };
  });
}

async function approvedOne(): Promise<Ready> {
  const customer = await newCustomer();
  return { customer, stepUpId: await approved(run, customer), submissionId: '' };
}

const GRANTS = [
  {
    name: 'approve',
    prepare: submitted,
    work: (tx: Tx, { customer, stepUpId, submissionId }: Ready) =>
      drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId }),
    status: 'approved',
  },
  {
    name: 'consume',
    prepare: approvedOne,
    work: (tx: Tx, { stepUpId }: Ready) =>
      consumeStepUp(tx, STEP_UP_TOOLS, {
        tenantId: race.tenantId,
        stepUpId,
        requester: PAYMENTS,
        action: payment('400.00'),
      }),
    status: 'consumed',
  },
] as const;

const freeze = ({ customer }: Ready): Actor =>
  race.stage.actor('freeze', (tx) =>
    placeFreeze(tx, {
      tenantId: race.tenantId,
      customerId: customer.customerId,
      freezeId: newId('freeze'),
      how: 'app',
      by: { kind: 'customer', id: customer.customerId },
      isProved: true,
      policy: DEFAULT_FREEZE_POLICY,
    }),
  );

const shown = async ({ stepUpId }: Ready) =>
  statusOf(await run((tx) => read(tx, race.tenantId, stepUpId)));

describe.each(GRANTS)('$name against a freeze', ({ name, prepare, work, status }) => {
  const grant = (ready: Ready): Actor => race.stage.actor(name, (tx) => work(tx, ready));

  /** The freeze always comes through; the grant only when it was committed before. */
  async function expectSafe(order: string): Promise<void> {
    const ready = await prepare();
    const before = await shown(ready);
    const committed = await play(order, grant(ready), freeze(ready));
    const isGranted = committed.includes(name);
    expect({ order, committed, shown: await shown(ready) }).toEqual({
      order,
      committed: isGranted ? [name, 'freeze'] : ['freeze'],
      shown: isGranted ? status : before,
    });
  }

  test('in every interleaving of their first statements, nothing is granted after the freeze', async () => {
    const orders = mergesOf(4, 2);
    for (const order of orders) await expectSafe(order);
    expect(orders).toHaveLength(15);
  });

  test('wherever in the grant the freeze begins, and wherever in the freeze the grant', async () => {
    const once = grant(await prepare());
    expect(await once.end()).toBe('committed');
    const freezeOnce = freeze(await prepare());
    expect(await freezeOnce.end()).toBe('committed');
    for (let k = 0; k <= once.statements; k += 2)
      await expectSafe('a'.repeat(k) + 'b'.repeat(freezeOnce.statements));
    for (let k = 0; k <= freezeOnce.statements; k += 1)
      await expectSafe('b'.repeat(k) + 'a'.repeat(once.statements));
  });

  test('the grant waits for a freeze that is not committed yet, and is then refused', async () => {
    const ready = await prepare();
    const b = freeze(ready);
    await b.step();
    const a = grant(ready);
    expect(await a.finish()).toBe('waiting_for_lock');
    expect(await b.end()).toBe('committed');
    expect(await a.end()).toBe('failed');
    expect(a.error).toMatchObject({ code: 'customer_frozen' });
  });

  test('the freeze waits for a grant that is not committed yet, which then stands', async () => {
    const ready = await prepare();
    const a = grant(ready);
    for (let step = 0; step < 4; step += 1) await a.step();
    const b = freeze(ready);
    expect(await b.finish()).toBe('waiting_for_lock');
    expect(await a.end()).toBe('committed');
    expect(await b.end()).toBe('committed');
    expect(await shown(ready)).toBe(status);
  });
});
