/**
 * The race of SECURITY.md section 1, final grants: a login against a cut-off, statement by statement on real connections. Nothing that is
 * granted may be committed after the cut-off was, and the naive forms do exactly that.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../../db/connection.ts';
import { grantLogin } from '../../../db/login.ts';
import { endRevokedRows } from '../../../db/revocation.ts';
import { insertSession } from '../../../db/sessions.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { mergesOf, play } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { grantedSession, openRace, verifiedLogin } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});

afterAll(() => race.close());

const now = async () => {
  const [row] = await race.superuser<
    { ms: number }[]
  >`select extract(epoch from clock_timestamp()) * 1000 as ms`;
  return Math.floor(Number(row?.ms));
};

/** What the race left behind. */
async function left(customer: SeededCustomer) {
  const [row] = await race.superuser<{ epoch: number; sessions: number; under: number | null }[]>`
    select c.security_epoch as epoch, count(s.session_id)::integer as sessions, max(s.epoch) as under
    from customer c left join session s on s.customer_id = c.customer_id
    where c.customer_id = ${customer.customerId} group by c.security_epoch`;
  if (row === undefined) throw new Error('the customer is there');
  return row;
}

function login(customer: SeededCustomer, nowMs: number): Actor {
  return race.stage.actor('login', (tx) => grantLogin(tx, verifiedLogin(customer, nowMs)));
}

function cut(customer: SeededCustomer): Actor {
  return race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, customer));
}

/** One whole run of the real code to count its statements: the sweep then covers each of them. */
async function statementsOf(
  make: (customer: SeededCustomer, nowMs: number) => Actor,
): Promise<number> {
  const actor = make(await race.newCustomer(), await now());
  expect(await actor.end()).toBe('committed');
  return actor.statements;
}

describe('a login against a cut-off', () => {
  test('in every interleaving of their first four statements, nothing is granted after the cut-off', async () => {
    const orders = mergesOf(4, 4);
    for (const order of orders) {
      const customer = await race.newCustomer();
      const committed = await play(order, login(customer, await now()), cut(customer));
      await expectSafe(order, customer, committed);
    }
    expect(orders).toHaveLength(70);
  });

  test('wherever in the login the cut-off begins, and wherever in the cut-off the login', async () => {
    const loginSteps = await statementsOf(login);
    const cutSteps = await statementsOf((customer) => cut(customer));
    expect(loginSteps).toBeGreaterThanOrEqual(10);
    const orders = [
      ...Array.from({ length: loginSteps + 1 }, (_, k) => 'a'.repeat(k) + 'b'.repeat(cutSteps)),
      ...Array.from({ length: cutSteps + 1 }, (_, k) => 'b'.repeat(k) + 'a'.repeat(loginSteps)),
    ];
    for (const order of orders) {
      const customer = await race.newCustomer();
      const committed = await play(order, login(customer, await now()), cut(customer));
      await expectSafe(order, customer, committed);
    }
  });

  test('the login waits for a cut-off that is not committed yet, and is then refused', async () => {
    const customer = await race.newCustomer();
    const b = cut(customer);
    await b.step();
    const a = login(customer, await now());
    expect(await a.step()).toBe('waiting_for_lock');
    expect(await b.end()).toBe('committed');
    expect(await a.end()).toBe('failed');
    expect(a.error).toMatchObject({ code: 'customer_on_hold' });
  });

  test('the cut-off waits for a login that has begun, and then ends its session', async () => {
    const customer = await race.newCustomer();
    const a = login(customer, await now());
    await a.step();
    const b = cut(customer);
    expect(await b.step()).toBe('waiting_for_lock');
    expect(await a.end()).toBe('committed');
    expect(await b.end()).toBe('committed');
    const [revocation] = await race.superuser<{ revocation_id: string }[]>`
      select revocation_id from revocation where customer_id = ${customer.customerId}`;
    const ended = await race.database.tenant(race.tenantId, (tx) =>
      endRevokedRows(tx, {
        tenantId: race.tenantId,
        revocationId: revocation?.revocation_id ?? '',
      }),
    );
    expect(ended).toBe(1);
  });
});

async function expectSafe(order: string, customer: SeededCustomer, committed: readonly string[]) {
  const { epoch, sessions, under } = await left(customer);
  const isGranted = committed.includes('login');
  expect({ order, epoch, sessions, under, committed }).toEqual({
    order,
    epoch: 2,
    sessions: isGranted ? 1 : 0,
    under: isGranted ? 1 : null,
    committed: isGranted ? ['login', 'cut-off'] : ['cut-off'],
  });
}

describe('the naive forms', () => {
  const naive = (
    customer: SeededCustomer,
    firstStatement: (tx: Tx) => Promise<{ epoch: number }>,
  ) =>
    race.stage.actor('naive', async (tx) => {
      const { epoch } = await firstStatement(tx);
      await insertSession(tx, grantedSession(customer, epoch));
    });

  test('an epoch compared without FOR SHARE grants after the cut-off was committed', async () => {
    const customer = await race.newCustomer();
    const a = naive(customer, async (tx) => {
      const [row] = await tx<{ epoch: number }[]>`
        select security_epoch as epoch from customer where customer_id = ${customer.customerId}
          and status = 'active' and not exists (select from hold where customer_id = ${customer.customerId} and status = 'active')`;
      if (row === undefined) throw new Error('refused');
      return row;
    });
    await a.step();
    const b = cut(customer);
    expect(await b.end()).toBe('committed');
    // The cut-off is acknowledged, and yet:
    expect(await a.end()).toBe('committed');
    expect((await left(customer)).sessions).toBe(1);
  });

  test('a hold read in the statement that waits for the customer is missed: the session lives under the new epoch', async () => {
    const customer = await race.newCustomer();
    const b = cut(customer);
    await b.step();
    const a = naive(customer, async (tx) => {
      const [row] = await tx<{ epoch: number; isHeld: boolean }[]>`
        select c.security_epoch as epoch,
          exists (select from hold h where h.customer_id = c.customer_id and h.status = 'active') as is_held
        from customer c where c.customer_id = ${customer.customerId} for share`;
      if (row === undefined || row.isHeld) throw new Error('refused');
      return row;
    });
    expect(await a.step()).toBe('waiting_for_lock');
    await b.end();
    expect(await a.end()).toBe('committed');
    const { epoch, under } = await left(customer);
    expect(under).toBe(epoch);
  });
});
