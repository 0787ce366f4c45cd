/** A freeze as rows: what it stops and what it leaves, how it ends, and that nobody can keep a customer out with it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../../adapters/random.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { frozenSinceMs, liftFreeze, placeFreeze } from '../../../db/freeze.ts';
import type { FreezeRequest } from '../../../db/freeze.ts';
import { readSession } from '../../../db/sessions.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { FULL_SCOPES, READ_ONLY_SCOPES } from '../../../domain/auth-strength.ts';
import { DEFAULT_FREEZE_POLICY } from '../../../domain/freeze-policy.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { judgeSession } from '../../../domain/session-standing.ts';
import { insertLiveSession } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { ROOMY_POLICY, seedDemoTenant } from '../../setup/demo-tenant.ts';
import { faultsOf, typesOf, typesSeen } from '../../setup/emitted-events.ts';
import type { EmittedEvent } from '../../setup/emitted-events.ts';
import {
  approved,
  ask,
  asked,
  drive,
  insertStepUpCustomer,
  payment,
  PAYMENTS,
  proveKeys,
  show,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const policy = DEFAULT_FREEZE_POLICY;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
let customer: StepUpCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase, { policy: ROOMY_POLICY });
  database = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const owner = () => ({ kind: 'customer', id: customer.customerId }) as const;
const freezeOf = (changes: Partial<FreezeRequest> = {}): FreezeRequest => ({
  tenantId,
  customerId: customer.customerId,
  freezeId: newId('freeze'),
  how: 'app',
  by: owner(),
  isProved: true,
  policy,
  ...changes,
});
const freeze = (changes: Partial<FreezeRequest> = {}) =>
  run((tx) => placeFreeze(tx, freezeOf(changes)));
const byLink = (messageId = newId('outbox')) => freeze({ how: 'link', isProved: false, messageId });
const lift = () =>
  run((tx) => liftFreeze(tx, { tenantId, customerId: customer.customerId, by: owner() }));
const standing = async (sessionId = customer.sessionId) => {
  const session = await run((tx) => readSession(tx, tenantId, sessionId));
  if (session === undefined) throw new Error('no session');
  return judgeSession(session, DEFAULT_POLICY.session);
};
const FROZEN = { code: 'customer_frozen' };

describe('a freeze', () => {
  it('refuses a request for money, even one too small to be asked about, and for what is sensitive', async () => {
    await freeze();
    for (const action of [payment('4.00'), payment('400.00'), payment('40000.00')])
      await expect(run((tx) => ask(tx, customer, { action }))).rejects.toMatchObject(FROZEN);
  });

  it('refuses the approval of what was asked for before it, and leaves it to be denied', async () => {
    const stepUpId = await run((tx) => asked(tx, customer));
    await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    const shown = await run((tx) => show(tx, customer, stepUpId));
    await freeze();
    await expect(run((tx) => proveKeys(tx, customer, stepUpId, shown))).rejects.toMatchObject(
      FROZEN,
    );
    await run((tx) =>
      endStepUp(tx, STEP_UP_TOOLS, {
        tenantId,
        stepUpId,
        actor: owner(),
        event: 'denied',
        reason: 'declined',
      }),
    );
  });

  it('refuses the use of what was approved before it, until it ends', async () => {
    const stepUpId = await approved(run, customer);
    const use = { tenantId, stepUpId, requester: PAYMENTS, action: payment('400.00') };
    await freeze();
    await expect(run((tx) => consumeStepUp(tx, STEP_UP_TOOLS, use))).rejects.toMatchObject(FROZEN);
    await lift();
    await expect(run((tx) => consumeStepUp(tx, STEP_UP_TOOLS, use))).resolves.toMatchObject({
      isRepeat: false,
    });
  });

  it('leaves a caller able to prove himself to the bank, and to log in with one more factor', async () => {
    await freeze();
    const call = { type: 'verified_call', agent: 'Mere Kahu', case: 'A-17' };
    await expect(
      run((tx) => ask(tx, customer, { action: call, atLeast: 'latchkey:3' })),
    ).resolves.toHaveProperty('stepUp.stepUpId');
  });

  it('withholds from each session what moves money or protects the account, and nothing else, from the commit on', async () => {
    const sessionId = await run((tx) => insertLiveSession(tx, customer, { scopes: FULL_SCOPES }));
    await freeze();
    expect(await standing(sessionId)).toMatchObject({
      acr: 'latchkey:2',
      scopes: ['openid', 'profile', 'email', 'phone', 'accounts:read'],
      withheld: ['payments:write', 'profile:write'],
    });
    await lift();
    expect(await standing(sessionId)).toMatchObject({ scopes: [...FULL_SCOPES], withheld: [] });
  });

  it('withholds nothing from a session that only reads', async () => {
    const scopes = READ_ONLY_SCOPES;
    const sessionId = await run((tx) => insertLiveSession(tx, customer, { scopes }));
    await freeze();
    expect(await standing(sessionId)).toMatchObject({ scopes: [...scopes], withheld: [] });
  });

  it('ends no session, raises no epoch, and touches the customer’s row as every cut-off does', async () => {
    const read = () =>
      run(async (tx) => {
        const [row] = await tx<{ securityEpoch: number; cutOffSeq: bigint }[]>`
          select security_epoch, cut_off_seq from customer where customer_id = ${customer.customerId}`;
        return { epoch: row?.securityEpoch, seq: Number(row?.cutOffSeq) };
      });
    const before = await read();
    await freeze();
    expect(await read()).toEqual({ epoch: before.epoch, seq: before.seq + 1 });
    expect(await standing()).not.toHaveProperty('refused');
  });

  it('is told to every proved channel, in the audit, and says who and how', async () => {
    await freeze();
    const rows = await run(
      (tx) => tx<{ action: string; how: string }[]>`
        select action, detail->>'how' as how from audit where customer_id = ${customer.customerId} and action like 'customer.%'`,
    );
    expect([...rows]).toEqual([{ action: 'customer.frozen', how: 'app' }]);
    const notices = await run(
      (tx) => tx<{ template: string }[]>`
        select payload->>'template' as template from outbox
        where topic like 'message.%' and payload->>'customerId' = ${customer.customerId}`,
    );
    expect([...notices]).toEqual([{ template: 'customer_frozen' }]);
  });

  it('of nobody, or of somebody who is not a customer yet, is refused', async () => {
    await expect(freeze({ customerId: newId('customer') })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('a freeze ends', () => {
  it('by itself, at its second and not before', async () => {
    const { frozenUntilMs } = await freeze();
    expect(frozenUntilMs).toBe(nowMs + DAY);
    nowMs += DAY - 1;
    await expect(run((tx) => ask(tx, customer))).rejects.toMatchObject(FROZEN);
    nowMs += 1;
    await expect(run((tx) => ask(tx, customer))).resolves.toHaveProperty('stepUp');
    expect(await run((tx) => frozenSinceMs(tx, customer))).toBeUndefined();
  });

  it('when it is lifted, once, with its history kept', async () => {
    await freeze();
    expect(await run((tx) => frozenSinceMs(tx, customer))).toBe(nowMs);
    expect(await lift()).toEqual({ wasFrozen: true });
    expect(await lift()).toEqual({ wasFrozen: false });
    const rows = await run(
      (tx) => tx<{ releasedBy: string; releasedByKind: string }[]>`
        select released_by, released_by_kind from customer_freeze where customer_id = ${customer.customerId}`,
    );
    expect([...rows]).toEqual([{ releasedBy: customer.customerId, releasedByKind: 'customer' }]);
  });
});

describe('nobody is kept out by freezes', () => {
  it('a freeze that adds next to nothing lasts no longer and tells nobody', async () => {
    const first = await byLink();
    nowMs += HOUR - 1000;
    expect(await byLink()).toEqual({ ...first, isNew: false });
    nowMs += 1000;
    expect(await byLink()).toEqual({ frozenUntilMs: nowMs + DAY, isNew: true });
  });

  it('a freeze that adds next to nothing still counts as the youngest, once a login and not from a session that only reads', async () => {
    const sinceMs = () => run((tx) => frozenSinceMs(tx, customer));
    const first = await freeze();
    let youngestMs = nowMs;
    const again = async (changes: Partial<FreezeRequest>) => {
      nowMs += 60_000;
      expect(await freeze(changes)).toEqual({ ...first, isNew: false });
      return await sinceMs();
    };
    const link = { how: 'link', isProved: false } as const;
    expect(await again({ ...link, messageId: newId('outbox') })).toBe(youngestMs);
    for (const changes of [
      { ...link, messageId: newId('outbox') },
      { how: 'phone_code', isProved: false } as const,
      {},
    ]) {
      nowMs += 1000;
      await run((tx) => insertLiveSession(tx, customer));
      expect(await again({ isProved: false })).toBe(youngestMs);
      youngestMs = (await again(changes)) ?? 0;
      expect(youngestMs).toBe(nowMs);
      expect(await again(changes)).toBe(youngestMs);
    }
  });

  it('unproved freezes, link after link, stop the customer for the longest time in all and no longer', async () => {
    const startMs = nowMs;
    let lastMs = 0;
    for (let hour = 0; hour < 29 * 24; hour += 6) {
      const frozen = await byLink().catch(() => undefined);
      lastMs = Math.max(lastMs, frozen?.frozenUntilMs ?? 0);
      nowMs += 6 * HOUR;
    }
    expect(lastMs).toBe(startMs + policy.longestUnprovedSeconds * 1000);
    await expect(byLink()).rejects.toMatchObject({ code: 'freeze_limit_reached' });
    await expect(freeze({ how: 'phone_code', isProved: false })).rejects.toMatchObject({
      code: 'freeze_limit_reached',
    });
  });

  it('lifting an unproved freeze gives nothing back to whoever set it', async () => {
    const results: string[] = [];
    for (let time = 0; time < 4; time += 1) {
      results.push(
        await byLink().then(
          () => 'frozen',
          () => 'refused',
        ),
      );
      await lift();
    }
    expect(results).toEqual(['frozen', 'frozen', 'frozen', 'refused']);
  });

  it('the passkey’s owner and staff can freeze still, when the unproved ones are used up', async () => {
    for (let time = 0; time < 3; time += 1) {
      await byLink();
      await lift();
    }
    await expect(byLink()).rejects.toMatchObject({ code: 'freeze_limit_reached' });
    expect(await freeze()).toMatchObject({ isNew: true });
  });

  it('after the window, links freeze again', async () => {
    for (let time = 0; time < 3; time += 1) {
      await byLink();
      await lift();
    }
    nowMs += policy.unprovedWindowSeconds * 1000 - 1;
    await expect(byLink()).rejects.toMatchObject({ code: 'freeze_limit_reached' });
    nowMs += 1;
    expect(await byLink()).toMatchObject({ isNew: true });
  });

  it('a link freezes once: told the same while it lasts, refused after the freeze was lifted', async () => {
    const messageId = newId('outbox');
    const first = await byLink(messageId);
    expect(await byLink(messageId)).toEqual({ ...first, isNew: false });
    await lift();
    await expect(byLink(messageId)).rejects.toMatchObject({ code: 'freeze_link_used' });
  });

  it('ten at once count one after the other', async () => {
    const pool = connectDatabase({ url: testDatabase.applicationUrl, testNowMs: () => nowMs });
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        pool.tenant(tenantId, (tx) =>
          placeFreeze(tx, freezeOf({ how: 'link', isProved: false, messageId: newId('outbox') })),
        ),
      ),
    );
    await pool.close();
    expect(results.filter(({ isNew }) => isNew)).toHaveLength(1);
  });
});

describe('what is told of freezes', () => {
  it('stands in the catalogue', async () => {
    await freeze();
    await lift();
    const rows = await run(
      (tx) => tx<{ payload: EmittedEvent }[]>`
        select payload from outbox
        where topic = 'event' and payload->>'type' in ('bank.app.customer_frozen', 'bank.app.freeze_lifted')`,
    );
    const events = rows.map(({ payload }) => payload);
    expect(events.flatMap(faultsOf)).toEqual([]);
    expect(typesSeen(events)).toEqual(typesOf('test/contract/database/freeze.test.ts'));
  });
});
