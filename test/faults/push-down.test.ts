/** The push service killed: customers are told nothing, and can approve all the same, because a push only rings. */
import { afterAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../adapters/clock.ts';
import { DEMO_PAYMENTS_KEY } from '../../runtime/demo-secrets.ts';
import { MachineClient } from '../../runtime/machine-client.ts';
import { FakeApns } from '../setup/vendors/fake-apns.ts';
import { prepareFaultBed } from '../setup/beds/fault-bed.ts';
import { enrollPhone } from '../setup/software-phone.ts';

const apns = await FakeApns.start();
const bed = prepareFaultBed({
  environment: { LATCHKEY_PUSH: JSON.stringify({ demo: { apns: apns.account } }) },
});
afterAll(() => apns.kill());

const PATIENCE = { timeout: 60_000 };
const NOTHING_ELSE = { onCall: false, screenShared: false, accessibilityService: false };
const PAYEE = { name: 'Mere Kahu', account: '12-3456-7890123-00' };

type Phone = Awaited<ReturnType<typeof enrollPhone>>;

async function loggedIn(): Promise<Phone> {
  const phone = await enrollPhone(bed.stack);
  await phone.latchkey.logIn();
  await phone.latchkey.registerPush({ platform: 'apns', token: 'ab'.repeat(32) });
  return phone;
}

const payments = () =>
  new MachineClient({
    issuer: bed.stack.issuer,
    clientId: 'demo-payments',
    key: DEMO_PAYMENTS_KEY,
    scope: 'step-ups:payment',
    clock: systemClock,
  });

const action = { type: 'payment', amount: '400.00', currency: 'NZD', payee: PAYEE };

async function ask({ customerId }: Phone, client: MachineClient): Promise<string> {
  const body = { customerId, action, reference: crypto.randomUUID() };
  const answer = await client.call({ method: 'POST', path: '/step-ups', body });
  expect(answer.status).toBe(201);
  // The schema of the operation says so.
  return ((await answer.json()) as { stepUpId: string }).stepUpId;
}

async function approve({ latchkey }: Phone, stepUpId: string): Promise<void> {
  const opened = await latchkey.stepUps.open(stepUpId, { locale: 'en', context: NOTHING_ELSE });
  await latchkey.stepUps.approve(opened);
}

async function consume(client: MachineClient, stepUpId: string): Promise<unknown> {
  const path = `/step-ups/${stepUpId}/consume`;
  const answer = await client.call({ method: 'POST', path, body: { action } });
  return await answer.json();
}

const pushRows = (stepUpId: string) => bed.rows<
  { status: string; errorCode: string | null; tried: boolean }[]
>`
  select status, error_code as "errorCode", attempts > 0 as tried from outbox
  where topic = 'push.send' and payload ->> 'stepUpId' = ${stepUpId} and payload ->> 'deviceId' is not null`;
const pushed = (stepUpId: string) =>
  apns.requests.filter(({ body }) => body['stepUpId'] === stepUpId);

describe('a push service', () => {
  test('rings the customer’s phone with nothing but the step-up’s id', async () => {
    const phone = await loggedIn();
    const client = payments();
    const stepUpId = await ask(phone, client);
    await expect.poll(() => pushed(stepUpId).length, PATIENCE).toBe(1);
    const told = JSON.stringify(pushed(stepUpId));
    for (const secret of ['400', 'NZD', ...Object.values(PAYEE), phone.customerId])
      expect(told).not.toContain(secret);
    await approve(phone, stepUpId);
    expect(await consume(client, stepUpId)).toMatchObject({ status: 'consumed' });
  });

  test('that is killed stops no step-up: the customer finds it by asking, and nobody is rung for what is over', async () => {
    const phone = await loggedIn();
    const client = payments();
    await apns.kill();
    const stepUpId = await ask(phone, client);
    await expect
      .poll(() => pushRows(stepUpId), PATIENCE)
      .toMatchObject([{ status: 'pending', errorCode: 'vendor_unavailable', tried: true }]);

    const waiting = await phone.latchkey.stepUps.list();
    expect(waiting).toMatchObject([{ stepUpId, status: 'pending' }]);
    await approve(phone, stepUpId);
    expect(await consume(client, stepUpId)).toMatchObject({ status: 'consumed' });

    await apns.listen();
    await expect.poll(() => pushRows(stepUpId), PATIENCE).toMatchObject([{ status: 'delivered' }]);
    expect(pushed(stepUpId)).toEqual([]);
  });

  test('that calls the installation gone ends its registration', async () => {
    const phone = await loggedIn();
    apns.answer = { status: 410, reason: 'Unregistered' };
    await ask(phone, payments());
    const registrations = () =>
      bed.rows`select 1 from push_registration where customer_id = ${phone.customerId}`;
    await expect.poll(async () => (await registrations()).length, PATIENCE).toBe(0);
    apns.answer = { status: 200 };
  });
});

describe('the stream of an app', () => {
  test('tells of a step-up while no push service is there', async () => {
    const phone = await loggedIn();
    await apns.kill();
    const heard: unknown[] = [];
    const stop = new AbortController();
    const following = phone.latchkey.followStepUps((standing) => heard.push(standing), stop.signal);
    const stepUpId = await ask(phone, payments());
    await expect.poll(() => heard, PATIENCE).toContainEqual({ stepUpId, status: 'pending' });
    await approve(phone, stepUpId);
    await expect.poll(() => heard, PATIENCE).toContainEqual({ stepUpId, status: 'approved' });
    stop.abort();
    await following;
    await apns.listen();
  });
});
