/** Guesses at the codes of one customer: each code has its own few, and all of them together have some too. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { askForFactor } from '../../../db/login-factor.ts';
import { newId } from '../../../adapters/random.ts';
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
const MOST = 2 * otp.maxWrong;

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

/** A login by another key each time, as a thief makes them who has the passkey and not the number. */
async function login(): Promise<string> {
  const { customerId, credentialId } = customer;
  const stepUpId = newId('ceremony');
  const verified = {
    tenantId,
    customerId,
    credentialId,
    clientId: 'demo-app',
    jkt: newId('request'),
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

describe('wrong codes of one customer', () => {
  it('count over all his logins, whichever keys began them, and decay by themselves', async () => {
    // All begun before the first guess: none of them knows of the others.
    const logins = await Promise.all(Array.from({ length: 4 }, login));
    const facts: string[] = [];
    for (const stepUpId of logins) {
      const wrong = await wrongOf(stepUpId);
      for (let tries = 1; tries < otp.maxWrong; tries += 1)
        facts.push(await outcomeOf(stepUpId, wrong));
    }
    expect(facts.filter((fact) => fact === 'code_wrong')).toHaveLength(MOST);
    expect(facts.slice(MOST)).toEqual(facts.slice(MOST).map(() => 'too_many_requests'));
    const next = await login();
    const right = await run((tx) => sentCode(tx, customer, next));
    expect(await outcomeOf(next, right)).toBe('too_many_requests');
    nowMs += stepUp.pauseSeconds * 1000 + 1;
    const later = await login();
    expect(await outcomeOf(later, await run((tx) => sentCode(tx, customer, later)))).toBe(
      'code_matched',
    );
  });

  it('count once each when they are guessed at once, and for payments too', async () => {
    const logins = await Promise.all(Array.from({ length: 5 }, login));
    const guesses = await Promise.all(
      logins.flatMap((stepUpId) =>
        Array.from({ length: otp.maxWrong - 1 }, async () =>
          outcomeOf(stepUpId, await wrongOf(stepUpId)),
        ),
      ),
    );
    expect(guesses.filter((fact) => fact === 'code_wrong')).toHaveLength(MOST);
    const stepUpId = await run((tx) => asked(tx, customer, { action: payment('40000.00') }));
    await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    const opened = await run((tx) => show(tx, customer, stepUpId));
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    expect(await outcomeOf(stepUpId, await wrongOf(stepUpId))).toBe('too_many_requests');
  });

  it('of another customer count nothing', async () => {
    const logins = await Promise.all(Array.from({ length: 3 }, login));
    for (const stepUpId of logins) {
      const wrong = await wrongOf(stepUpId);
      for (let tries = 1; tries < otp.maxWrong; tries += 1) await outcomeOf(stepUpId, wrong);
    }
    customer = await run((tx) => insertStepUpCustomer(tx, tenantId));
    const own = await login();
    const right = await run((tx) => sentCode(tx, customer, own));
    expect(await outcomeOf(own, right)).toBe('code_matched');
  });
});
