/** A passkey that an enrollment refuses to bind: every guard of the registration, and what was there before. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomPhone } from '../setup/somebody.ts';
import { EnrollmentStack } from '../setup/beds/enrollment-stack.ts';
import { createPhone } from '../setup/callers.ts';
import { beginWaiting, refusalCheck } from '../setup/beds/waiting-enrollees.ts';
import type { RefusalCheck, WaitingEnrollees } from '../setup/beds/waiting-enrollees.ts';

let stack: EnrollmentStack;
let waiting: WaitingEnrollees;
let expectRefusedUnchanged: RefusalCheck;
beforeAll(async () => {
  stack = await EnrollmentStack.start();
  waiting = await beginWaiting(stack, ['passkey']);
  expectRefusedUnchanged = refusalCheck(stack);
});
afterAll(async () => {
  await stack?.close();
});

describe('a passkey', () => {
  const expectRefused = async (
    code: string,
    spoil: Parameters<EnrollmentStack['passkeyBody']>[1],
    status = 400,
  ) => {
    const enrollee = waiting.in('passkey');
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
    const enrollee = waiting.in('passkey');
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
