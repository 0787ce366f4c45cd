import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createEnrollmentStore } from '../../db/enrollment-store.ts';
import type { EnrollmentEvent, EnrollmentState } from '../../domain/enrollment.ts';
import { footprintOf, isReferenceKept } from '../setup/rows/enrollment-rows.ts';
import { SOMEBODY, randomPhone } from '../setup/somebody.ts';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import type { Enrollee } from '../setup/beds/enrollment-stack.ts';
import { createPhone } from '../setup/callers.ts';
import type { Answer, Phone } from '../setup/callers.ts';

let stack: EnrollmentStack;
/** One enrollment in each state that a customer waits in; every test here leaves them as they were. */
const at = new Map<'phone' | 'identity' | 'email' | 'passkey', Enrollee>();
beforeAll(async () => {
  stack = await EnrollmentStack.start();
  for (const state of ['phone', 'identity', 'email', 'passkey'] as const) {
    const enrollee = await stack.begin();
    if (state !== 'phone') await stack.to(enrollee, state);
    at.set(state, enrollee);
  }
});
afterAll(async () => {
  await stack?.close();
});

function waitingIn(state: 'phone' | 'identity' | 'email' | 'passkey'): Enrollee {
  const enrollee = at.get(state);
  if (enrollee === undefined) throw new Error(`nobody is in ${state}`);
  return enrollee;
}

async function expectRefusedUnchanged(
  enrollee: Enrollee,
  expected: { status: number; code: string },
  act: () => Promise<Answer>,
): Promise<void> {
  const before = await footprintOf(stack.api, enrollee);
  const answer = await act();
  expect({ status: answer.status, code: answer.body.code }).toEqual(expected);
  expect(await footprintOf(stack.api, enrollee)).toEqual(before);
}

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
    const enrollee = waitingIn(state);
    await expectRefusedUnchanged(enrollee, { status: 409, code: 'wrong_step' }, () =>
      enrollee.phone.post(`${enrollee.path}/${path}`, STEP_BODIES[path]),
    );
  });
});

describe('another key', () => {
  test.each(Object.keys(STEP_BODIES) as StepPath[])(
    'does not find the enrollment at %s, like one that never was',
    async (path) => {
      const enrollee = waitingIn('phone');
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
    const enrollee = waitingIn('passkey');
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
    const enrollee = waitingIn('email');
    const { status, body } = await enrollee.phone.post(`${enrollee.path}/email`, { email });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'email_invalid' });
  });
});

describe('a passkey', () => {
  const expectRefused = async (
    code: string,
    spoil: Parameters<EnrollmentStack['passkeyBody']>[1],
    status = 400,
  ) => {
    const enrollee = waitingIn('passkey');
    const body = await stack.passkeyBody(enrollee, spoil);
    await expectRefusedUnchanged(enrollee, { status, code }, () =>
      enrollee.phone.post(`${enrollee.path}/passkey`, body),
    );
  };

  test.each([
    ['another origin', 'origin_mismatch', { origin: 'https://evil.test' }],
    ['a frame in another page', 'origin_mismatch', { clientData: { crossOrigin: true } }],
    ['a page around ours', 'origin_mismatch', { clientData: { topOrigin: 'https://evil.test' } }],
    ['another relying party', 'relying_party_mismatch', { rpId: 'evil.test' }],
    ['no user verification', 'user_verification_missing', { userVerified: false }],
    ['no user', 'user_verification_missing', { userPresent: false }],
    ['a login in place of a registration', 'credential_invalid', { type: 'webauthn.get' }],
    ['a challenge of nobody', 'challenge_invalid', { challenge: 'AAAA' }],
    ['an unknown attestation', 'credential_invalid', { format: 'apple' }],
    [
      'the session key as approval key',
      'approval_key_invalid',
      { approval: { isSessionKey: true } },
    ],
    [
      'an approval of another challenge',
      'approval_key_invalid',
      { approval: { challenge: 'AAAA' } },
    ],
    ['an approval for another device', 'approval_key_invalid', { approval: { sessionJkt: 'x' } }],
    ['a DPoP proof as approval', 'approval_key_invalid', { approval: { typ: 'dpop+jwt' } }],
  ] as const)('with %s is refused as %s', async (_what, code, spoil) => {
    expect.hasAssertions();
    await expectRefused(code, spoil);
  });

  test('with a challenge of another enrollment is refused as challenge_invalid', async () => {
    expect.hasAssertions();
    const other = await stack.begin();
    await stack.to(other, 'passkey');
    const answer = await other.phone.post(`${other.path}/passkey-options`, {});
    await expectRefused('challenge_invalid', { challenge: answer.body.options.challenge });
  });

  test('with a challenge that has expired is refused as challenge_invalid', async () => {
    expect.hasAssertions();
    const enrollee = waitingIn('passkey');
    const body = await stack.passkeyBody(enrollee);
    stack.api.clock.advance(5 * 60_000 + 1_000);
    await expectRefusedUnchanged(enrollee, { status: 400, code: 'challenge_invalid' }, () =>
      enrollee.phone.post(`${enrollee.path}/passkey`, body),
    );
  });

  test('with a challenge that was spent is refused as challenge_spent', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'passkey');
    const body = await stack.passkeyBody(enrollee);
    await stack.spendChallengeOf(body.credential);
    const answer = await enrollee.phone.post(`${enrollee.path}/passkey`, body);
    expect(answer).toMatchObject({ status: 409, body: { code: 'challenge_spent' } });
    expect((await enrollee.phone.get(enrollee.path)).body.state).toBe('passkey');
  });

  test('that somebody has is refused as credential_exists; another one is accepted then', async () => {
    const first = await stack.begin();
    await stack.enroll(first);
    const [credentialId = ''] = first.authenticator.credentialIds;
    const second = await stack.begin();
    await stack.to(second, 'passkey');
    const body = await stack.passkeyBody(second, { credentialId });
    expect(await second.phone.post(`${second.path}/passkey`, body)).toMatchObject({
      status: 409,
      body: { code: 'credential_exists' },
    });
    expect(await stack.bind(second)).toMatchObject({ body: { outcome: 'completed' } });
  });

  test('is bound once: the same answer again finds the enrollment ended', async () => {
    const enrollee = await stack.begin();
    await stack.to(enrollee, 'passkey');
    const body = await stack.passkeyBody(enrollee);
    const idempotencyKey = randomBytes(8).toString('hex');
    const bind = (key?: string) =>
      enrollee.phone.post(
        `${enrollee.path}/passkey`,
        body,
        key === undefined ? {} : { idempotencyKey: key },
      );
    const first = await bind(idempotencyKey);
    expect(first).toMatchObject({ body: { outcome: 'completed' } });
    expect((await bind(idempotencyKey)).body).toEqual(first.body);
    expect(await bind()).toMatchObject({ status: 409, body: { code: 'ceremony_ended' } });
  });

  test('for one key in two enrollments is bound in one of them', async () => {
    const phone = await createPhone(stack.api);
    const first = await stack.begin(randomPhone(), phone);
    const second = await stack.begin(randomPhone(), phone);
    await stack.to(first, 'passkey');
    await stack.to(second, 'passkey');
    expect(await stack.bind(first)).toMatchObject({ body: { outcome: 'completed' } });
    expect(await stack.bind(second)).toMatchObject({
      status: 409,
      body: { code: 'device_key_exists' },
    });
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
