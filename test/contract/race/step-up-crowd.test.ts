/**
 * Many at once against one customer, as fast as the pool lets them: a day's threshold cannot be evaded by splitting and hurrying, one answer at a
 * time is waited for, guesses in parallel count. What a naive form would let through is shown beside it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database, Tx } from '../../../db/connection.ts';
import { consumeStepUp } from '../../../db/step-up-consume.ts';
import { endStepUp } from '../../../db/step-up-ends.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import { minorUnits } from '../../../domain/money.ts';
import { DEFAULT_POLICY } from '../../../domain/policy.ts';
import { requiredStrength } from '../../../domain/step-up-strength.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { seedDemoTenant } from '../../setup/demo-tenant.ts';
import {
  approved,
  ask,
  asked,
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
} from '../../setup/step-ups.ts';
import type { StepUpCustomer } from '../../setup/step-ups.ts';

const CROWD = 50;

let testDatabase: TestDatabase;
let database: Database;
let tenantId: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  tenantId = await seedDemoTenant(testDatabase);
  database = connectDatabase({
    url: testDatabase.applicationUrl,
    maxConnections: 12,
    patienceMs: 60_000,
  });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.tenant(tenantId, work);
const newCustomer = () => run((tx) => insertStepUpCustomer(tx, tenantId));
const crowd = async <T>(work: (index: number) => Promise<T>, size = CROWD) =>
  await Promise.all(Array.from({ length: size }, (_, index) => work(index)));
const codeOf = (error: unknown) => (error instanceof LatchkeyError ? error.code : String(error));

/** How many requests of that amount the day lets through without an approval, one after the other. */
function freeOfApproval(amount: string): number {
  const minor = minorUnits(amount, 'NZD');
  let count = 0n;
  for (;;) {
    const { required } = requiredStrength({
      action: payment(amount),
      dayTotalMinor: minor * (count + 1n),
      policy: DEFAULT_POLICY,
    });
    if (required !== 'none') return Number(count);
    count += 1n;
  }
}

describe('50 requests at once, each below the threshold', () => {
  test('pass exactly as often without an approval as they would have one after the other', async () => {
    const customer = await newCustomer();
    const answers = await crowd(async (index) => {
      // A requester each, so that only the day's total can stop them.
      const requester = { kind: 'client', id: `client-${String(index)}` } as const;
      const { notRequired } = await run((tx) =>
        ask(tx, customer, { requester, action: payment('90.00') }),
      );
      return notRequired === undefined ? 'asked' : 'none';
    });
    const free = freeOfApproval('90.00');
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThan(CROWD);
    expect(answers.filter((answer) => answer === 'none')).toHaveLength(free);
    expect(await dayTotal(customer)).toBe(9_000 * CROWD);
  });

  test('would all pass when the total is read first and raised after', async () => {
    const customer = await newCustomer();
    let arrived = 0;
    let open: (() => void) | undefined;
    const all = new Promise<void>((resolve) => (open = resolve));
    const size = 8;
    const answers = await crowd(
      () =>
        run(async (tx) => {
          const [row] = await tx<{ total: string }[]>`
            select coalesce(sum(total_minor), 0) as total from step_up_spend where customer_id = ${customer.customerId}`;
          arrived += 1;
          if (arrived === size) open?.();
          await all;
          await tx`
            insert into step_up_spend as s (tenant_id, customer_id, currency, day, total_minor)
            values (${tenantId}, ${customer.customerId}, 'NZD', (latchkey_now() at time zone 'UTC')::date, 9000)
            on conflict (tenant_id, customer_id, currency, day) do update set total_minor = s.total_minor + 9000`;
          return requiredStrength({
            action: payment('90.00'),
            dayTotalMinor: BigInt(row?.total ?? 0) + 9_000n,
            policy: DEFAULT_POLICY,
          }).required;
        }),
      size,
    );
    expect(answers.filter((answer) => answer === 'none').length).toBeGreaterThan(
      freeOfApproval('90.00'),
    );
  });
});

describe('50 requests at once of one requester', () => {
  test('leave one that is waited for; the rest are told so and count nothing', async () => {
    const customer = await newCustomer();
    const codes = await crowd(() =>
      run((tx) => asked(tx, customer)).then(
        () => 'asked',
        (error: unknown) => codeOf(error),
      ),
    );
    expect(codes.filter((code) => code === 'asked')).toHaveLength(1);
    expect(codes.filter((code) => code === 'step_up_pending')).toHaveLength(CROWD - 1);
    expect(await dayTotal(customer)).toBe(40_000);
  });

  test('for one reference ask the customer no more often than the policy says, and leave the last one alone', async () => {
    const customer = await newCustomer();
    const { unansweredToPause } = DEFAULT_POLICY.stepUp;
    const ids = new Set<string>();
    const codes = await crowd(() =>
      run((tx) => asked(tx, customer, { reference: 'order 1' })).then(
        (id) => (ids.add(id), 'asked'),
        (error: unknown) => codeOf(error),
      ),
    );
    expect(codes.filter((code) => code === 'asked')).toHaveLength(unansweredToPause);
    expect(codes.filter((code) => code === 'too_many_requests')).toHaveLength(
      CROWD - unansweredToPause,
    );
    const states = await Promise.all(
      [...ids].map(async (id) => (await run((tx) => read(tx, tenantId, id))).reason),
    );
    expect(states.filter((reason) => reason === null)).toHaveLength(1);
    expect(states.filter((reason) => reason === 'superseded')).toHaveLength(unansweredToPause - 1);
    expect(await dayTotal(customer)).toBe(40_000);
  });
});

describe('guesses at once', () => {
  const secondFactor = async () => {
    const customer = await newCustomer();
    const stepUpId = await run((tx) => asked(tx, customer, { action: payment('40000.00') }));
    await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
    const opened = await run((tx) => show(tx, customer, stepUpId));
    await run((tx) => proveKeys(tx, customer, stepUpId, opened));
    return { customer, stepUpId, code: await run((tx) => sentCode(tx, customer, stepUpId)) };
  };

  test('count each, so that five wrong ones of fifty use the code up and no sixth is looked at', async () => {
    const { customer, stepUpId, code } = await secondFactor();
    const wrong = code === '000000' ? '000001' : '000000';
    const facts = await crowd(async () => {
      const { fact } = await run((tx) => guess(tx, customer, stepUpId, wrong));
      return fact;
    });
    const { maxWrong } = DEFAULT_POLICY.otp;
    expect(facts.filter((fact) => fact === 'code_wrong')).toHaveLength(maxWrong - 1);
    expect(facts.filter((fact) => fact === 'code_exhausted')).toHaveLength(CROWD - maxWrong + 1);
    const late = await run((tx) => guess(tx, customer, stepUpId, code));
    expect(late.fact).toBe('code_exhausted');
    await expect(
      run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' })),
    ).resolves.toEqual({ fact: 'code_exhausted' });
  });

  test('match once, however many are right', async () => {
    const { customer, stepUpId, code } = await secondFactor();
    const facts = await crowd(async () => {
      const { fact } = await run((tx) => guess(tx, customer, stepUpId, code));
      return fact;
    }, 20);
    expect(facts.filter((fact) => fact === 'code_matched')).toHaveLength(1);
    await run((tx) => drive(tx, customer, stepUpId, { event: 'code_matched' }));
    expect((await run((tx) => read(tx, tenantId, stepUpId))).state).toBe('approved');
  });
});

describe('the same approval, by many at once', () => {
  test('is used once and told to the rest; the audit knows one use', async () => {
    const customer = await newCustomer();
    const stepUpId = await approved(run, customer);
    const uses = await crowd(() =>
      run((tx) =>
        consumeStepUp(tx, STEP_UP_TOOLS, {
          tenantId,
          stepUpId,
          requester: PAYMENTS,
          action: payment('400.00'),
        }),
      ),
    );
    expect(uses.filter(({ isRepeat }) => !isRepeat)).toHaveLength(1);
    expect(new Set(uses.map(({ consumedAtMs }) => consumedAtMs)).size).toBe(1);
  });
});

describe('two refusals', () => {
  test('pause whoever asks at the same moment, so that no third one slips through', async () => {
    const customer = await newCustomer();
    const refuse = (stepUpId: string) =>
      run((tx) =>
        endStepUp(tx, STEP_UP_TOOLS, {
          tenantId,
          stepUpId,
          actor: { kind: 'customer', id: customer.customerId },
          event: 'denied',
          reason: 'declined',
        }),
      );
    await refuse(await run((tx) => asked(tx, customer)));
    const second = await run((tx) => asked(tx, customer));
    const [, ...codes] = await Promise.all([
      refuse(second),
      ...Array.from({ length: 20 }, () =>
        run((tx) => asked(tx, customer)).then(
          () => 'asked',
          (error: unknown) => codeOf(error),
        ),
      ),
    ]);
    expect(
      codes.filter((code) => code !== 'step_up_pending' && code !== 'step_ups_paused'),
    ).toEqual([]);
    await expect(run((tx) => asked(tx, customer))).rejects.toMatchObject({
      code: 'step_ups_paused',
    });
  });
});

async function dayTotal({ customerId }: StepUpCustomer): Promise<number> {
  const [row] = await run(
    async (tx) =>
      await tx<{ total: string }[]>`
        select sum(total_minor) as total from step_up_spend where customer_id = ${customerId}`,
  );
  return Number(row?.total ?? 0);
}
