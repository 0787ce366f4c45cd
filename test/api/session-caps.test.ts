/** How many sessions a customer may have at once: past a cap the oldest ends, or the login is refused; many logins at once never exceed it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Policy } from '../../domain/policy.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { Phone } from '../setup/callers.ts';
import { ONE_FACTOR, ROOMY_POLICY } from '../setup/demo-tenant.ts';
import { addDevice, createBanker, logIn, loginBody } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';

const capped = (change: Partial<Policy['session']>): Policy => ({
  ...ROOMY_POLICY,
  login: ONE_FACTOR,
  session: { ...ROOMY_POLICY.session, ...change },
});

const isOpen = async (phone: Phone) => (await phone.get('/auth/me')).status === 200;
const reasonsOf = (api: TestApi, { customerId }: Banker) =>
  api.inTenant(async (tx) => {
    const rows = await tx<{ endReason: string | null }[]>`
      select end_reason from session where customer_id = ${customerId} order by started_at, session_id`;
    return rows.map(({ endReason }) => endReason);
  });
/** On his device, then on keys that are none of his. */
async function openOn(api: TestApi, banker: Banker, strangers: number): Promise<Phone[]> {
  const phones = [banker.phone];
  for (let count = 0; count < strangers; count += 1) phones.push(await createPhone(api));
  for (const phone of phones) expect((await logIn(banker, phone)).status).toBe(200);
  return phones;
}

describe('where the oldest ends', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ policy: capped({ maxOfCustomer: 3, maxWithoutDevice: 2 }) });
  });
  afterAll(() => api.close());

  test('a login past the customer’s cap ends the oldest session, with its reason, audit, event and wake-up', async () => {
    const banker = await createBanker(api);
    const tablet = await addDevice(api, banker);
    const [own, ...strangers] = await openOn(api, banker, 2);
    expect(await logIn(tablet, tablet.phone)).toMatchObject({ status: 200 });
    expect(own === undefined ? undefined : await isOpen(own)).toBe(false);
    for (const phone of [...strangers, tablet.phone]) expect(await isOpen(phone)).toBe(true);
    expect(await reasonsOf(api, banker)).toEqual(['limit_reached', null, null, null]);
    const told = await api.inTenant(
      (tx) => tx`
      select topic, payload from outbox where created_at is not null and (payload -> 'data' ->> 'reason' = 'limit_reached'
        or topic = 'session.wake') and (payload ->> 'sessionId' in (select session_id from session where customer_id = ${banker.customerId})
        or payload -> 'data' ->> 'customerId' = ${banker.customerId})`,
    );
    expect(told.map(({ topic }) => String(topic)).toSorted()).toEqual(['event', 'session.wake']);
  });

  test('keys that are no device of his have a cap of their own, which costs no device its session', async () => {
    const banker = await createBanker(api);
    const [own, first, ...rest] = await openOn(api, banker, 3);
    const open = [];
    for (const phone of [own, first, ...rest]) open.push(phone && (await isOpen(phone)));
    expect(open).toEqual([true, false, true, true]);
  });

  test('logging in again by the same key counts for nothing, however often', async () => {
    const banker = await createBanker(api);
    const phones = await openOn(api, banker, 2);
    for (let count = 0; count < 3; count += 1) await logIn(banker, banker.phone);
    for (const phone of phones) expect(await isOpen(phone)).toBe(true);
  });

  test('what has run out takes nobody’s place', async () => {
    const banker = await createBanker(api);
    const phones = await openOn(api, banker, 2);
    await api.inTenant(
      (
        tx,
      ) => tx`update session set idle_deadline = started_at where customer_id = ${banker.customerId}
        and jkt = ${phones[1]?.jkt ?? ''}`,
    );
    const newcomer = await createPhone(api);
    await logIn(banker, newcomer);
    expect(await isOpen(banker.phone)).toBe(true);
  });

  test('logins at once never leave more than the cap', async () => {
    const banker = await createBanker(api);
    const phones = await Promise.all(Array.from({ length: 8 }, () => createPhone(api)));
    const bodies = await Promise.all(phones.map((phone) => loginBody(banker, phone)));
    const answers = await Promise.all(
      phones.map((phone, index) => phone.post('/auth/login', bodies[index])),
    );
    expect(answers.map(({ status }) => status)).toEqual(phones.map(() => 200));
    const reasons = await reasonsOf(api, banker);
    expect(reasons.filter((reason) => reason === null)).toHaveLength(2);
    expect(reasons.filter((reason) => reason === 'limit_reached')).toHaveLength(6);
  });
});

describe('where a login past the cap is refused', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ policy: capped({ maxOfCustomer: 2, refuseWhenFull: 1 }) });
  });
  afterAll(() => api.close());

  test('it says so, ends nothing, and works once there is room', async () => {
    const banker = await createBanker(api);
    const phones = await openOn(api, banker, 1);
    const newcomer = await createPhone(api);
    expect(await logIn(banker, newcomer)).toMatchObject({
      status: 409,
      body: { code: 'session_limit_reached' },
    });
    for (const phone of phones) expect(await isOpen(phone)).toBe(true);
    await phones[1]?.post('/auth/logout', { scope: 'this' });
    expect((await logIn(banker, newcomer)).status).toBe(200);
  });

  test('logging in again by the same key is not', async () => {
    const banker = await createBanker(api);
    await openOn(api, banker, 1);
    expect((await logIn(banker, banker.phone)).status).toBe(200);
  });

  test('of many at once as many come in as there is room for, each with a passkey of its own', async () => {
    const banker = await createBanker(api);
    const devices = [banker];
    for (let count = 0; count < 5; count += 1) devices.push(await addDevice(api, banker));
    const bodies = await Promise.all(devices.map((device) => loginBody(device, device.phone)));
    const answers = await Promise.all(
      devices.map(({ phone }, index) => phone.post('/auth/login', bodies[index])),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 409, 409, 409, 409,
    ]);
  });
});
