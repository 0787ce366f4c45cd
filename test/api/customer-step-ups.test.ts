/** A customer asked for an action, on his phone: what he sees, what he signs, the code, refusing, and what goes on while parts are down. */
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Phone } from '../setup/callers.ts';
import { createPhone } from '../setup/callers.ts';
import { addDevice, logIn } from '../setup/login-bed.ts';
import { randomPhone } from '../setup/somebody.ts';
import { approvalBody, openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';
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

describe('a customer who is asked', () => {
  test('sees it, opens it, signs it twice over, and it is approved', async () => {
    const banker = await stack.loggedIn();
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
    const approved = await stack.approve(banker, opened);
    expect(approved).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(approved.body.approvedAt).not.toBeNull();
    expect((await phone.get(`/auth/step-ups/${stepUpId}`)).body).toEqual(approved.body);
  });

  test('signs the text of his last opening: the same way answers the same, another takes its place', async () => {
    const banker = await stack.loggedIn();
    const stepUpId = await stack.ask(banker);
    const first = await openIt(banker.phone, stepUpId);
    const again = await openIt(banker.phone, stepUpId);
    expect(again.body.challenge).toBe(first.body.challenge);
    const onCall = await openIt(banker.phone, stepUpId, { context: { onCall: true } });
    expect(onCall.body.challenge).not.toBe(first.body.challenge);
    expect(await stack.approve(banker, first)).toMatchObject({
      status: 400,
      body: { code: 'challenge_invalid' },
    });
    expect(await stack.approve(banker, onCall)).toMatchObject({ body: { status: 'approved' } });
  });

  test('with a high value proves a code too, that names amount and payee', async () => {
    const number = randomPhone();
    const banker = await stack.loggedIn(number);
    const stepUpId = await stack.ask(banker, { action: payment('40000.00') });
    const opened = await openIt(banker.phone, stepUpId);
    expect(opened.body.required).toBe('latchkey:4');
    expect((await stack.approve(banker, opened)).body).toMatchObject({
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
    const banker = await stack.loggedIn(number);
    const stepUpId = await stack.ask(banker, { action: payment('40000.00') });
    await stack.approve(banker, await openIt(banker.phone, stepUpId));
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
    const banker = await stack.loggedIn();
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

describe('while parts are down', () => {
  test('an approval answers 503, moves nothing, and the same key takes it once', async () => {
    const banker = await stack.loggedIn();
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
    const banker = await stack.loggedIn();
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
    const banker = await stack.loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    stack.risk = 'silent';
    const answer = await stack.approve(banker, opened);
    expect(answer.body.status).not.toBe('approved');
    expect(answer.status).toBe(503);
    expect(await stack.stateOf(String(opened.body.stepUpId))).toBe('open');
  });
});

describe('a customer who refuses', () => {
  test.each(['not_me', 'declined'] as const)(
    'says %s, once, and nobody may use it',
    async (reason) => {
      const banker = await stack.loggedIn();
      const opened = await openIt(banker.phone, await stack.ask(banker));
      const path = `/auth/step-ups/${String(opened.body.stepUpId)}/deny`;
      const options = { idempotencyKey: `deny-${reason}` };
      const first = await banker.phone.post(path, { reason }, options);
      expect(first).toMatchObject({ status: 200, body: { status: 'denied', reason } });
      expect((await banker.phone.post(path, { reason }, options)).body).toEqual(first.body);
      expect(await stack.approve(banker, opened)).toMatchObject({
        status: 409,
        body: { code: 'step_up_ended', state: 'ended', outcome: 'denied' },
      });
    },
  );

  test('may do so after he approved, until it is used', async () => {
    const banker = await stack.loggedIn();
    const opened = await openIt(banker.phone, await stack.ask(banker));
    await stack.approve(banker, opened);
    const path = `/auth/step-ups/${String(opened.body.stepUpId)}/deny`;
    expect((await banker.phone.post(path, { reason: 'not_me' })).body).toMatchObject({
      status: 'denied',
    });
  });

  test('may do so where he only reads, but not on a phone that was reported lost', async () => {
    const banker = await stack.loggedIn();
    const stepUpId = await stack.ask(banker);
    const path = `/auth/step-ups/${stepUpId}/deny`;
    const onUnknownKey = await createPhone(stack.api);
    await logIn(banker, onUnknownKey);
    await stack.restrict(banker);
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
