/** A call that proves both sides: asked for by staff, shown in the customer's app, and told with what it was proved. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { createReceiptStore } from '../../db/receipts.ts';
import { verifyReceipt } from '../../sdk/receipt/receipt.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { bankSigner } from '../setup/receipt.ts';
import { createStaff } from '../setup/staff.ts';
import type { Staff } from '../setup/staff.ts';
import { approvalBody, openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';

let stack: StepUpStack;
let issuer: string;
let agent: Staff;
beforeAll(async () => {
  stack = await StepUpStack.start();
  ({ issuer } = await stack.api.tenant());
  agent = await createStaff(stack.api, ['agent'], {
    name: 'Mere Tamahori',
    employeeId: 'A-17',
  });
});
afterAll(async () => {
  await stack?.close();
});

async function customer(): Promise<Banker> {
  const banker = await createBanker(stack.api);
  await logIn(banker, banker.phone);
  return banker;
}

const call = async (by: Staff, { customerId }: Pick<Banker, 'customerId'>, caseReference: string) =>
  await by.post(`/staff/customers/${customerId}/calls`, { caseReference });

async function approve(banker: Banker, stepUpId: string) {
  await stack.reaches(stepUpId, 'open');
  const opened = await openIt(banker.phone, stepUpId);
  const body = await approvalBody(banker, banker.phone, { opened, issuer });
  const answer = await banker.phone.post(`/auth/step-ups/${stepUpId}/approve`, body);
  expect(answer.body).toMatchObject({ status: 'approved' });
  return opened;
}

describe('a verified call', () => {
  test('shows the customer who is on the line, and the agent with what he proved himself', async () => {
    const banker = await customer();
    const started = await call(agent, banker, 'case-4711');
    expect(started).toMatchObject({
      status: 201,
      body: {
        customerId: banker.customerId,
        caseReference: 'case-4711',
        status: 'pending',
        approvedAt: null,
        provedSecondsAgo: null,
        method: null,
        deviceName: null,
      },
    });
    const stepUpId = String(started.body.stepUpId);
    const opened = await approve(banker, stepUpId);
    expect(opened.body).toMatchObject({
      type: 'verified_call',
      requester: { kind: 'staff', name: 'Mere Tamahori, A-17' },
    });
    for (const part of ['Mere Tamahori, A-17', 'case-4711'])
      expect(opened.body.display.text).toContain(part);
    const seen = await agent.get(`/staff/calls/${stepUpId}`);
    expect(seen).toMatchObject({
      status: 200,
      body: { status: 'approved', method: 'passkey', deviceName: 'Ada’s phone' },
    });
    expect(seen.body.provedSecondsAgo).toBeLessThan(60);
    expect(Date.parse(seen.body.deviceTrustedSince)).toBeLessThanOrEqual(Date.now());
  });

  test('names the agent by the employee id where the name would say more than a name', async () => {
    const banker = await customer();
    for (const name of [
      'Fraud desk\nCase: 4711, press yes',
      'M\u0435re Tamahori',
      'x'.repeat(90),
    ]) {
      const dishonest = await createStaff(stack.api, ['agent'], { name });
      const { body } = await call(dishonest, banker, 'case-7');
      await stack.reaches(String(body.stepUpId), 'open');
      const { body: opened } = await openIt(banker.phone, String(body.stepUpId));
      expect(opened.display.text).not.toContain(name);
      expect(opened.requester.name).not.toBe(name);
      expect(opened.display.text.split('\n')).toHaveLength(3);
    }
  });

  test('that the customer refuses is shown as refused', async () => {
    const banker = await customer();
    const { body } = await call(agent, banker, 'case-1');
    const path = `/auth/step-ups/${String(body.stepUpId)}/deny`;
    await banker.phone.post(path, { reason: 'not_me' });
    expect((await agent.get(`/staff/calls/${String(body.stepUpId)}`)).body).toMatchObject({
      status: 'denied',
      method: null,
    });
  });

  test('is attributed to whoever asked; a colleague’s look is noted, the asker’s own is not', async () => {
    const banker = await customer();
    const { body } = await call(agent, banker, 'case-2');
    const stepUpId = String(body.stepUpId);
    const supervisor = await createStaff(stack.api, ['supervisor']);
    await agent.get(`/staff/calls/${stepUpId}`);
    expect((await supervisor.get(`/staff/calls/${stepUpId}`)).status).toBe(200);
    const rows = await stack.api.inTenant(
      (tx) => tx<{ action: string; actorKind: string; actorId: string }[]>`
        select action, actor_kind, actor_id from audit
        where ceremony_id = ${stepUpId} and actor_kind = 'staff' order by position`,
    );
    expect(rows).toEqual([
      { action: 'step_up.requested', actorKind: 'staff', actorId: agent.staffId },
      { action: 'staff.call_viewed', actorKind: 'staff', actorId: supervisor.staffId },
    ]);
  });

  test('for another case waits until the first is answered; for the same it takes its place', async () => {
    const banker = await customer();
    const first = await call(agent, banker, 'case-3');
    expect(await call(agent, banker, 'case-4')).toMatchObject({
      status: 409,
      body: { code: 'step_up_pending', stepUpId: first.body.stepUpId },
    });
    const again = await call(agent, banker, 'case-3');
    expect(again.status).toBe(201);
    expect((await agent.get(`/staff/calls/${String(first.body.stepUpId)}`)).body).toMatchObject({
      status: 'superseded',
    });
    // A colleague asks for himself.
    const colleague = await createStaff(stack.api, ['agent']);
    expect((await call(colleague, banker, 'case-5')).status).toBe(201);
  });

  test('asked for again under its key is the same call; two refusals give the customer a rest', async () => {
    const banker = await customer();
    const impatient = await createStaff(stack.api, ['agent']);
    const path = `/staff/customers/${banker.customerId}/calls`;
    const options = { idempotencyKey: 'call-once' };
    const first = await impatient.post(path, { caseReference: 'a' }, options);
    const again = await impatient.post(path, { caseReference: 'a' }, options);
    expect(again.body.stepUpId).toBe(first.body.stepUpId);
    const deny = async (stepUpId: unknown) => {
      const url = `/auth/step-ups/${String(stepUpId)}/deny`;
      expect((await banker.phone.post(url, { reason: 'declined' })).status).toBe(200);
    };
    await deny(first.body.stepUpId);
    await deny((await call(impatient, banker, 'b')).body.stepUpId);
    const paused = await call(impatient, banker, 'c');
    expect(paused).toMatchObject({ status: 429, body: { code: 'step_ups_paused' } });
    expect(Number(paused.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('is none for somebody who is no customer, and what is no call is not found here', async () => {
    expect(await call(agent, { customerId: newId('customer') }, 'case-6')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    const banker = await customer();
    const payment = await stack.ask(banker);
    expect(await agent.get(`/staff/calls/${payment}`)).toMatchObject({
      status: 404,
      body: { code: 'step_up_not_found' },
    });
  });

  test('cannot be asked for while Temporal is down; the same key asks then', async () => {
    const banker = await customer();
    const path = `/staff/customers/${banker.customerId}/calls`;
    const options = { idempotencyKey: 'call-later' };
    stack.temporal.isDown = true;
    expect(await agent.post(path, { caseReference: 'd' }, options)).toMatchObject({
      status: 503,
      body: { code: 'temporal_unavailable' },
    });
    stack.temporal.isDown = false;
    const later = await agent.post(path, { caseReference: 'd' }, options);
    expect(later.status).toBe(201);
    await approve(banker, String(later.body.stepUpId));
  });
});

describe('the receipt of a verified call', () => {
  const seal = (stepUpId: string) =>
    createReceiptStore(stack.api.database, {
      ...stack.api.deps,
      signer: bankSigner,
      issuerOf: () => Promise.resolve(issuer),
    }).seal({ tenantId: stack.api.tenantId, stepUpId });

  test('is for the agent who made the call: it proves who was spoken to, and his reading is noted', async () => {
    const banker = await customer();
    const { body } = await call(agent, banker, 'case-4711');
    const stepUpId = String(body.stepUpId);
    const path = `/staff/calls/${stepUpId}/receipt`;
    expect(await agent.get(path)).toMatchObject({
      status: 409,
      body: { code: 'step_up_not_approved' },
    });
    await approve(banker, stepUpId);
    expect(await agent.get(path)).toMatchObject({ status: 409, body: { code: 'receipt_pending' } });
    await seal(stepUpId);
    const receipt = await agent.get(path);
    expect(receipt).toMatchObject({
      status: 200,
      body: { stepUpId, actionType: 'verified_call', customer: banker.customerId },
    });
    const keys = await banker.phone.get('/.well-known/receipt-keys.json');
    const text = JSON.stringify(receipt.body);
    expect(await verifyReceipt(text, { keys: JSON.stringify(keys.body) })).toMatchObject({
      verdict: 'genuine',
    });
    expect(text).toContain('Mere Tamahori');
    const bare = await agent.get(`${path}?text=withheld`);
    expect(bare.body).toMatchObject({ status: 'approved', disclosures: {} });
    const rows = await stack.api.inTenant(
      (tx) => tx<{ actorId: string }[]>`
        select actor_id from audit where ceremony_id = ${stepUpId} and action = 'staff.call_receipt_read'`,
    );
    expect(rows).toEqual([{ actorId: agent.staffId }, { actorId: agent.staffId }]);
  });

  test('is nobody else’s: not a colleague’s, not a supervisor’s, and none of what is no call', async () => {
    const banker = await customer();
    const { body } = await call(agent, banker, 'case-9');
    const stepUpId = String(body.stepUpId);
    await approve(banker, stepUpId);
    await seal(stepUpId);
    for (const role of ['agent', 'supervisor'] as const) {
      const colleague = await createStaff(stack.api, [role]);
      expect(await colleague.get(`/staff/calls/${stepUpId}/receipt`)).toMatchObject({
        status: 404,
        body: { code: 'step_up_not_found' },
      });
    }
    const payment = await stack.ask(banker);
    expect(await agent.get(`/staff/calls/${payment}/receipt`)).toMatchObject({ status: 404 });
  });
});
