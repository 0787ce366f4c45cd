/**
 * The race of SECURITY.md section 1, recallable grants: a refresh against a cut-off, statement by statement on real connections, a third one
 * holding the session's row. A straggler may succeed; what it got is dead at its next check, because the row keeps the epoch it began under.
 * The naive form takes the current epoch and lives on. A refresh never delays a cut-off.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refreshSession } from '../../../db/refresh.ts';
import type { Refresh, RefreshOutcome } from '../../../db/refresh.ts';
import { rotateAtOnce } from '../../../db/refresh-statement.ts';
import type { RotationOutcome } from '../../../db/refresh-statement.ts';
import { insertSession, readSession } from '../../../db/sessions.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { judgeSession } from '../../../domain/session-standing.ts';
import { cutOffCustomer } from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { mergesOf } from '../../setup/postgres/interleaving.ts';
import type { Actor } from '../../setup/postgres/interleaving.ts';
import { grantedSession, openRace } from '../../setup/postgres/race.ts';
import type { Race } from '../../setup/postgres/race.ts';

let race: Race;

beforeAll(async () => {
  race = await openRace();
});

afterAll(() => race.close());

interface Family {
  readonly customer: SeededCustomer;
  readonly sessionId: string;
  readonly hash: Uint8Array;
}

async function newFamily(): Promise<Family> {
  const customer = await race.newCustomer();
  const granted = grantedSession(customer, 1);
  await race.database.tenant(race.tenantId, (tx) => insertSession(tx, granted));
  return { customer, sessionId: granted.sessionId, hash: granted.firstHash };
}

function refreshOf({ customer, sessionId, hash }: Family): Refresh {
  return {
    tenantId: race.tenantId,
    sessionId,
    app: { clientId: 'demo-app', origin: undefined, nativeAppId: undefined },
    jkt: customer.jkt,
    proof: { jtiHash: randomBytes(32), issuedAtMs: Date.now() },
    generation: 0,
    hash,
    requestHash: randomBytes(32),
    next: { salt: randomBytes(32), hash: randomBytes(32), keyId: 'k1' },
    policy: { version: 1, document: DEFAULT_POLICY },
    isProofSpent: false,
    successorOf: () => randomBytes(32),
  };
}

const refresh = (family: Family): Actor =>
  race.stage.actor('refresh', (tx) => refreshSession(tx, refreshOf(family)));
const rotateNow = async (family: Family): Promise<RotationOutcome | undefined> => {
  const [outcome] = await rotateAtOnce(race.database, race.tenantId, [refreshOf(family)]);
  return outcome;
};
const cut = (family: Family): Actor =>
  race.stage.actor('cut-off', (tx) => cutOffCustomer(tx, family.customer));
/** Something else that has the session's row for a moment: its number stays, so that the waiting statement goes on. */
const holder = (family: Family): Actor =>
  race.stage.actor('holder', async (tx) => {
    await tx`update session set heal_count = heal_count where session_id = ${family.sessionId}`;
  });

async function isDead(family: Family): Promise<boolean> {
  const session = await race.database.tenant(race.tenantId, (tx) =>
    readSession(tx, race.tenantId, family.sessionId),
  );
  if (session === undefined) throw new Error('the session is there');
  expect(session.epoch).toBe(1);
  return 'refused' in judgeSession(session, DEFAULT_POLICY.session);
}

/** Moves both as the letters say, then to their ends; the cut-off must never have waited. */
async function play(order: string, a: Actor, b: Actor): Promise<RefreshOutcome> {
  let isCutBeforeRefresh = false;
  let hasCutWaited = false;
  for (const letter of order) {
    const state = await (letter === 'a' ? a : b).step();
    hasCutWaited ||= letter === 'b' && state === 'waiting_for_lock';
    if (state === 'committed' && letter === 'b' && a.statements === 0) isCutBeforeRefresh = true;
  }
  const ends = { cut: await b.end(), refresh: await a.end() };
  // Its transaction answers nothing else.
  const outcome = (await a.outcome) as RefreshOutcome;
  const isLateGrant = isCutBeforeRefresh && outcome.kind === 'granted';
  expect({ order, ...ends, hasCutWaited, isLateGrant }).toEqual({
    order,
    cut: 'committed',
    refresh: 'committed',
    hasCutWaited: false,
    isLateGrant: false,
  });
  return outcome;
}

/** One whole run of the real code, to know how many statements there are. */
async function statementsOf(make: (family: Family) => Actor): Promise<number> {
  const actor = make(await newFamily());
  expect(await actor.end()).toBe('committed');
  return actor.statements;
}

describe('a refresh against a cut-off', () => {
  test('in every interleaving of their statements, it is refused or dead at its next check, and the cut-off never waits', async () => {
    const steps = await statementsOf(refresh);
    const cutSteps = await statementsOf(cut);
    expect(steps).toBeGreaterThanOrEqual(4);
    // Of the cut-off only its first statement and its commit can change what the other sees: the rest stands together.
    const orders = mergesOf(steps, 3).map((order) => {
      let part = 0;
      return order.replaceAll('b', () => ['b', 'b'.repeat(cutSteps - 2), 'b'][part++] ?? '');
    });
    const kinds = new Set<string>();
    for (const order of orders) {
      const family = await newFamily();
      const outcome = await play(order, refresh(family), cut(family));
      kinds.add(outcome.kind);
      expect({ order, isDead: await isDead(family) }).toEqual({ order, isDead: true });
    }
    // Both ends were seen, so the sweep was wide enough to see a straggler.
    expect(kinds).toEqual(new Set(['granted', 'refused']));
  });

  test('a refresh that waited for its row while the cut-off was acknowledged is dead at its next check', async () => {
    const family = await newFamily();
    const c = holder(family);
    await c.step();
    const a = refresh(family);
    for (let state = await a.step(); state === 'at_gate'; state = await a.step());
    expect(await a.state()).toBe('waiting_for_lock');
    const b = cut(family);
    expect(await b.end()).toBe('committed');
    await c.end();
    expect(await a.end()).toBe('committed');
    expect(await isDead(family)).toBe(true);
    const again = await race.database.tenant(race.tenantId, (tx) =>
      refreshSession(tx, refreshOf(family)),
    );
    expect(again).toMatchObject({ kind: 'refused', code: 'customer_on_hold' });
  });

  test('a refresh that begins after the cut-off is refused', async () => {
    const family = await newFamily();
    expect(await cut(family).end()).toBe('committed');
    const outcome = await race.database.tenant(race.tenantId, (tx) =>
      refreshSession(tx, refreshOf(family)),
    );
    expect(outcome).toMatchObject({ kind: 'refused', code: 'customer_on_hold' });
  });
});

describe('the ordinary refresh, one statement, against a cut-off', () => {
  test('whose row somebody else holds waits for nobody, and holds up no neighbour', async () => {
    const [family, neighbour, dead] = [await newFamily(), await newFamily(), await newFamily()];
    expect(await cut(dead).end()).toBe('committed');
    const c = holder(family);
    await c.step();
    // Answered while the holder still has the row.
    const outcomes = await rotateAtOnce(
      race.database,
      race.tenantId,
      [family, dead, neighbour].map(refreshOf),
    );
    expect(outcomes).toMatchObject([
      { kind: 'undecided', isProofSpent: true },
      { kind: 'undecided', isProofSpent: false },
      { kind: 'rotated', session: { sessionId: neighbour.sessionId, generation: 1 } },
    ]);
    await c.end();
    expect(await rotateNow(family)).toMatchObject({ kind: 'rotated' });
  });

  test('that begins after it moves nothing and spends nothing', async () => {
    const family = await newFamily();
    expect(await cut(family).end()).toBe('committed');
    expect(await rotateNow(family)).toEqual({
      kind: 'undecided',
      isProofSpent: false,
    });
  });

  test('loses to another one of its token with its proof spent, and leaves the rest to the path that decides', async () => {
    const family = await newFamily();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => rotateNow(family)));
    const kinds = outcomes.map((outcome) => outcome?.kind);
    expect(kinds.filter((kind) => kind === 'rotated')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'undecided')).toHaveLength(7);
  });

  test('with a proof that was spent before moves nothing, though its token is the current one', async () => {
    const family = await newFamily();
    const first = refreshOf(family);
    const rotate = async (refresh: Refresh) =>
      (await rotateAtOnce(race.database, race.tenantId, [refresh]))[0];
    expect(await rotate(first)).toMatchObject({ kind: 'rotated' });
    const second = { ...refreshOf(family), generation: 1, hash: first.next.hash };
    expect(await rotate({ ...second, proof: first.proof })).toEqual({ kind: 'replayed' });
    expect(await rotate(second)).toMatchObject({ kind: 'rotated', session: { generation: 2 } });
  });
});

describe('the naive form', () => {
  test.each(['subquery', 'join', 'exists'] as const)(
    'an epoch compared in WHERE by %s succeeds after the cut-off was acknowledged',
    async (form) => {
      const family = await newFamily();
      const { customerId } = family.customer;
      const c = holder(family);
      await c.step();
      const a = race.stage.actor('naive', async (tx) => {
        const { count } = await {
          subquery: () => tx`
            update session s set generation = 99 where s.session_id = ${family.sessionId}
              and s.epoch = (select security_epoch from customer where customer_id = ${customerId})`,
          join: () => tx`
            update session s set generation = 99 from customer k where s.session_id = ${family.sessionId}
              and k.customer_id = ${customerId} and s.epoch = k.security_epoch`,
          exists: () => tx`
            update session s set generation = 99 where s.session_id = ${family.sessionId}
              and exists (select from customer k where k.customer_id = ${customerId} and s.epoch = k.security_epoch)`,
        }[form]();
        return count;
      });
      expect(await a.step()).toBe('waiting_for_lock');
      expect(await cut(family).end()).toBe('committed');
      await c.end();
      await a.end();
      expect(await a.outcome).toBe(1);
      // For a final grant that would be the end. A session is saved by the epoch that its row keeps.
      expect(await isDead(family)).toBe(true);
    },
  );

  test('with FOR SHARE on the customer in a materialised CTE the same statement is refused', async () => {
    const family = await newFamily();
    const b = cut(family);
    await b.step();
    const a = race.stage.actor('guarded', async (tx) => {
      const { count } = await tx`
        with k as materialized (
          select security_epoch from customer where customer_id = ${family.customer.customerId} for share)
        update session s set generation = 99 from k where s.session_id = ${family.sessionId} and s.epoch = k.security_epoch`;
      return count;
    });
    expect(await a.step()).toBe('waiting_for_lock');
    await b.end();
    await a.end();
    expect(await a.outcome).toBe(0);
  });
});
