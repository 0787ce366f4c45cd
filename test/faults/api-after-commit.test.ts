/** kill -9 of the API after a login was committed and before it was answered: the repeated request meets the session that there is. */
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { armFault, openRows, restart } from '../setup/faults.ts';
import { enrollPhone } from '../setup/software-phone.ts';
import { startTestStack, type TestStack } from '../setup/stack.ts';

let stack: TestStack;
let rows: postgres.Sql;

beforeAll(async () => {
  stack = await startTestStack();
  rows = openRows(stack);
});

afterAll(async () => {
  await rows?.end();
  await stack?.stop();
});

/** The SDK's pause between two attempts: until the API is there again. */
async function untilTheApiAnswers(): Promise<void> {
  await vi.waitFor(
    async () => {
      await fetch(`${stack.publicUrl}/livez`);
    },
    { timeout: 30_000, interval: 50 },
  );
}

describe('the API killed after a login was committed', () => {
  test('the phone repeats it under the same key and gets the session that was begun, not another', async () => {
    const phone = await enrollPhone(stack, { pause: untilTheApiAnswers });
    const fault = await armFault(stack, 'api', 'api.before_answer.login');
    const loggingIn = phone.latchkey.logIn();
    await fault.reached();
    const begun = await rows<{ sessionId: string }[]>`
      select session_id from session where customer_id = ${phone.customerId}`;
    expect(begun).toHaveLength(1);
    await restart(stack, 'api');

    const { sessionId } = await loggingIn;
    expect(sessionId).toBe(begun[0]?.sessionId);
    const calls = phone.callsOf('/auth/login');
    expect(calls.map(({ status }) => status)).toContain(0);
    expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(calls.at(-1)).toMatchObject({ status: 200 });
    const sessions = await rows<{ status: string; generation: number }[]>`
      select status, generation from session where customer_id = ${phone.customerId}`;
    expect(sessions).toEqual([{ status: 'live', generation: 0 }]);
    const audited = await rows`
      select 1 from audit where customer_id = ${phone.customerId} and action = 'session.created'`;
    expect(audited).toHaveLength(1);
    // The tokens of the second answer work, and so does the chain they begin.
    expect((await phone.latchkey.session.refresh()).sessionId).toBe(sessionId);
    expect(await phone.latchkey.me()).toMatchObject({ customerId: phone.customerId });
  });
});
