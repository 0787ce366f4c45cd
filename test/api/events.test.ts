/** Every event that sessions, devices and cut-offs emit, made by what makes it and judged by the schema that receivers are given. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { cutOffCustomer, releaseCustomer } from '../setup/customer.ts';
import { faultsOf, typesOf, typesSeen } from '../setup/emitted-events.ts';
import type { EmittedEvent } from '../setup/emitted-events.ts';
import { addDevice, createBanker, logIn, refresh } from '../setup/login-bed.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.close());

const requestId = () => randomBytes(9).toString('base64url');

/** A token that was followed by two others, and one by one other, come back. */
async function showOldTokens(): Promise<void> {
  for (const times of [1, 2]) {
    const banker = await createBanker(api);
    const { body } = await logIn(banker, banker.phone);
    const first = String(body.refresh_token);
    let token = first;
    for (let round = 0; round < times; round += 1) {
      const answer = await refresh(banker.phone, token, { requestId: requestId() });
      token = String(answer.body.refresh_token);
    }
    await refresh(banker.phone, first, { requestId: requestId() });
  }
}

async function changeDevices(): Promise<void> {
  const own = await createBanker(api);
  const [other, third] = [await addDevice(api, own), await addDevice(api, own)];
  for (const banker of [own, other, third]) await logIn(banker, banker.phone);
  for (const action of ['suspend', 'resume', 'revoke'])
    expect(await own.phone.post(`/auth/devices/${other.deviceId}/${action}`, {})).toMatchObject({
      status: 200,
    });
  expect(await own.phone.post(`/auth/credentials/${third.credentialId}/revoke`, {})).toMatchObject({
    status: 200,
  });
}

async function cutOffAndRelease(): Promise<void> {
  const { customerId } = await createBanker(api);
  const key = { tenantId: api.tenantId, customerId };
  await api.inTenant((tx) => cutOffCustomer(tx, key));
  await api.inTenant((tx) => releaseCustomer(tx, key));
}

test('every event of sessions, devices and cut-offs is emitted and is what its schema says', async () => {
  await showOldTokens();
  await changeDevices();
  await cutOffAndRelease();
  const emitted = await api.inTenant(async (tx) => [
    ...(await tx<EmittedEvent[]>`
        select payload ->> 'type' as type, (payload ->> 'version')::integer as version, payload -> 'data' as data
        from outbox where topic = 'event' order by position`),
  ]);
  expect(emitted.flatMap(faultsOf)).toEqual([]);
  expect(typesSeen(emitted)).toEqual(typesOf('test/api/events.test.ts'));
});

test('an event that carries more than its schema, or something else, is found', () => {
  const event = (data: object) => ({ type: 'bank.app.device_resumed', version: 1, data });
  const [customer, device] = [`cus_${'0'.repeat(32)}`, `dev_${'0'.repeat(32)}`];
  const right = { customerId: customer, deviceId: device, by: 'staff', sessionsEnded: 0 };
  expect(faultsOf(event(right))).toEqual([]);
  for (const wrong of [
    { ...right, phone: '+447700900123' },
    { ...right, sessionsEnded: '0' },
    { ...right, customerId: device },
    { ...right, by: 'Ada Lovelace' },
    { customerId: customer, deviceId: device, by: 'staff' },
  ])
    expect(faultsOf(event(wrong))).toHaveLength(1);
});
