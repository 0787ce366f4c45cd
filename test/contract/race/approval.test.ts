/**
 * Approvals against each other, a decline, a cut-off and a role that goes, statement by statement on real connections. Whatever the order, a hold
 * is lifted at most once, by two persons, in the state that was approved; and no cut-off that was committed is lifted by a request from before it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { approveRelease, declineRelease, requestRelease } from '../../../db/approvals.ts';
import type { Tx } from '../../../db/connection.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { mergesOf } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';
import { insertStaff, setRoles } from '../../setup/rows/staff-rows.ts';
import type { SeededStaff } from '../../setup/rows/staff-rows.ts';

let race: Race;
let agent: SeededStaff;
let one: SeededStaff;
let other: SeededStaff;
beforeAll(async () => {
  race = await openRace();
  const staff = (roles: ['agent'] | ['supervisor']) =>
    inTenant((tx) => insertStaff(tx, race.tenantId, { roles }));
  agent = await staff(['agent']);
  one = await staff(['supervisor']);
  other = await staff(['supervisor']);
});
afterAll(() => race.close());

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => race.database.tenant(race.tenantId, work);

interface Case {
  readonly customer: SeededCustomer;
  readonly holdId: string;
  readonly approvalId: string;
}

/** A customer on hold, whose release an agent has asked for. */
async function requested(preparer = agent): Promise<Case> {
  const { tenantId } = race;
  const customer = await race.newCustomer();
  return await inTenant(async (tx) => {
    await cutOffCustomer(tx, customer);
    const [hold] = await tx<{ holdId: string }[]>`
      select hold_id from hold where customer_id = ${customer.customerId}`;
    const approvalId = newId('approval');
    const holdId = hold?.holdId ?? '';
    const asked = { tenantId, holdId, approvalId, staffId: preparer.staffId };
    await requestRelease(tx, { ...asked, reason: 'false_alarm', ttlSeconds: 600 });
    return { customer, holdId, approvalId };
  });
}

const approving = ({ approvalId }: Case, by: SeededStaff, name = 'approve'): Actor =>
  race.stage.actor(name, (tx) =>
    approveRelease(tx, { tenantId: race.tenantId, approvalId, staffId: by.staffId }),
  );
const declining = ({ approvalId }: Case): Actor =>
  race.stage.actor('decline', (tx) =>
    declineRelease(tx, { tenantId: race.tenantId, approvalId, staffId: other.staffId }),
  );
const cutting = ({ customer }: Case): Actor =>
  race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, customer));

/** Moves both as the letters say, then to their ends: none may fail. Answers what each was told. */
async function play(order: string, a: Actor, b: Actor): Promise<readonly [unknown, unknown]> {
  for (const letter of order) await (letter === 'a' ? a : b).step();
  await Promise.all([a.end(), b.end()]);
  return [await a.outcome, await b.outcome];
}

async function left({ customer, approvalId }: Case) {
  const [row] = await race.superuser<
    {
      hold: string;
      epoch: number;
      approval: string;
      releases: number;
      device: string;
      activeHolds: number;
    }[]
  >`
    select h.status as hold, c.security_epoch as epoch, a.status as approval, d.status as device,
      (select count(*)::integer from hold where customer_id = c.customer_id and status = 'active') as "activeHolds",
      (select count(*)::integer from audit where customer_id = c.customer_id and action = 'fraud.released') as releases
    from approval a join hold h using (tenant_id, hold_id) join customer c on c.customer_id = a.customer_id
    join device d on d.customer_id = c.customer_id
    where a.approval_id = ${approvalId} and c.customer_id = ${customer.customerId}`;
  if (row === undefined) throw new Error('the case is there');
  return { ...row };
}

/** One statement after the other, the second somewhere in the first, and the first steps of both in every order. */
async function orders(
  a: () => Promise<Actor>,
  b: () => Promise<Actor>,
): Promise<readonly string[]> {
  const count = async (actor: Actor) => {
    await actor.end();
    return actor.statements;
  };
  const [ofA, ofB] = [await count(await a()), await count(await b())];
  return [
    ...mergesOf(3, 3),
    ...Array.from({ length: ofA + 1 }, (_, k) => 'a'.repeat(k) + 'b'.repeat(ofB)),
    ...Array.from({ length: ofB + 1 }, (_, k) => 'b'.repeat(k) + 'a'.repeat(ofA)),
  ];
}

const isRelease = (outcome: unknown) =>
  typeof outcome === 'object' && outcome !== null && 'releasedAtMs' in outcome;

/** What somebody was told, as one word. */
const word = (outcome: unknown) => {
  if (isRelease(outcome)) return 'released';
  return typeof outcome === 'object' && outcome !== null && 'refused' in outcome
    ? String(outcome.refused)
    : 'done';
};

/** Everything that came of it, over all orders, each once. */
class Seen {
  readonly #ends = new Set<string>();

  add(...parts: readonly (string | number)[]): void {
    this.#ends.add(parts.join(' '));
  }

  get ends(): readonly string[] {
    return [...this.#ends].toSorted();
  }
}

describe('an approval against', () => {
  test('a second approval: one lifts the hold, the other is told that it was decided', async () => {
    const all = await orders(
      async () => approving(await requested(), one),
      async () => approving(await requested(), other, 'again'),
    );
    const seen = new Seen();
    for (const order of all) {
      const subject = await requested();
      const pair = [approving(subject, one), approving(subject, other, 'again')] as const;
      const outcomes = await play(order, ...pair);
      const { hold, releases } = await left(subject);
      seen.add(...outcomes.map(word).toSorted(), hold, releases);
    }
    expect(all.length).toBeGreaterThan(40);
    expect(seen.ends).toEqual(['approval_decided released released 1']);
  });

  test('a decline: whoever is first decides, and the hold says the same as the approval', async () => {
    const all = await orders(
      async () => approving(await requested(), one),
      async () => declining(await requested()),
    );
    const seen = new Seen();
    for (const order of all) {
      const subject = await requested();
      const outcomes = await play(order, approving(subject, one), declining(subject));
      const { approval, hold, releases } = await left(subject);
      seen.add(...outcomes.map(word), approval, hold, releases);
    }
    expect(seen.ends).toEqual([
      'approval_decided done declined active 0',
      'released approval_decided approved released 1',
    ]);
  });

  test('a fresh cut-off: a hold stands at the end, under the raised epoch, whoever came first', async () => {
    const all = await orders(
      async () => approving(await requested(), one),
      async () => cutting(await requested()),
    );
    const seen = new Seen();
    for (const order of all) {
      const subject = await requested();
      const [approved] = await play(order, approving(subject, one), cutting(subject));
      const { approval, hold, releases, epoch, device, activeHolds } = await left(subject);
      seen.add(word(approved), approval, hold, releases, epoch, device, activeHolds);
    }
    // Approved before the cut-off, it lifted that hold and the cut-off placed another; after it, it is void.
    expect(seen.ends).toEqual([
      'approval_void void active 0 3 suspended 1',
      'released approved released 1 3 suspended 1',
    ]);
  });

  test.each([
    ['whoever asked', 'makes the request void', 'approval_void', 'void'],
    ['whoever approves', 'is refused', 'staff_role_missing', 'pending'],
  ] as const)('the loss of the role of %s: it %s', async (who, _then, refused, status) => {
    const { tenantId } = race;
    const seen = new Seen();
    for (let steps = 0; steps < 12; steps += 1) {
      const preparer = await inTenant((tx) => insertStaff(tx, tenantId, { roles: ['agent'] }));
      const approver = await inTenant((tx) => insertStaff(tx, tenantId, { roles: ['supervisor'] }));
      const subject = await requested(preparer);
      const loser = who === 'whoever asked' ? preparer : approver;
      const lose = race.stage.actor('login', (tx) => setRoles(tx, loser, ['auditor']));
      const order = `${'a'.repeat(steps)}bb`;
      const [approved] = await play(order, approving(subject, approver), lose);
      const { approval, releases } = await left(subject);
      seen.add(word(approved), approval, releases);
    }
    expect(seen.ends).toEqual([`${refused} ${status} 0`, 'released approved 1'].toSorted());
  });
});

describe('two requests at once', () => {
  test('make one that waits, in every order', async () => {
    const { tenantId } = race;
    const asking = (holdId: string, by: SeededStaff, name: string) =>
      race.stage.actor(name, (tx) =>
        requestRelease(tx, {
          tenantId,
          holdId,
          approvalId: newId('approval'),
          reason: 'customer_verified',
          staffId: by.staffId,
          ttlSeconds: 600,
        }),
      );
    const seen = new Seen();
    for (const order of mergesOf(4, 4)) {
      const { holdId, approvalId, customer } = await requested();
      await inTenant((tx) => declineRelease(tx, { tenantId, approvalId, staffId: agent.staffId }));
      const outcomes = await play(order, asking(holdId, agent, 'ask'), asking(holdId, one, 'too'));
      const rows = await race.superuser`
        select 1 from approval where customer_id = ${customer.customerId} and status = 'pending'`;
      seen.add(...outcomes.map(word).toSorted(), rows.length);
    }
    expect(seen.ends).toEqual(['approval_pending done 1']);
  });
});
