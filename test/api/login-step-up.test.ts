/** A login that needs more than its passkey: asked for by risk or policy, proved by a code, and ended in the tokens of a login, once. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import { newId } from '../../adapters/random.ts';
import { placeFreeze } from '../../db/freeze.ts';
import type { Answer, Phone } from '../setup/callers.ts';
import { createPhone } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { createBanker, logIn, loginBody, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { randomPhone } from '../setup/somebody.ts';
import { StepUpStack } from '../setup/beds/step-up-stack.ts';

const NEEDED = { status: 403, body: { code: 'login_needs_approval' } };

let stack: StepUpStack;
beforeAll(async () => {
  stack = await StepUpStack.start();
});
afterAll(async () => {
  await stack?.close();
});
beforeEach(() => {
  stack.risk = 'low';
  stack.temporal.isDown = false;
});

interface Refused {
  readonly banker: Banker;
  readonly phone: Phone;
  readonly answer: Answer;
  readonly path: string;
  readonly number: string;
  readonly code: () => Promise<string>;
}

/** A login at high risk, by the customer's own phone unless another is given. */
async function refusedLogin(given?: Phone): Promise<Refused> {
  const number = randomPhone();
  const banker = await createBanker(stack.api, { number });
  const phone = given ?? banker.phone;
  stack.risk = 'high';
  const answer = await logIn(banker, phone);
  const path = `/auth/login-step-ups/${String(answer.body.stepUpId)}`;
  return { banker, phone, answer, path, number, code: () => stack.codeTo(number) };
}

async function approved(given?: Phone): Promise<Refused> {
  const login = await refusedLogin(given);
  const code = await login.code();
  const { body } = await login.phone.post(`${login.path}/code`, { code });
  expect(body).toMatchObject({ status: 'approved' });
  return login;
}

const freezeElsewhere = async ({ customerId }: Banker) => {
  const { tenantId } = stack.api;
  await stack.api.inTenant((tx) =>
    placeFreeze(tx, {
      tenantId,
      customerId,
      freezeId: newId('freeze'),
      how: 'phone_code',
      by: { kind: 'customer', id: customerId },
      isProved: false,
      policy: DEFAULT_POLICY.freeze,
    }),
  );
};

const sessionsOf = async ({ customerId }: Banker) =>
  await stack.api.inTenant(
    (tx) => tx<{ sessionId: string; amr: string[]; acr: string; epoch: number }[]>`
      select session_id, amr, acr, epoch from session where customer_id = ${customerId} and status = 'live'`,
  );

describe('a login at high risk', () => {
  test('gets no session; after the code it gets the tokens of a login', async () => {
    const { banker, phone, answer, path, number, code } = await refusedLogin();
    const sentTo = `+44 ••• ${number.slice(-4)}`;
    expect(answer).toMatchObject(NEEDED);
    expect(answer.body).toMatchObject({ sentTo, stepUpId: expect.any(String) });
    expect(await sessionsOf(banker)).toEqual([]);
    const digits = await code();
    expect((await phone.get(path)).body).toMatchObject({
      status: 'second_factor',
      code: { digits: 6, attemptsLeft: 5 },
    });
    expect((await phone.post(`${path}/code`, { code: digits })).body).toMatchObject({
      status: 'approved',
    });
    const finished = await phone.post(`${path}/finish`, {});
    expect(finished).toMatchObject({
      status: 200,
      body: { token_type: 'DPoP', acr: 'latchkey:2', id_token: expect.any(String) },
    });
    expect(await sessionsOf(banker)).toMatchObject([
      { sessionId: finished.body.session_id, amr: ['swk', 'user', 'mfa', 'pop', 'sms'] },
    ]);
    phone.accessToken = String(finished.body.access_token);
    expect((await phone.get('/auth/me')).status).toBe(200);
    // It was the key's affair: no session is asked about it.
    expect((await phone.get('/auth/step-ups')).body.stepUps).toEqual([]);
    phone.accessToken = undefined;
    expect((await refresh(phone, String(finished.body.refresh_token))).status).toBe(200);
  });

  test('is as old as its passkey: finished after a freeze, it does not lift it', async () => {
    const { banker, phone, path } = await approved();
    stack.api.clock.advance(1000);
    // The owner's phone was taken from his hand before the code came; he freezes from another.
    await freezeElsewhere(banker);
    stack.api.clock.advance(1000);
    const finished = await phone.post(`${path}/finish`, {});
    phone.accessToken = String(finished.body.access_token);
    expect(await phone.post('/auth/freeze/lift', {})).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication' },
    });
    phone.accessToken = undefined;
  });

  test('is refused where its passkey was asked for before a freeze; asked for after it, it goes on', async () => {
    const banker = await createBanker(stack.api, { number: randomPhone() });
    stack.risk = 'high';
    const heldBack = await loginBody(banker, banker.phone);
    stack.api.clock.advance(1000);
    await freezeElsewhere(banker);
    stack.api.clock.advance(1000);
    expect(await banker.phone.post('/auth/login', heldBack)).toMatchObject({
      status: 400,
      body: { code: 'challenge_invalid' },
    });
    expect(await logIn(banker, banker.phone)).toMatchObject(NEEDED);
  });

  test('on a key that is no device’s ends in a session that only reads', async () => {
    const { phone, path } = await approved(await createPhone(stack.api));
    expect((await phone.post(`${path}/finish`, {})).body).toMatchObject({
      acr: 'latchkey:1',
      scope: 'openid accounts:read',
    });
  });

  test('spent its passkey’s answer: it needs another for another login', async () => {
    const banker = await createBanker(stack.api);
    stack.risk = 'high';
    const body = await loginBody(banker, banker.phone);
    expect(await banker.phone.post('/auth/login', body)).toMatchObject(NEEDED);
    expect(await banker.phone.post('/auth/login', body)).toMatchObject({
      body: { code: 'challenge_spent' },
    });
  });

  test('asked again under its key is told the same, and sends no second code', async () => {
    const number = randomPhone();
    const banker = await createBanker(stack.api, { number });
    stack.risk = 'high';
    const body = await loginBody(banker, banker.phone);
    const options = { idempotencyKey: 'login-again' };
    const first = await banker.phone.post('/auth/login', body, options);
    await stack.codeTo(number);
    const again = await banker.phone.post('/auth/login', body, options);
    expect(again.body.stepUpId).toBe(first.body.stepUpId);
    expect(stack.codesTo(number)).toHaveLength(1);
  });

  test('takes the place of the one before it by the same key, and waits for no other key', async () => {
    const { banker, phone, path } = await refusedLogin();
    const second = await logIn(banker, phone);
    expect(second).toMatchObject(NEEDED);
    expect((await phone.get(path)).body).toMatchObject({ status: 'superseded' });
    expect(await logIn(banker, await createPhone(stack.api))).toMatchObject(NEEDED);
    expect(
      (await phone.get(`/auth/login-step-ups/${String(second.body.stepUpId)}`)).body,
    ).not.toMatchObject({ status: 'superseded' });
  });
});

describe('the end of such a login', () => {
  test('comes once: its own key is told the same tokens, another that it has ended', async () => {
    const { banker, phone, path } = await approved();
    const options = { idempotencyKey: 'finish-once' };
    const first = await phone.post(`${path}/finish`, {}, options);
    const again = await phone.post(`${path}/finish`, {}, options);
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
    expect(await phone.post(`${path}/finish`, {})).toMatchObject({
      status: 409,
      body: { code: 'step_up_ended' },
    });
    expect(await sessionsOf(banker)).toHaveLength(1);
  });

  test('asked for ten times at once begins one session', async () => {
    const { banker, phone, path } = await approved();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => phone.post(`${path}/finish`, {})),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await sessionsOf(banker)).toHaveLength(1);
  });

  test('is refused before the code was right', async () => {
    const { phone, path, code } = await refusedLogin();
    await code();
    expect(await phone.post(`${path}/finish`, {})).toMatchObject({
      status: 409,
      body: { code: 'step_up_not_approved' },
    });
  });

  test('is for the key that began it: to any other it does not exist', async () => {
    const { path } = await approved();
    const other = await createPhone(stack.api);
    const absent = { status: 404, body: { code: 'step_up_not_found' } };
    expect(await other.get(path)).toMatchObject(absent);
    expect(await other.post(`${path}/code`, { code: '123456' })).toMatchObject(absent);
    expect(await other.post(`${path}/resend-code`, {})).toMatchObject(absent);
    expect(await other.post(`${path}/finish`, {})).toMatchObject(absent);
  });

  test('is refused after a cut-off, and again under the new epoch', async () => {
    const { banker, phone, path } = await approved();
    await stack.api.inTenant((tx) =>
      cutOffCustomer(tx, { ...banker, tenantId: stack.api.tenantId }),
    );
    const answer = await phone.post(`${path}/finish`, {});
    expect(['revoked', 'customer_on_hold']).toContain(answer.body.code);
    expect(await sessionsOf(banker)).toEqual([]);
  });

  test('is refused when device or passkey may not log in any more', async () => {
    const suspended = await approved();
    await stack.api.inTenant(
      (tx) =>
        tx`update device set status = 'suspended' where device_id = ${suspended.banker.deviceId}`,
    );
    expect(await suspended.phone.post(`${suspended.path}/finish`, {})).toMatchObject({
      status: 403,
      body: { code: 'device_not_allowed' },
    });
    const removed = await approved();
    await stack.api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${removed.banker.credentialId}`,
    );
    expect(await removed.phone.post(`${removed.path}/finish`, {})).toMatchObject({
      body: { code: 'credential_unknown' },
    });
  });

  test('needs no Temporal', async () => {
    const { phone, path } = await approved();
    stack.temporal.isDown = true;
    expect((await phone.post(`${path}/finish`, {})).status).toBe(200);
  });

  test('is not to be had with a code that was guessed: five wrong ones end it', async () => {
    const { phone, path, code } = await refusedLogin();
    const right = await code();
    const wrong = right === '000000' ? '000001' : '000000';
    const codes: string[] = [];
    for (let guess = 0; guess < 5; guess += 1)
      codes.push(String((await phone.post(`${path}/code`, { code: wrong })).body.code));
    expect(codes).toEqual([...Array.from({ length: 4 }, () => 'wrong_code'), 'attempts_exhausted']);
    expect((await phone.get(path)).body).toMatchObject({ status: 'denied', reason: 'wrong_codes' });
    expect((await phone.post(`${path}/finish`, {})).status).toBe(409);
  });

  test('needs a new code only after a while', async () => {
    const { phone, path, code } = await refusedLogin();
    await code();
    expect(await phone.post(`${path}/resend-code`, {})).toMatchObject({
      status: 429,
      body: { code: 'resend_too_soon' },
    });
  });
});

describe('while Temporal is down', () => {
  test('plain logins go on, and one that needs more answers 503 until it is back', async () => {
    const number = randomPhone();
    const banker = await createBanker(stack.api, { number });
    stack.temporal.isDown = true;
    expect((await logIn(banker, banker.phone)).status).toBe(200);
    banker.phone.accessToken = undefined;
    stack.risk = 'high';
    const body = await loginBody(banker, banker.phone);
    const options = { idempotencyKey: newId('request') };
    expect(await banker.phone.post('/auth/login', body, options)).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
    stack.temporal.isDown = false;
    expect(await banker.phone.post('/auth/login', body, options)).toMatchObject(NEEDED);
    await stack.codeTo(number);
  });
});

describe('a risk engine that does not answer', () => {
  test('is no reason to refuse by the default policy: medium is not high', async () => {
    const banker = await createBanker(stack.api);
    stack.risk = 'silent';
    expect((await logIn(banker, banker.phone)).status).toBe(200);
    const rows = await stack.api.inTenant(
      (tx) => tx`select risk from session where customer_id = ${banker.customerId}`,
    );
    expect(rows).toMatchObject([{ risk: 'not_evaluated' }]);
  });

  test('counts as medium where the policy asks for more from there', async () => {
    const strict = await StepUpStack.start({
      policy: { ...DEFAULT_POLICY, login: { secondFactorFromRisk: 2 } },
    });
    try {
      const banker = await createBanker(strict.api);
      strict.risk = 'low';
      expect((await logIn(banker, banker.phone)).status).toBe(200);
      for (const risk of ['silent', 'not_evaluated', 'medium', 'high'] as const) {
        strict.risk = risk;
        expect(await logIn(banker, banker.phone)).toMatchObject(NEEDED);
      }
    } finally {
      await strict.close();
    }
  });
});
