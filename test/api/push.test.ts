/** Where a device can be told that something waits: registered by its own session, and by no other. */
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createEnrolledPhone } from '../setup/callers.ts';
import type { EnrolledPhone } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';

const TOKEN = 'ab'.repeat(32);

let api: TestApi;
let owner: postgres.Sql;
let phone: EnrolledPhone;
beforeAll(async () => {
  api = await startTestApi();
  owner = postgres(api.testDatabase.superuserUrl, { max: 1 });
});
afterAll(async () => {
  await owner?.end();
  await api?.close();
});
beforeEach(async () => {
  phone = await createEnrolledPhone(api);
  await api.inTenant((tx) => api.deps.personalData.createKey(tx, api.tenantId, phone.customerId));
});

const registrations = () =>
  owner`select device_id, platform from push_registration where customer_id = ${phone.customerId}`;

describe('PUT /auth/push', () => {
  it('registers the device that asks, and takes the place of what it had', async () => {
    const { deviceId } = phone;
    const first = await phone.put('/auth/push', { platform: 'apns', token: TOKEN });
    expect(first).toMatchObject({ status: 200, body: { deviceId, platform: 'apns' } });
    await phone.put('/auth/push', { platform: 'fcm', token: 'fcm:token_0123456789' });
    expect([...(await registrations())]).toEqual([{ device_id: deviceId, platform: 'fcm' }]);
  });

  it('answers the same again under the same key, and refuses another request under it', async () => {
    const options = { idempotencyKey: 'one' };
    const body = { platform: 'apns', token: TOKEN };
    const first = await phone.put('/auth/push', body, options);
    const again = await phone.put('/auth/push', body, options);
    expect(again).toMatchObject({ status: 200, body: first.body });
    const other = await phone.put('/auth/push', { ...body, platform: 'fcm' }, options);
    expect(other.body).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it.each([
    ['an unknown platform', { platform: 'web', token: TOKEN }],
    ['a token that is too short', { platform: 'apns', token: 'ab' }],
    ['a token with a line break', { platform: 'apns', token: `${TOKEN}\n` }],
    ['a token that climbs out of its path', { platform: 'apns', token: `${TOKEN}/../?x=${TOKEN}` }],
    ['more than was asked for', { platform: 'apns', token: TOKEN, deviceId: 'dev_1' }],
    ['nothing', {}],
  ])('refuses %s', async (_what, body) => {
    const answer = await phone.put('/auth/push', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await registrations()).toHaveLength(0);
  });

  it('asks for more where the device is not trusted any more', async () => {
    await owner`update device set status = 'restricted' where device_id = ${phone.deviceId}`;
    const answer = await phone.put('/auth/push', { platform: 'apns', token: TOKEN });
    expect(answer.body).toMatchObject({
      code: 'insufficient_user_authentication',
      acr_values: 'latchkey:2',
    });
  });

  it('is nothing for a session that was cut off', async () => {
    await api.inTenant((tx) => cutOffCustomer(tx, { tenantId: api.tenantId, ...phone }));
    const answer = await phone.put('/auth/push', { platform: 'apns', token: TOKEN });
    expect(answer.status).toBe(403);
    expect(await registrations()).toHaveLength(0);
  });
});

describe('DELETE /auth/push', () => {
  it('removes what the device had, once', async () => {
    await phone.put('/auth/push', { platform: 'apns', token: TOKEN });
    const { deviceId } = phone;
    const first = await phone.delete('/auth/push', { idempotencyKey: 'two' });
    expect(first).toMatchObject({ status: 200, body: { deviceId, removed: true } });
    const again = await phone.delete('/auth/push', { idempotencyKey: 'two' });
    expect(again.body).toEqual(first.body);
    const later = await phone.delete('/auth/push');
    expect(later.body).toEqual({ deviceId, removed: false });
    expect(await registrations()).toHaveLength(0);
  });

  it('is there for a device that may only read', async () => {
    await phone.put('/auth/push', { platform: 'apns', token: TOKEN });
    await owner`update device set status = 'restricted' where device_id = ${phone.deviceId}`;
    const answer = await phone.delete('/auth/push');
    expect(answer.body).toMatchObject({ removed: true });
  });
});
