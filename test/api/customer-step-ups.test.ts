/** A customer asked for an action, on his phone: what he sees, both signatures and every guard before them, the code, and refusing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { newId } from '../../adapters/random.ts';
import type { Answer, Phone } from '../setup/callers.ts';
import { createPhone } from '../setup/callers.ts';
import { addDevice, createBanker, logIn, loginBody } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { randomPhone } from '../setup/somebody.ts';
import { approvalBody, openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';
import type { SpoiltApproval } from '../setup/beds/step-up-stack.ts';
import { payment } from '../setup/step-ups.ts';

let stack: StepUpStack;
let issuer: string;
beforeAll(async () => {
  stack = await StepUpStack.start();
  ({ issuer } = await stack.api.tenant());
});
afterAll(async () => {
  await stack?.close();
});
beforeEach(() => {
  stack.risk = 'low';
});

async function loggedIn(number?: string): Promise<Banker> {
  const banker = await createBanker(stack.api, number === undefined ? {} : { number });
  await logIn(banker, banker.phone);
  return banker;
}

async function restrict({ deviceId }: Pick<Banker, 'deviceId'>): Promise<void> {
  await stack.api.inTenant(
    (tx) => tx`update device set status = 'restricted' where device_id = ${deviceId}`,
  );
}

async function approve(
  banker: Pick<Banker, 'authenticator' | 'phone'>,
  opened: Answer,
  {
    spoil = {},
    idempotencyKey,
  }: { readonly spoil?: SpoiltApproval; readonly idempotencyKey?: string } = {},
): Promise<Answer> {
  const body = await approvalBody(banker, banker.phone, { opened, issuer, spoil });
  const path = `/auth/step-ups/${String(opened.body.stepUpId)}/approve`;
  return await banker.phone.post(
    path,
    body,
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
}

describe('a customer who is asked', () => {
  test('sees it, opens it, signs it twice over, and it is approved', async () => {
    const banker = await loggedIn();
    const stepUpId = await stack.ask(banker);
    const { phone } = banker;
    const list = await phone.get('/auth/step-ups');
    expect(list.body.stepUps).toMatchObject([
      {
        stepUpId,
        status: 'pending',
        type: 'payment',
        requester: { kind: 'client', name: 'Payments' },
      },
    ]);
    const opened = await openIt(phone, stepUpId);
    expect(opened).toMatchObject({
      status: 200,
      body: {
        status: 'pending',
        required: 'latchkey:3',
        rpId: 'localhost',
        delaySeconds: 0,
        allowCredentials: [{ id: banker.authenticator.credentialIds[0], type: 'public-key' }],
      },
    });
    const { preimage, display } = opened.body;
    expect(JSON.parse(preimage)).toMatchObject({
      stepUpId,
      customer: banker.customerId,
      action: { amount: '400.00', payee: { name: 'Mere Kahu' } },
      display: { text: display.text },
    });
    const approved = await approve(banker, opened);
    expect(approved).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(approved.body.approvedAt).not.toBeNull();
    expect((await phone.get(`/auth/step-ups/${stepUpId}`)).body).toEqual(approved.body);
  });

  test('signs the text of his last opening: the same way answers the same, another takes its place', async () => {
    const banker = await loggedIn();
    const stepUpId = await stack.ask(banker);
    const first = await openIt(banker.phone, stepUpId);
    const again = await openIt(banker.phone, stepUpId);
    expect(again.body.challenge).toBe(first.body.challenge);
    const onCall = await openIt(banker.phone, stepUpId, { context: { onCall: true } });
    expect(onCall.body.challenge).not.toBe(first.body.challenge);
    expect(await approve(banker, first)).toMatchObject({
      status: 400,
      body: { code: 'challenge_invalid' },
    });
    expect(await approve(banker, onCall)).toMatchObject({ body: { status: 'approved' } });
  });

  test('with a high value proves a code too, that names amount and payee', async () => {
    const number = randomPhone();
    const banker = await loggedIn(number);
    const stepUpId = await stack.ask(banker, { action: payment('40000.00') });
    const opened = await openIt(banker.phone, stepUpId);
    expect(opened.body.required).toBe('latchkey:4');
    expect((await approve(banker, opened)).body).toMatchObject({
      status: 'second_factor',
      code: { sentTo: `+44 ••• ${number.slice(-4)}`, digits: 6, attemptsLeft: 5, resendsLeft: 3 },
    });
    const code = await stack.codeTo(number);
    const text = stack.messages.at(-1)?.text ?? '';
    for (const part of ['40', 'Mere Kahu']) expect(text).toContain(part);
    const path = `/auth/step-ups/${stepUpId}`;
    const wrong = code === '000000' ? '000001' : '000000';
    expect(await banker.phone.post(`${path}/code`, { code: wrong })).toMatchObject({
      status: 422,
      body: { code: 'wrong_code', attemptsLeft: 4 },
    });
    expect(await banker.phone.post(`${path}/resend-code`, {})).toMatchObject({
      status: 429,
      body: { code: 'resend_too_soon' },
    });
    expect((await banker.phone.post(`${path}/code`, { code })).body).toMatchObject({
      status: 'approved',
    });
  });

  test('is told when a code has expired, and gets another', async () => {
    const number = randomPhone();
    const banker = await loggedIn(number);
    const stepUpId = await stack.ask(banker, { action: payment('40000.00') });
    await approve(banker, await openIt(banker.phone, stepUpId));
    const first = await stack.codeTo(number);
    const path = `/auth/step-ups/${stepUpId}`;
    await stack.api.inTenant(
      (tx) => tx`
        update step_attempt set expires_at = latchkey_now(), resend_after = latchkey_now() where ceremony_id = ${stepUpId}`,
    );
    expect(await banker.phone.post(`${path}/code`, { code: first })).toMatchObject({
      status: 410,
      body: { code: 'code_expired' },
    });
    expect((await banker.phone.post(`${path}/resend-code`, {})).body).toMatchObject({
      status: 'second_factor',
      code: { resendsLeft: 2 },
    });
    await vi.waitFor(() => {
      expect(stack.codesTo(number)).toHaveLength(2);
    });
    const code = await stack.codeTo(number);
    expect((await banker.phone.post(`${path}/code`, { code })).body).toMatchObject({
      status: 'approved',
    });
  });

  test('is told the same when the same approval comes again, and that it is too late under another key', async () => {
    const banker = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    const body = await approvalBody(banker, banker.phone, { opened, issuer });
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/approve`;
    const idempotencyKey = 'approve-once';
    const first = await banker.phone.post(path, body, { idempotencyKey });
    expect(first.body).toMatchObject({ status: 'approved' });
    expect((await banker.phone.post(path, body, { idempotencyKey })).body).toEqual(first.body);
    expect(await banker.phone.post(path, body)).toMatchObject({
      status: 409,
      body: { code: 'wrong_step', state: 'approved' },
    });
  });
});

describe('an approval is refused, and nothing of it is kept, when', () => {
  const passkeyGuards: readonly (readonly [string, string, SpoiltApproval])[] = [
    [
      'the passkey answered for another origin',
      'origin_mismatch',
      { origin: 'https://evil.example' },
    ],
    ['it was used in a frame', 'origin_mismatch', { clientData: { crossOrigin: true } }],
    [
      'it was used below another page',
      'origin_mismatch',
      { clientData: { topOrigin: 'https://a.example' } },
    ],
    ['it answered for another relying party', 'relying_party_mismatch', { rpId: 'evil.example' }],
    ['its user was not verified', 'user_verification_missing', { userVerified: false }],
    ['its user was not present', 'user_verification_missing', { userPresent: false }],
    ['it was registered, not used', 'credential_invalid', { type: 'webauthn.create' }],
    ['another key signed', 'credential_invalid', { wrongKey: true }],
    [
      'it names another user',
      'credential_invalid',
      { userHandle: Buffer.from('cus_x').toString('base64url') },
    ],
    [
      'it is over another challenge',
      'challenge_invalid',
      { challenge: Buffer.alloc(32, 7).toString('base64url') },
    ],
  ];
  const keyGuards: readonly (readonly [string, NonNullable<SpoiltApproval['approval']>])[] = [
    ['the approval key’s proof has another type', { typ: 'latchkey-approval-key+jwt' }],
    [
      'it is over another challenge',
      { payload: { challenge: Buffer.alloc(32, 7).toString('base64url') } },
    ],
    ['it is for another step-up', { payload: { stepUpId: newId('ceremony') } }],
    ['it is for another bank', { payload: { iss: 'https://other.example/t/demo' } }],
    ['it signs something more along', { payload: { also: 'this' } }],
    ['it is spelt in another way', { text: (signature) => `${signature}=` }],
    ['its signature was changed', { text: (signature) => `${signature.slice(0, -2)}AA` }],
  ];
  let banker: Banker;
  let opened: Answer;
  beforeAll(async () => {
    banker = await loggedIn();
    opened = await openIt(banker.phone, await stack.ask(banker));
  });
  const untouched = async () => {
    const stepUpId = String(opened.body.stepUpId);
    const rows = await stack.api.inTenant(
      (tx) => tx`select 1 from step_submission where ceremony_id = ${stepUpId}`,
    );
    expect([await stack.stateOf(stepUpId), rows.length]).toEqual(['open', 0]);
  };

  test.each(passkeyGuards)('%s: %s', async (_what, code, spoil) => {
    expect((await approve(banker, opened, { spoil })).body).toMatchObject({ code });
    await untouched();
  });

  test.each(keyGuards)('%s', async (_what, approval) => {
    expect(await approve(banker, opened, { spoil: { approval } })).toMatchObject({
      status: 422,
      body: { code: 'approval_invalid' },
    });
    await untouched();
  });

  test('the session key signed in the place of the approval key', async () => {
    const spoil = { approval: { key: banker.phone.key } };
    expect((await approve(banker, opened, { spoil })).body).toMatchObject({
      code: 'approval_invalid',
      detail: 'signature',
    });
    await untouched();
  });

  test('the approval key is that of another of his devices', async () => {
    const other = await addDevice(stack.api, banker);
    const spoil = { approval: { key: other.phone.approvalKey } };
    expect((await approve(banker, opened, { spoil })).body).toMatchObject({
      code: 'approval_invalid',
      detail: 'signature',
    });
    await untouched();
  });

  test('its passkey is another customer’s, or nobody’s any more', async () => {
    const { authenticator } = await loggedIn();
    const stolen = { authenticator, phone: banker.phone };
    expect(await approve(stolen, opened)).toMatchObject({
      status: 401,
      body: { code: 'credential_unknown' },
    });
    const further = await addDevice(stack.api, banker);
    await stack.api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${further.credentialId}`,
    );
    const removed = { authenticator: further.authenticator, phone: banker.phone };
    expect((await approve(removed, opened)).body).toMatchObject({ code: 'credential_unknown' });
    await untouched();
  });

  test('its assertion was made for a login', async () => {
    const { accessToken } = banker.phone;
    banker.phone.accessToken = undefined;
    const { credential } = await loginBody(banker, banker.phone);
    banker.phone.accessToken = accessToken;
    const { approvalSignature } = await approvalBody(banker, banker.phone, { opened, issuer });
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/approve`;
    expect(
      await banker.phone.post(path, { assertion: credential, approvalSignature }),
    ).toMatchObject({ status: 400, body: { code: 'challenge_invalid' } });
    await untouched();
  });
});

describe('who may approve', () => {
  test('is the customer alone: to another, and to the key of a login, it does not exist', async () => {
    const banker = await loggedIn();
    const stranger = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    const stepUpId = String(opened.body.stepUpId);
    const absent = { status: 404, body: { code: 'step_up_not_found' } };
    expect(await stranger.phone.get(`/auth/step-ups/${stepUpId}`)).toMatchObject(absent);
    expect(await openIt(stranger.phone, stepUpId)).toMatchObject(absent);
    expect(await approve(stranger, opened)).toMatchObject(absent);
    expect(
      await stranger.phone.post(`/auth/step-ups/${stepUpId}/deny`, { reason: 'declined' }),
    ).toMatchObject(absent);
    expect((await stranger.phone.get('/auth/step-ups')).body.stepUps).toEqual([]);
    const key = await createPhone(stack.api);
    expect(await key.get(`/auth/login-step-ups/${stepUpId}`)).toMatchObject(absent);
  });

  test('is no session that may only read: it is told to log in on a trusted device', async () => {
    const banker = await loggedIn();
    const stepUpId = await stack.ask(banker);
    const thief = { authenticator: banker.authenticator, phone: await createPhone(stack.api) };
    await logIn(banker, thief.phone);
    const opened = await openIt(banker.phone, stepUpId);
    const refused = {
      status: 401,
      body: { code: 'insufficient_user_authentication', acr_values: 'latchkey:2' },
    };
    expect(await openIt(thief.phone, stepUpId)).toMatchObject(refused);
    expect(await approve(thief, opened)).toMatchObject(refused);
    // What it sees names nobody.
    const { stepUps } = (await thief.phone.get('/auth/step-ups')).body;
    expect(stepUps).toMatchObject([{ stepUpId, display: null }]);
    expect(JSON.stringify(stepUps)).not.toContain('Mere');
  });

  test('is no phone that was reported lost', async () => {
    const banker = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    await restrict(banker);
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect(await openIt(banker.phone, String(opened.body.stepUpId))).toMatchObject(refused);
    expect(await approve(banker, opened)).toMatchObject(refused);
  });

  test('is the device that the requester named, when it named one', async () => {
    const banker = await loggedIn();
    const other = await addDevice(stack.api, banker);
    await logIn(other, other.phone);
    const stepUpId = await stack.ask(banker, { deviceId: banker.deviceId });
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect(await openIt(other.phone, stepUpId)).toMatchObject(refused);
    const opened = await openIt(banker.phone, stepUpId);
    expect(await approve(other, opened)).toMatchObject(refused);
    expect((await approve(banker, opened)).body).toMatchObject({ status: 'approved' });
  });

  test('is the device that it was opened on last', async () => {
    const banker = await loggedIn();
    const other = await addDevice(stack.api, banker);
    await logIn(other, other.phone);
    const opened = await openIt(banker.phone, await stack.ask(banker));
    expect(await approve(other, opened)).toMatchObject({ body: { code: 'challenge_invalid' } });
    const there = await openIt(other.phone, String(opened.body.stepUpId));
    expect(await approve(banker, opened)).toMatchObject({ body: { code: 'challenge_invalid' } });
    expect((await approve(other, there)).body).toMatchObject({ status: 'approved' });
  });
});

describe('while parts are down', () => {
  test('an approval answers 503, moves nothing, and the same key takes it once', async () => {
    const banker = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    const stepUpId = String(opened.body.stepUpId);
    const body = await approvalBody(banker, banker.phone, { opened, issuer });
    const path = `/auth/step-ups/${stepUpId}/approve`;
    const options = { idempotencyKey: 'approve-later' };
    stack.temporal.isDown = true;
    expect(await banker.phone.post(path, body, options)).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
    expect(await stack.stateOf(stepUpId)).toBe('open');
    stack.temporal.isDown = false;
    expect((await banker.phone.post(path, body, options)).body).toMatchObject({
      status: 'approved',
    });
  });

  test('Temporal: looking, opening and refusing go on', async () => {
    const banker = await loggedIn();
    const stepUpId = await stack.ask(banker);
    stack.temporal.isDown = true;
    expect((await banker.phone.get('/auth/step-ups')).status).toBe(200);
    expect((await openIt(banker.phone, stepUpId)).status).toBe(200);
    const denied = await banker.phone.post(`/auth/step-ups/${stepUpId}/deny`, {
      reason: 'declined',
    });
    expect(denied.body).toMatchObject({ status: 'denied', reason: 'declined' });
    stack.temporal.isDown = false;
  });

  test('the risk engine: nothing is approved', async () => {
    const banker = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    stack.risk = 'silent';
    const answer = await approve(banker, opened);
    expect(answer.body.status).not.toBe('approved');
    expect(answer.status).toBe(503);
    expect(await stack.stateOf(String(opened.body.stepUpId))).toBe('open');
  });
});

describe('a customer who refuses', () => {
  test.each(['not_me', 'declined'] as const)(
    'says %s, once, and nobody may use it',
    async (reason) => {
      const banker = await loggedIn();
      const opened = await openIt(banker.phone, await stack.ask(banker));
      const path = `/auth/step-ups/${String(opened.body.stepUpId)}/deny`;
      const options = { idempotencyKey: `deny-${reason}` };
      const first = await banker.phone.post(path, { reason }, options);
      expect(first).toMatchObject({ status: 200, body: { status: 'denied', reason } });
      expect((await banker.phone.post(path, { reason }, options)).body).toEqual(first.body);
      expect(await approve(banker, opened)).toMatchObject({
        status: 409,
        body: { code: 'step_up_ended', state: 'ended', outcome: 'denied' },
      });
    },
  );

  test('may do so after he approved, until it is used', async () => {
    const banker = await loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    await approve(banker, opened);
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/deny`;
    expect((await banker.phone.post(path, { reason: 'not_me' })).body).toMatchObject({
      status: 'denied',
    });
  });

  test('may do so where he only reads, but not on a phone that was reported lost', async () => {
    const banker = await loggedIn();
    const stepUpId = await stack.ask(banker);
    const path = `/auth/step-ups/${stepUpId}/deny`;
    const onUnknownKey = await createPhone(stack.api);
    await logIn(banker, onUnknownKey);
    await restrict(banker);
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect(await banker.phone.post(path, { reason: 'not_me' })).toMatchObject(refused);
    // Its passkey elsewhere speaks for it no better.
    expect(await onUnknownKey.post(path, { reason: 'not_me' })).toMatchObject(refused);
    const other = await addDevice(stack.api, banker);
    const elsewhere: Phone = await createPhone(stack.api);
    await logIn(other, elsewhere);
    expect((await elsewhere.post(path, { reason: 'declined' })).body).toMatchObject({
      status: 'denied',
      display: null,
    });
  });
});
