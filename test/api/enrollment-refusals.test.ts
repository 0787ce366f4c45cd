/** What an enrollment refuses: starts, steps out of order, other keys, and calls that only seem to be the vendor’s or the workflow’s. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createEnrollmentStore } from '../../db/enrollment-store.ts';
import type { EnrollmentEvent, EnrollmentState } from '../../domain/enrollment.ts';
import { footprintOf, isReferenceKept } from '../setup/rows/enrollment-rows.ts';
import { SOMEBODY, randomPhone } from '../setup/somebody.ts';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import { createPhone } from '../setup/callers.ts';
import type { Answer, Phone } from '../setup/callers.ts';
import { beginWaiting, refusalCheck } from '../setup/beds/waiting-enrollees.ts';
import type { RefusalCheck, WaitingEnrollees } from '../setup/beds/waiting-enrollees.ts';

let stack: EnrollmentStack;
let waiting: WaitingEnrollees;
let expectRefusedUnchanged: RefusalCheck;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
  waiting = await beginWaiting(stack);
  expectRefusedUnchanged = refusalCheck(stack);
});
afterAll(async () => {
  await stack?.close();
});

const STEP_BODIES = {
  'phone-code': { code: '123456' },
  'phone-code/resend': {},
  identity: { ...SOMEBODY, documentNumber: 'AB123456' },
  email: { email: 'a@example.test' },
  'email-code': { code: '123456' },
  'email-code/resend': {},
  'passkey-options': {},
} as const;
type StepPath = keyof typeof STEP_BODIES;

describe('the start', () => {
  const start = async (body: unknown, phone?: Phone) =>
    await (phone ?? (await createPhone(stack.api))).post('/auth/enrollments', body);

  test.each([
    ['', 'invalid_request', 400],
    ['12', 'invalid_request', 400],
    ['not a number', 'phone_invalid', 422],
    ['07911 123456', 'phone_invalid', 422],
    ['+44 7911 12', 'phone_invalid', 422],
    ['+44 20 7946 0958', 'phone_invalid', 422],
    ['+44 7911 123456 ext. 3', 'phone_invalid', 422],
  ])('refuses the number "%s" as %s', async (phone, code, status) => {
    expect(await start({ clientId: 'demo-app', phone })).toMatchObject({ status, body: { code } });
  });

  test.each([
    ['an unknown client', { clientId: 'nobody', phone: randomPhone() }, 401, 'unknown_client'],
    ['a machine', { clientId: 'demo-fraud', phone: randomPhone() }, 401, 'unknown_client'],
    ['no client', { phone: randomPhone() }, 400, 'invalid_request'],
    ['a wrong type', { clientId: 'demo-app', phone: 44 }, 400, 'invalid_request'],
    [
      'an extra field',
      { clientId: 'demo-app', phone: randomPhone(), x: 1 },
      400,
      'invalid_request',
    ],
    [
      'a strange locale',
      { clientId: 'demo-app', phone: randomPhone(), locale: '../en' },
      400,
      'invalid_request',
    ],
  ])('refuses %s', async (_what, body, status, code) => {
    const phone = await createPhone(stack.api);
    const answer = await start(body, phone);
    expect(answer).toMatchObject({ status, body: { code } });
    const rows = await stack.api.inTenant(
      async (tx) => await tx`select 1 from ceremony where jkt = ${phone.jkt}`,
    );
    expect(rows).toHaveLength(0);
  });

  test('once under one key is one enrollment, however often it is sent', async () => {
    const phone = await createPhone(stack.api);
    const body = { clientId: 'demo-app', phone: randomPhone() };
    const idempotencyKey = randomBytes(8).toString('hex');
    const first = await phone.post('/auth/enrollments', body, { idempotencyKey });
    const second = await phone.post('/auth/enrollments', body, { idempotencyKey });
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.body.enrollmentId).toBe(first.body.enrollmentId);
    const other = { ...body, phone: randomPhone() };
    expect(await phone.post('/auth/enrollments', other, { idempotencyKey })).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused' },
    });
  });
});

describe('one number', () => {
  const startsUntilRefused = async (number: string): Promise<{ starts: number; last: Answer }> => {
    for (let starts = 0; ; starts += 1) {
      // A stranger costs himself nothing by a new key each time, and gives up what he began.
      const phone = await createPhone(stack.api);
      const last = await phone.post('/auth/enrollments', { clientId: 'demo-app', phone: number });
      if (last.status !== 202 || starts === 20) return { starts, last };
      await phone.post(`/auth/enrollments/${String(last.body.enrollmentId)}/cancel`, {});
    }
  };

  test('is written to for six starts at once, whoever asks and however often he starts over; known and unknown alike', async () => {
    const customer = await stack.begin();
    await stack.enroll(customer);
    const unknown = await startsUntilRefused(randomPhone());
    const known = await startsUntilRefused(customer.number);
    expect([unknown.starts, known.starts + 1]).toEqual([6, 6]);
    for (const { last } of [unknown, known]) {
      expect(last).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
      expect(Number(last.headers['retry-after'])).toBeGreaterThan(3_500);
      expect(Number(last.headers['retry-after'])).toBeLessThanOrEqual(3_600);
    }
  });

  test('costs another number nothing, and a refused start writes nothing', async () => {
    const number = randomPhone();
    await startsUntilRefused(number);
    const phone = await createPhone(stack.api);
    const start = { clientId: 'demo-app', phone: number };
    expect(await phone.post('/auth/enrollments', start)).toMatchObject({ status: 429 });
    const rows = await stack.api.inTenant(
      async (tx) => await tx`select 1 from ceremony where jkt = ${phone.jkt}`,
    );
    expect(rows).toHaveLength(0);
    expect(await stack.begin(randomPhone(), phone)).toMatchObject({ phone });
  });
});

describe('steps out of order', () => {
  const DUE: Record<'phone' | 'identity' | 'email' | 'passkey', readonly StepPath[]> = {
    phone: ['phone-code', 'phone-code/resend'],
    identity: ['identity'],
    email: ['email'],
    passkey: ['passkey-options'],
  };
  const wrong = (['phone', 'identity', 'email', 'passkey'] as const).flatMap((state) =>
    (Object.keys(STEP_BODIES) as StepPath[])
      .filter((path) => !DUE[state].includes(path))
      .map((path) => [state, path] as const),
  );

  test.each(wrong)('in %s the step %s is not due, and nothing changes', async (state, path) => {
    expect.hasAssertions();
    const enrollee = waiting.in(state);
    await expectRefusedUnchanged(enrollee, { status: 409, code: 'wrong_step' }, () =>
      enrollee.phone.post(`${enrollee.path}/${path}`, STEP_BODIES[path]),
    );
  });
});

describe('another key', () => {
  test.each(Object.keys(STEP_BODIES) as StepPath[])(
    'does not find the enrollment at %s, like one that never was',
    async (path) => {
      const enrollee = waiting.in('phone');
      const stranger = await createPhone(stack.api);
      await expectRefusedUnchanged(enrollee, { status: 404, code: 'ceremony_not_found' }, () =>
        stranger.post(`${enrollee.path}/${path}`, STEP_BODIES[path]),
      );
      const never = `/auth/enrollments/${newId('ceremony')}/${path}`;
      expect(await stranger.post(never, STEP_BODIES[path])).toMatchObject({
        status: 404,
        body: { code: 'ceremony_not_found' },
      });
    },
  );

  test('neither looks at it, nor cancels it, nor binds a passkey to it', async () => {
    expect.hasAssertions();
    const enrollee = waiting.in('passkey');
    const stranger = await createPhone(stack.api);
    const expected = { status: 404, code: 'ceremony_not_found' };
    const body = await stack.passkeyBody(enrollee);
    await expectRefusedUnchanged(enrollee, expected, () => stranger.get(enrollee.path));
    await expectRefusedUnchanged(enrollee, expected, () =>
      stranger.post(`${enrollee.path}/cancel`, {}),
    );
    await expectRefusedUnchanged(enrollee, expected, () =>
      stranger.post(`${enrollee.path}/passkey`, body),
    );
  });
});

describe('what only a workflow says', () => {
  test.each<[state: 'phone' | 'identity_check' | 'email_code', EnrollmentEvent, EnrollmentState]>([
    ['phone', 'code_matched', 'identity'],
    ['identity_check', 'identity_verified', 'email'],
    ['email_code', 'code_matched', 'passkey'],
  ])('in %s, %s moves nothing when no row says so', async (state, event, to) => {
    const enrollee = await stack.begin();
    if (state !== 'phone') await stack.to(enrollee, state === 'email_code' ? 'email' : 'identity');
    if (state === 'identity_check') await stack.handInIdentity(enrollee);
    if (state === 'email_code')
      await enrollee.phone.post(`${enrollee.path}/email`, { email: 'somebody@example.test' });
    await stack.until(enrollee, state);
    const store = createEnrollmentStore(stack.api.database, stack.api.deps);
    const { enrollmentId } = enrollee;
    const subject = { tenantId: stack.api.tenantId, enrollmentId };
    const reading = await store.read(subject);
    const before = await footprintOf(stack.api, enrollee);
    const answer = await store.advance({
      ...subject,
      from: { state, seq: reading?.snapshot.seq ?? -1 },
      event,
      to,
      submissionId: null,
    });
    expect(answer).toMatchObject({ refused: 'wrong_step' });
    expect(await footprintOf(stack.api, enrollee)).toEqual(before);
  });
});

describe('the vendor’s call', () => {
  const verdict = () => ({
    reference: newId('attempt'),
    vendorReference: 'v-1',
    verdict: 'verified',
    evidenceId: 'evd-1',
  });

  test.each([
    ['another secret', { secret: 'x'.repeat(32) }],
    ['an old signature', { ageMs: 301_000 }],
    ['another body', { tamper: '{}' }],
  ])('with %s is refused', async (_what, spoil) => {
    expect(await stack.callBack(verdict(), spoil)).toMatchObject({
      status: 401,
      body: { code: 'signature_invalid' },
    });
  });

  test('about a check that is not ours finds nothing', async () => {
    expect(await stack.callBack(verdict())).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  test('repeated is harmless, and only the vendor who began the check may end it', async () => {
    const enrollee = await stack.begin();
    await stack.provePhone(enrollee);
    const since = stack.checks.length;
    await stack.handInIdentity(enrollee);
    const check = await stack.checkOf(enrollee, since);
    const { reference } = check;
    await expect.poll(() => isReferenceKept(stack.api, reference), { timeout: 20_000 }).toBe(true);
    const other = { ...verdict(), reference, vendorReference: 'v-other' };
    await expectRefusedUnchanged(enrollee, { status: 404, code: 'not_found' }, () =>
      stack.callBack(other),
    );
    expect(await stack.decide(check, 'verified')).toMatchObject({ status: 202 });
    expect(await stack.decide(check, 'refused')).toMatchObject({ status: 202 });
    expect(await stack.until(enrollee, 'email')).toMatchObject({ status: 200 });
  });
});
