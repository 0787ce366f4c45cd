/**
 * The race of SECURITY.md section 1 with a freeze instead of a cut-off: no request, approval or use of a step-up is granted once the freeze was
 * committed, in whichever order their statements come.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { placeFreeze } from '../../../db/freeze.ts';
import { DEFAULT_FREEZE_POLICY } from '../../../domain/freeze-policy.ts';
import { mergesOf } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import { expectNothingGrantedAfter, shown, STEP_UP_GRANTS } from '../../setup/step-up-grants.ts';
import type { ReadyStepUp } from '../../setup/step-up-grants.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});
afterAll(() => race.close());

const freeze = ({ customer }: ReadyStepUp): Actor =>
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

describe.each(STEP_UP_GRANTS)('$name against a freeze', (one) => {
  const { name, work, status } = one;
  const prepare = () => one.prepare(race);
  const grant = (ready: ReadyStepUp): Actor => race.stage.actor(name, (tx) => work(tx, ready));
  const expectSafe = (order: string) =>
    expectNothingGrantedAfter(race, one, { order, name: 'freeze', actor: freeze });

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
    expect(await shown(race, ready)).toBe(status);
  });
});
