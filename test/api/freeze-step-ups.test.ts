/** A freeze in the middle of step-ups that go the whole way, through their workflow: what is refused, what is still possible, and what goes on afterwards. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { liftFreeze } from '../../db/freeze.ts';
import { addDevice, logIn } from '../setup/login-bed.ts';
import { openIt, StepUpStack } from '../setup/beds/step-up-stack.ts';
import { createMachine } from '../setup/machine.ts';
import { createStaff } from '../setup/staff.ts';
import { payment } from '../setup/step-ups.ts';

let stack: StepUpStack;
beforeAll(async () => {
  stack = await StepUpStack.start();
});
afterAll(async () => {
  await stack?.close();
});

const FROZEN = { status: 403, body: { code: 'customer_frozen' } };

test('an approval is refused while it lasts, may be denied, and counts once it was lifted', async () => {
  const banker = await stack.loggedIn();
  const stepUpId = await stack.ask(banker);
  const opened = await openIt(banker.phone, stepUpId);
  await banker.phone.post('/auth/freeze', {});
  expect(await stack.approve(banker, opened)).toMatchObject(FROZEN);
  // The workflow stands where it stood: nothing was counted, nothing is wedged.
  expect((await banker.phone.get(`/auth/step-ups/${stepUpId}`)).body.status).toBe('pending');
  const { tenantId } = stack.api;
  const { customerId } = banker;
  const by = { kind: 'customer', id: customerId } as const;
  await stack.api.inTenant((tx) => liftFreeze(tx, { tenantId, customerId, by }));
  const again = await openIt(banker.phone, stepUpId);
  expect((await stack.approve(banker, again)).body).toMatchObject({ status: 'approved' });
});

test('one that waits is denied during a freeze: "not me" is never stopped', async () => {
  const banker = await stack.loggedIn();
  const stepUpId = await stack.ask(banker);
  await banker.phone.post('/auth/freeze', {});
  const denied = await banker.phone.post(`/auth/step-ups/${stepUpId}/deny`, { reason: 'not_me' });
  expect(denied.body).toMatchObject({ status: 'denied' });
});

test('a requester is told so by its own code, whatever it asks for', async () => {
  const banker = await stack.loggedIn();
  await banker.phone.post('/auth/freeze', {});
  const payments = await createMachine(stack.api, { client: 'demo-payments' });
  for (const amount of ['4.00', '40000.00'])
    expect(
      await payments.post('/step-ups', {
        customerId: banker.customerId,
        action: payment(amount),
        reference: newId('request'),
      }),
    ).toMatchObject(FROZEN);
});

test('a caller proves himself during a freeze, and staff may then report his device by that call', async () => {
  const banker = await stack.loggedIn();
  const lost = await addDevice(stack.api, banker);
  await banker.phone.post('/auth/freeze', {});
  const agent = await createStaff(stack.api, ['agent']);
  const call = await agent.post(`/staff/customers/${banker.customerId}/calls`, {
    caseReference: 'case-4711',
  });
  const callId = String(call.body.stepUpId);
  const report = { kind: 'stolen', reason: 'customer_request', callId };
  const path = `/staff/devices/${lost.deviceId}/report`;
  expect((await agent.post(path, report)).body.code).toBe('caller_not_proved');
  await stack.reaches(callId, 'open');
  const opened = await openIt(banker.phone, callId);
  expect((await stack.approve(banker, opened)).body).toMatchObject({ status: 'approved' });
  expect(await agent.post(path, report)).toMatchObject({
    status: 200,
    body: { status: 'restricted' },
  });
});

test('a device that is reported can open no step-up and approve none that it had opened', async () => {
  const banker = await stack.loggedIn();
  const other = await addDevice(stack.api, banker);
  await logIn(other, other.phone);
  const stepUpId = await stack.ask(banker);
  const opened = await openIt(banker.phone, stepUpId);
  await other.phone.post(`/auth/devices/${banker.deviceId}/report`, { kind: 'stolen' });
  expect((await stack.approve(banker, opened)).status).toBeGreaterThanOrEqual(400);
  expect((await openIt(banker.phone, stepUpId)).status).toBeGreaterThanOrEqual(400);
  const fromOther = await openIt(other.phone, stepUpId);
  expect((await stack.approve(other, fromOther)).body).toMatchObject({ status: 'approved' });
});
