/** Step-ups as the bank's services use them: who may ask for what, waiting, using once, giving up, and what a repeat is told. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Answer, Caller } from '../setup/callers.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import { approvalBody, openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';
import { payment } from '../setup/step-ups.ts';

let stack: StepUpStack;
let issuer: string;
let payments: Caller;
let fraud: Caller;
let banker: Banker;
let count = 0;
beforeAll(async () => {
  stack = await StepUpStack.start();
  ({ issuer } = await stack.api.tenant());
  payments = await createMachine(stack.api, { client: 'demo-payments' });
  fraud = await createMachine(stack.api);
});
afterAll(async () => {
  await stack?.close();
});
beforeEach(async () => {
  banker = await createBanker(stack.api);
  await logIn(banker, banker.phone);
});

const reference = (): string => `order-${String((count += 1))}`;
const ask = (changes: object = {}, idempotencyKey?: string): Promise<Answer> =>
  payments.post(
    '/step-ups',
    {
      customerId: banker.customerId,
      action: payment('400.00'),
      reference: reference(),
      ...changes,
    },
    idempotencyKey === undefined ? {} : { idempotencyKey },
  );
const look = (stepUpId: string, query = '') => payments.get(`/step-ups/${stepUpId}${query}`);
const use = (stepUpId: string, action: object = payment('400.00')) =>
  payments.post(`/step-ups/${stepUpId}/consume`, { action });

async function asked(changes: object = {}): Promise<string> {
  const { status, body } = await ask(changes);
  expect(status).toBe(201);
  await stack.reaches(String(body.stepUpId), 'open');
  return String(body.stepUpId);
}

async function approve(
  stepUpId: string,
  context: { readonly onCall?: boolean } = {},
): Promise<void> {
  const opened = await openIt(banker.phone, stepUpId, { context });
  const body = await approvalBody(banker, banker.phone, { opened, issuer });
  expect(await banker.phone.post(`/auth/step-ups/${stepUpId}/approve`, body)).toMatchObject({
    status: 200,
    body: { status: 'approved' },
  });
}

async function approved(changes: object = {}): Promise<string> {
  const stepUpId = await asked(changes);
  await approve(stepUpId);
  return stepUpId;
}

const cutOff = () =>
  fraud.post('/fraud/signals', { customerId: banker.customerId, reason: 'account_takeover' });

describe('a service that asks', () => {
  test('is told to wait, waits, and uses the approval once', async () => {
    const { status, body } = await ask();
    expect([status, body]).toMatchObject([
      201,
      { status: 'pending', required: 'latchkey:3', approvedAt: null, receiptId: null },
    ]);
    const stepUpId = String(body.stepUpId);
    await stack.reaches(stepUpId, 'open');
    const waiting = look(stepUpId, '?wait=30');
    await approve(stepUpId);
    expect((await waiting).body).toMatchObject({ status: 'approved', acr: 'latchkey:3' });
    const used = await use(stepUpId, payment('400'));
    expect(used).toMatchObject({
      status: 200,
      body: { status: 'consumed', acr: 'latchkey:3', isRepeat: false },
    });
    expect((await look(stepUpId)).body).toMatchObject({ status: 'consumed' });
  });

  test('hears at once that below the threshold nothing is needed, and asks the customer no earlier', async () => {
    const key = 'a-small-payment';
    const action = payment('40.00');
    const order = reference();
    const first = await ask({ action, reference: order }, key);
    expect([first.status, first.body]).toEqual([200, { status: 'not_required', required: 'none' }]);
    expect((await ask({ action, reference: order }, key)).body).toEqual(first.body);
    // 40 counted once: 259.99 more stay below 300, a cent more does not.
    expect((await ask({ action: payment('99.99') })).status).toBe(200);
    expect((await ask({ action: payment('99.99') })).status).toBe(200);
    expect((await ask({ action: payment('60.01') })).status).toBe(200);
    expect((await ask({ action: payment('0.01') })).status).toBe(201);
  });

  test('asks once, however often it repeats itself', async () => {
    const order = reference();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ask({ reference: order }, 'repeated-five-times')),
    );
    const created = answers.filter(({ status }) => status === 201);
    expect(new Set(created.map(({ body }) => body.stepUpId)).size).toBe(1);
    const others = answers.filter(({ status }) => status !== 201);
    expect(others.every(({ body }) => body.code === 'idempotency_in_progress')).toBe(true);
    expect(await ask({ reference: order }, 'repeated-five-times')).toMatchObject({ status: 201 });
  });

  test('may ask for no type it has no scope for, however it spells it', async () => {
    const action = { type: 'change_contact', channel: 'phone', to: '+64 21 000 000' };
    expect(await ask({ action })).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
    expect(await fraud.post('/step-ups', {})).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope' },
    });
  });

  test('is told which member of the action is wrong, and why', async () => {
    const named = (name: string) => ({
      ...payment('400.00'),
      payee: { name, account: '12-3456-7890123-00' },
    });
    for (const [action, member, why] of [
      [{ ...payment('400.00'), amount: 400 }, 'amount', 'not_a_string'],
      [{ ...payment('400.00'), amount: '4e2' }, 'amount', 'not_an_amount'],
      [{ ...payment('400.00'), amount: '-400.00' }, 'amount', 'not_an_amount'],
      [named('Mеre Kahu'), 'payee.name', 'mixed_scripts'],
      [named('Mere \u202Euhak'), 'payee.name', 'invisible_character'],
      [{ ...payment('400.00'), urgent: true }, 'urgent', 'unknown_member'],
      [{ type: 'launch_rocket' }, 'type', 'unknown_type'],
    ] as const) {
      expect(await ask({ action })).toMatchObject({
        status: 422,
        body: { code: 'action_invalid', member, why },
      });
    }
  });

  test('cannot ask somebody who is not there, is held, or whose device it is not', async () => {
    const nobody = `cus_${'0'.repeat(32)}`;
    expect(await ask({ customerId: nobody })).toMatchObject({ status: 404 });
    const other = await createBanker(stack.api);
    expect(await ask({ deviceId: other.deviceId })).toMatchObject({
      status: 403,
      body: { code: 'device_not_allowed' },
    });
    await cutOff();
    expect(await ask()).toMatchObject({ status: 403, body: { code: 'customer_on_hold' } });
  });

  test('has one that waits at a time; a newer one for the same order takes its place', async () => {
    const order = reference();
    const first = await asked({ reference: order });
    expect(await ask()).toMatchObject({
      status: 409,
      body: { code: 'step_up_pending', stepUpId: first },
    });
    const second = await ask({ reference: order, action: payment('410.00') });
    expect(second.status).toBe(201);
    expect((await look(first)).body).toMatchObject({ status: 'superseded' });
    expect(await use(first)).toMatchObject({ status: 409, body: { code: 'step_up_ended' } });
  });

  test('rests after two refusals by the customer', async () => {
    for (let refusals = 0; refusals < 2; refusals += 1) {
      const stepUpId = await asked();
      const path = `/auth/step-ups/${stepUpId}/deny`;
      expect(await banker.phone.post(path, { reason: 'declined' })).toMatchObject({ status: 200 });
    }
    const paused = await ask();
    expect(paused).toMatchObject({ status: 429, body: { code: 'step_ups_paused' } });
    const seconds = Number(paused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(DEFAULT_POLICY.stepUp.pauseSeconds);
  });

  test('rings nobody without end: a requester that takes the place of its own request again and again waits', async () => {
    const order = reference();
    const { unansweredToPause, unansweredWindowSeconds } = DEFAULT_POLICY.stepUp;
    for (let prompts = 0; prompts < unansweredToPause; prompts += 1)
      expect(await ask({ reference: order })).toMatchObject({ status: 201 });
    const refused = await ask({ reference: order });
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(unansweredWindowSeconds);
  });

  test('starts nothing while Temporal is down, and loses nothing: the same key goes on afterwards', async () => {
    const order = reference();
    stack.temporal.isDown = true;
    expect(await ask({ reference: order }, 'while-down')).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
    stack.temporal.isDown = false;
    const after = await ask({ reference: order }, 'while-down');
    expect(after).toMatchObject({ status: 201, body: { status: 'pending' } });
    await stack.reaches(String(after.body.stepUpId), 'open');
  });
});

describe('an approval', () => {
  test('is for exactly its action: another amount, payee or comma is refused, and it stays usable', async () => {
    const stepUpId = await approved();
    for (const action of [
      payment('400.01'),
      payment('4000.00'),
      { ...payment('400.00'), currency: 'AUD' },
      { ...payment('400.00'), reference: 'Invoice 7,' },
      { ...payment('400.00'), payee: { name: 'Mere Kahu', account: '12-3456-7890123-01' } },
    ])
      expect(await use(stepUpId, action)).toMatchObject({
        status: 409,
        body: { code: 'action_mismatch' },
      });
    expect((await use(stepUpId)).status).toBe(200);
  });

  test('is used once: parallel uses and repeats are told the one fact', async () => {
    const stepUpId = await approved();
    const answers = await Promise.all(Array.from({ length: 10 }, () => use(stepUpId)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(answers.filter(({ body }) => body.isRepeat === false)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.consumedAt)).size).toBe(1);
  });

  test('that was given on a call is used a little later', async () => {
    const stepUpId = await asked();
    await approve(stepUpId, { onCall: true });
    const early = await use(stepUpId);
    expect(early).toMatchObject({ status: 409, body: { code: 'step_up_delayed' } });
    const seconds = Number(early.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(DEFAULT_POLICY.stepUp.contextDelaySeconds);
  });

  test('is not used by a client that may ask for such actions no longer', async () => {
    const stepUpId = await approved();
    const other = await createMachine(stack.api, {
      client: 'demo-payments',
      scope: 'step-ups:add-payee',
    });
    const action = payment('400.00');
    expect(await other.post(`/step-ups/${stepUpId}/consume`, { action })).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope', scope: 'step-ups:payment' },
    });
  });

  test('cannot be used before there is one', async () => {
    const stepUpId = await asked();
    expect(await use(stepUpId)).toMatchObject({
      status: 409,
      body: { code: 'step_up_not_approved' },
    });
  });

  test('dies with the customer’s epoch; one that was used says so afterwards', async () => {
    const used = await approved();
    await use(used);
    const open = await approved();
    expect((await cutOff()).status).toBeLessThan(300);
    const refused = await use(open);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(['revoked', 'customer_on_hold']).toContain(refused.body.code);
    const again = await use(used);
    expect(again).toMatchObject({ status: 200, body: { isRepeat: true } });
    expect(again.body.revokedSince).toMatch(/^\d{4}-/);
  });

  test('is given up by who asked, until it is used', async () => {
    const stepUpId = await approved();
    const cancel = () => payments.post(`/step-ups/${stepUpId}/cancel`, {});
    expect(await cancel()).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await cancel()).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    expect(await use(stepUpId)).toMatchObject({ status: 409, body: { code: 'step_up_ended' } });
    const spent = await approved();
    await use(spent);
    expect(await payments.post(`/step-ups/${spent}/cancel`, {})).toMatchObject({ status: 409 });
  });
});

describe('a step-up of another requester', () => {
  test('does not exist: not to be read, waited for, used or ended', async () => {
    const stepUpId = await stack.ask(banker, { requester: { kind: 'client', id: 'another' } });
    const call = await stack.ask(banker, { requester: { kind: 'staff', id: 'stf_1' } });
    for (const id of [stepUpId, call, `cer_${'0'.repeat(32)}`]) {
      const answers = [
        await look(id),
        await look(id, '?wait=30'),
        await use(id),
        await payments.post(`/step-ups/${id}/cancel`, {}),
      ];
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 404, body: { code: 'step_up_not_found' } });
    }
  });
});

describe('waiting', () => {
  test('ends when its time is over, with how it stands then', async () => {
    const stepUpId = await asked();
    expect((await look(stepUpId, '?wait=1')).body).toMatchObject({ status: 'pending' });
  });

  test.each(['31', '-1', '1.5', '1e1', 'x', ''])('is refused for wait=%s', async (wait) => {
    expect(await look(`cer_${'0'.repeat(32)}`, `?wait=${wait}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
  });

  test('hears a refusal and a cut-off', async () => {
    const first = await asked();
    const refusal = look(first, '?wait=30');
    await banker.phone.post(`/auth/step-ups/${first}/deny`, { reason: 'declined' });
    expect((await refusal).body).toMatchObject({ status: 'denied', reason: 'declined' });
  });
});
