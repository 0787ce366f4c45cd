/**
 * Guesses at the codes of one customer: each code has its own few, each key that guesses has some, and all keys that nobody knows have some together.
 * What a thief guesses takes nothing from the owner's phone.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { askForFactor } from '../../../db/login-factor.ts';
import { newId } from '../../../adapters/random.ts';
import { policyBreaches } from '../../../domain/policy-breaches.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import {
  asked,
  drive,
  guess,
  insertStepUpCustomer,
  payment,
  proveKeys,
  sentCode,
  show,
  STEP_UP_TOOLS,
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const { otp, stepUp } = DEFAULT_POLICY;
const OF_A_KEY = 2 * otp.maxWrong;
const OF_STRANGERS = stepUp.wrongOfUnknownKeys;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;
let nowMs = Date.parse('2027-03-01T10:00:00Z');
let customer: StepUpCustomer;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase, {});
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

/** A login by another key each time, as a thief makes them who has the passkey and not the number, or by the key that is given. */
async function login(jkt: string = newId('request')): Promise<string> {
  const { customerId, credentialId } = customer;
  const stepUpId = newId('ceremony');
  const verified = {
    tenantId,
    customerId,
    credentialId,
    clientId: 'demo-app',
    jkt,
  };
  await run((tx) =>
    askForFactor(tx, STEP_UP_TOOLS, {
      // What else a login holds is not read.
      login: verified as unknown as Parameters<typeof askForFactor>[2]['login'],
      stepUpId,
      appName: 'Bank',
      risk: 'high',
    }),
  );
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  return stepUpId;
}

async function wrongOf(stepUpId: string): Promise<string> {
  const code = await run((tx) => sentCode(tx, customer, stepUpId));
  return code === '000000' ? '000001' : '000000';
}

const outcomeOf = (stepUpId: string, code: string): Promise<string> =>
  run((tx) => guess(tx, customer, stepUpId, code)).then(
    ({ fact }) => fact,
    (error: unknown) => String((error as { code?: string }).code),
  );

/** As many as one key may: two codes' worth, none of them used up. */
async function guessAsAKey(jkt: string = newId('request')): Promise<string[]> {
  const facts: string[] = [];
  while (facts.length < OF_A_KEY) {
    const stepUpId = await login(jkt);
    const wrong = await wrongOf(stepUpId);
    for (let tries = 1; tries < otp.maxWrong && facts.length < OF_A_KEY; tries += 1)
      facts.push(await outcomeOf(stepUpId, wrong));
  }
  return facts;
}

/** A payment by the customer's own phone, to its code. */
async function payAtHome(): Promise<string> {
  const stepUpId = await run((tx) => asked(tx, customer, { action: payment('40000.00') }));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  const opened = await run((tx) => show(tx, customer, stepUpId));
  await run((tx) => proveKeys(tx, customer, stepUpId, opened));
  return stepUpId;
}

const rightOf = async (stepUpId: string): Promise<string> =>
  outcomeOf(stepUpId, await run((tx) => sentCode(tx, customer, stepUpId)));

describe('wrong codes of one key', () => {
  it('count over all its logins, and decay by themselves', async () => {
    const thief = newId('request');
    const facts = await guessAsAKey(thief);
    expect(facts).toEqual(facts.map(() => 'code_wrong'));
    expect(await rightOf(await login(thief))).toBe('too_many_requests');
    nowMs += stepUp.pauseSeconds * 1000 - 1;
    expect(await rightOf(await login(thief))).toBe('too_many_requests');
    nowMs += 1;
    expect(await rightOf(await login(thief))).toBe('code_matched');
  });

  it('take nothing from another key, nor from the phone of the owner', async () => {
    await guessAsAKey();
    expect(await rightOf(await login())).toBe('code_matched');
    expect(await rightOf(await login(customer.jkt))).toBe('code_matched');
  });

  it('count for logins and payments of a phone together', async () => {
    await guessAsAKey(customer.jkt);
    const stepUpId = await payAtHome();
    expect(await outcomeOf(stepUpId, await wrongOf(stepUpId))).toBe('too_many_requests');
    expect(await rightOf(await login())).toBe('code_matched');
  });
});

describe('wrong codes of keys that nobody knows', () => {
  const spend = async () => {
    for (let keys = 0; keys < OF_STRANGERS / OF_A_KEY; keys += 1) await guessAsAKey();
  };

  it('have an end, however many keys a thief makes, and it decays', async () => {
    await spend();
    expect(await rightOf(await login())).toBe('too_many_requests');
    nowMs += stepUp.wrongOfUnknownKeysSeconds * 1000 - 1;
    expect(await rightOf(await login())).toBe('too_many_requests');
    nowMs += 1;
    expect(await rightOf(await login())).toBe('code_matched');
  });

  it('never keep the owner from his own: his phone logs in and pays as before, with a slip or two', async () => {
    await spend();
    const home = await login(customer.jkt);
    expect(await outcomeOf(home, await wrongOf(home))).toBe('code_wrong');
    expect(await rightOf(home)).toBe('code_matched');
    const paid = await payAtHome();
    expect(await outcomeOf(paid, await wrongOf(paid))).toBe('code_wrong');
    expect(await rightOf(paid)).toBe('code_matched');
  });

  it('are those of a phone too that is trusted no longer', async () => {
    await spend();
    await run(
      (tx) => tx`update device set status = 'restricted' where device_id = ${customer.deviceId}`,
    );
    expect(await rightOf(await login(customer.jkt))).toBe('too_many_requests');
  });

  it('count once each when they are guessed at once', async () => {
    const logins = await Promise.all(
      Array.from({ length: OF_STRANGERS / (otp.maxWrong - 1) + 3 }, () => login()),
    );
    const guesses = await Promise.all(
      logins.flatMap((stepUpId) =>
        Array.from({ length: otp.maxWrong - 1 }, async () =>
          outcomeOf(stepUpId, await wrongOf(stepUpId)),
        ),
      ),
    );
    expect(guesses.filter((fact) => fact === 'code_wrong')).toHaveLength(OF_STRANGERS);
    expect(new Set(guesses)).toEqual(new Set(['code_wrong', 'too_many_requests']));
  });

  it('of another customer count nothing', async () => {
    await spend();
    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    expect(await rightOf(await login())).toBe('code_matched');
  });

  it('leave six digits unguessed: the most that anybody may try, at any setting', () => {
    const perDay = (most: number, seconds: number) => (most * 86_400) / seconds;
    const codes = 10 ** otp.digits;
    expect(perDay(OF_STRANGERS, stepUp.wrongOfUnknownKeysSeconds) / codes).toBeLessThanOrEqual(
      0.0012,
    );
    const loosest = { wrongOfUnknownKeys: 100, wrongOfUnknownKeysSeconds: 3600 };
    const withStepUp = (change: object) =>
      policyBreaches({ ...DEFAULT_POLICY, stepUp: { ...stepUp, ...change } });
    expect(withStepUp(loosest)).toEqual([]);
    expect(withStepUp({ wrongOfUnknownKeys: 101 })).not.toEqual([]);
    expect(withStepUp({ wrongOfUnknownKeysSeconds: 3599 })).not.toEqual([]);
    expect(perDay(100, 3600) / codes).toBeLessThanOrEqual(0.0024);
  });
});
