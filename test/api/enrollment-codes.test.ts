/** Codes of an enrollment that are wrong, guessed or asked for again, and addresses that are none. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import { beginWaiting, refusalCheck } from '../setup/beds/waiting-enrollees.ts';
import type { RefusalCheck, WaitingEnrollees } from '../setup/beds/waiting-enrollees.ts';

let stack: EnrollmentStack;
let waiting: WaitingEnrollees;
let expectRefusedUnchanged: RefusalCheck;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
  waiting = await beginWaiting(stack, ['email']);
  expectRefusedUnchanged = refusalCheck(stack);
});
afterAll(async () => {
  await stack?.close();
});

describe('codes', () => {
  test('are counted: after five wrong ones the enrollment ends, and the right one comes too late', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const right = await stack.codeTo(number);
    const wrong = right === '000000' ? '000001' : '000000';
    for (const attemptsLeft of [4, 3, 2, 1]) {
      expect(await phone.post(`${path}/phone-code`, { code: wrong })).toMatchObject({
        status: 422,
        body: { code: 'wrong_code', attemptsLeft, state: 'phone' },
      });
    }
    expect((await phone.get(path)).body.code.attemptsLeft).toBe(1);
    expect(await phone.post(`${path}/phone-code`, { code: wrong })).toMatchObject({
      status: 429,
      body: { code: 'attempts_exhausted' },
    });
    expect(await phone.post(`${path}/phone-code`, { code: right })).toMatchObject({
      status: 409,
      body: { code: 'ceremony_ended', outcome: 'denied' },
    });
    expect(await phone.get(path)).toMatchObject({ body: { reason: 'attempts_exhausted' } });
  });

  test('guessed in parallel are never judged more often than five times', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const right = await stack.codeTo(number);
    const wrongs = Array.from({ length: 12 }, (_, index) => String(index).padStart(6, '0')).filter(
      (code) => code !== right,
    );
    const answers = await Promise.all(
      wrongs.map((code) => phone.post(`${path}/phone-code`, { code })),
    );
    const codes = answers.map(({ body }) => String(body.code));
    expect(codes.filter((code) => code === 'wrong_code')).toHaveLength(4);
    expect(codes.filter((code) => code === 'attempts_exhausted')).toHaveLength(1);
    const [row] = await stack.api.inTenant(
      async (tx) =>
        await tx`select wrong_count from step_attempt where ceremony_id = ${enrollee.enrollmentId}`,
    );
    expect(row).toEqual({ wrongCount: 5 });
  });

  test('a repeated guess under one Idempotency-Key is told the same and counted once', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const wrong = (await stack.codeTo(number)) === '000000' ? '000001' : '000000';
    const idempotencyKey = randomBytes(8).toString('hex');
    for (let time = 0; time < 3; time += 1) {
      expect(
        await phone.post(`${path}/phone-code`, { code: wrong }, { idempotencyKey }),
      ).toMatchObject({ status: 422, body: { code: 'wrong_code', attemptsLeft: 4 } });
    }
    expect((await phone.get(path)).body.code.attemptsLeft).toBe(4);
  });

  test('come again, but not too soon and not too often; a new one kills the one before', async () => {
    const enrollee = await stack.begin();
    const { phone, path, number } = enrollee;
    const first = await stack.codeTo(number, 0);
    const early = await phone.post(`${path}/phone-code/resend`, {});
    expect(early).toMatchObject({ status: 429, body: { code: 'resend_too_soon' } });
    expect(Number(early.headers['retry-after'])).toBeGreaterThan(0);
    for (const [sent, resendsLeft] of [2, 1, 0].entries()) {
      await stack.codeTo(number, sent);
      stack.api.clock.advance(31_000);
      expect(await phone.post(`${path}/phone-code/resend`, {})).toMatchObject({
        status: 200,
        body: { code: { resendsLeft, attemptsLeft: 5 } },
      });
    }
    stack.api.clock.advance(31_000);
    expect(await phone.post(`${path}/phone-code/resend`, {})).toMatchObject({
      status: 429,
      body: { code: 'resends_exhausted' },
    });
    const last = await stack.codeTo(number, 3);
    expect(await phone.post(`${path}/phone-code`, { code: first })).toMatchObject({
      body: { code: first === last ? undefined : 'wrong_code' },
    });
    expect(await phone.post(`${path}/phone-code`, { code: last })).toMatchObject({ status: 200 });
  });

  test('expire, and say so', async () => {
    const enrollee = await stack.begin();
    const code = await stack.codeTo(enrollee.number);
    stack.api.clock.advance(5 * 60_000 + 1_000);
    expect(await enrollee.phone.post(`${enrollee.path}/phone-code`, { code })).toMatchObject({
      status: 410,
      body: { code: 'code_expired', state: 'phone' },
    });
  });

  test.each(['12345', 'abcdef', '1234567890123'])('"%s" is not even a code', async (code) => {
    expect.hasAssertions();
    const enrollee = await stack.begin();
    await expectRefusedUnchanged(enrollee, { status: 400, code: 'invalid_request' }, () =>
      enrollee.phone.post(`${enrollee.path}/phone-code`, { code }),
    );
  });
});

describe('e-mail addresses', () => {
  test.each([
    'nobody',
    'a@b',
    'a b@example.test',
    'a@-x-.test',
    '@example.test',
    'a@exa_mple.test',
  ])('"%s" is none', async (email) => {
    const enrollee = waiting.in('email');
    const { status, body } = await enrollee.phone.post(`${enrollee.path}/email`, { email });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'email_invalid' });
  });
});
