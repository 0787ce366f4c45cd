/** Pushes from the outbox to phones, over real rows: who is told, what ends a registration, and that nobody is told for nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../../adapters/kms/embedded.ts';
import { connectDatabase } from '../../../db/connection.ts';
import type { Database } from '../../../db/connection.ts';
import type { ClaimedRow } from '../../../db/outbox.ts';
import { createPersonalData } from '../../../db/personal-data.ts';
import { createPushRows, registerPush, removePush } from '../../../db/push.ts';
import { LatchkeyError } from '../../../domain/errors.ts';
import type { PushDelivery, PushNotice, PushPlatform } from '../../../domain/ports.ts';
import { createPushDelivery } from '../../../relay/push.ts';
import { insertDevice } from '../../setup/customer.ts';
import type { SeededCustomer } from '../../setup/customer.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { SessionRows } from '../../setup/rows/session-rows.ts';
import { insertStepUpRows, moveStepUp } from '../../setup/rows/waiting-step-up.ts';

const personalData = createPersonalData(
  createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]),
);
const TOKEN = 'ab'.repeat(32);

let testDatabase: TestDatabase;
let database: Database;
let rows: SessionRows;
let customer: SeededCustomer;
let otherDeviceId: string;
let sent: (PushNotice & { platform: PushPlatform })[] = [];
let answer: () => PushDelivery = () => ({ outcome: 'delivered' });
let platforms: readonly PushPlatform[] = ['apns', 'fcm'];

const deliver = (deviceId?: string) => async (stepUpId: string) => {
  const { tenantId, customerId } = customer;
  const push = createPushDelivery({
    rows: createPushRows(database, personalData),
    sender: (_tenant, platform) =>
      Promise.resolve(
        platforms.includes(platform)
          ? {
              send: (notice) => {
                sent.push({ ...notice, platform });
                return Promise.resolve(answer());
              },
              close: () => undefined,
            }
          : undefined,
      ),
  });
  const row: Extract<ClaimedRow, { readonly topic: 'push.send' }> = {
    outboxId: 'out_1',
    topic: 'push.send',
    subject: customerId,
    position: 1,
    attempts: 1,
    createdAtMs: 0,
    payload: { stepUpId, customerId, ...(deviceId === undefined ? {} : { deviceId }) },
  };
  await push(tenantId, row);
};

const register = (deviceId: string, token = TOKEN, platform: PushPlatform = 'apns') =>
  database.tenant(customer.tenantId, (tx) =>
    registerPush(tx, personalData, { ...customer, deviceId, platform, token }),
  );
const registered = async () =>
  (await rows.sql`select device_id from push_registration order by device_id`).map((row) =>
    String(row['device_id']),
  );
const fanned = async (stepUpId: string) =>
  (
    await rows.sql`select payload ->> 'deviceId' as device from outbox
      where topic = 'push.send' and payload ->> 'stepUpId' = ${stepUpId} order by 1`
  ).map((row) => String(row['device']));

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  rows = new SessionRows(testDatabase);
  database = connectDatabase({ url: testDatabase.applicationUrl });
});
afterAll(async () => {
  await rows?.close();
  await database?.close();
  await testDatabase?.drop();
});
beforeEach(async () => {
  sent = [];
  platforms = ['apns', 'fcm'];
  answer = () => ({ outcome: 'delivered' });
  await rows.sql`delete from push_registration`;
  customer = await rows.customer('demo');
  const { tenantId, customerId } = customer;
  await database.tenant(tenantId, (tx) => personalData.createKey(tx, tenantId, customerId));
  ({ deviceId: otherDeviceId } = await insertDevice(rows.sql, tenantId, {
    customerId,
    deviceName: 'Tablet',
  }));
});

describe('a push without a device', () => {
  test('becomes one for each trusted device that is registered', async () => {
    await register(customer.deviceId);
    await register(otherDeviceId, 'cd'.repeat(32));
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    await deliver()(stepUpId);
    expect(await fanned(stepUpId)).toEqual([customer.deviceId, otherDeviceId].toSorted());
    expect(sent).toEqual([]);
  });

  test('becomes one for the device alone that the step-up names', async () => {
    await register(customer.deviceId);
    await register(otherDeviceId, 'cd'.repeat(32));
    const stepUpId = await insertStepUpRows(rows.sql, customer, { deviceId: otherDeviceId });
    await deliver()(stepUpId);
    expect(await fanned(stepUpId)).toEqual([otherDeviceId]);
  });

  test.each(['restricted', 'suspended', 'untrusted'])('passes over a %s device', async (status) => {
    await register(customer.deviceId);
    await rows.sql`update device set status = ${status} where device_id = ${customer.deviceId}`;
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    await deliver()(stepUpId);
    expect(await fanned(stepUpId)).toEqual([]);
  });
});

describe('a push to a device', () => {
  test('says only that something waits, until the time to approve is over', async () => {
    await register(customer.deviceId);
    const deadline = new Date(Date.now() + 120_000);
    const stepUpId = await insertStepUpRows(rows.sql, customer, { deadline });
    await deliver(customer.deviceId)(stepUpId);
    expect(sent).toEqual([
      {
        platform: 'apns',
        token: TOKEN,
        title: 'Demo Bank',
        body: 'Something waits for your decision. Open the app to see what it is.',
        stepUpId,
        expiresAtMs: deadline.getTime(),
      },
    ]);
  });

  test.each([
    ['approved', 'approved' as const],
    ['denied', { outcome: 'denied', reason: 'not_me' }],
    ['waiting for its code', 'second_factor' as const],
  ])('is not sent for a step-up that is %s', async (_what, to) => {
    await register(customer.deviceId);
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    await moveStepUp(rows.sql, stepUpId, to);
    await deliver(customer.deviceId)(stepUpId);
    expect(sent).toEqual([]);
  });

  test('is not sent when its time is over', async () => {
    await register(customer.deviceId);
    const deadline = new Date(Date.now() - 1);
    const stepUpId = await insertStepUpRows(rows.sql, customer, { deadline });
    await deliver(customer.deviceId)(stepUpId);
    expect(sent).toEqual([]);
  });

  test('is nothing where nobody sends for its platform: the app hears it by its stream', async () => {
    platforms = ['apns'];
    await register(customer.deviceId, TOKEN, 'fcm');
    await deliver(customer.deviceId)(await insertStepUpRows(rows.sql, customer));
    expect(sent).toEqual([]);
  });

  test('fails as its vendor does, so that the relay tries it again', async () => {
    await register(customer.deviceId);
    answer = () => {
      throw new LatchkeyError('vendor_unavailable', { retryAfterSeconds: 3 });
    };
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    await expect(deliver(customer.deviceId)(stepUpId)).rejects.toMatchObject({
      code: 'vendor_unavailable',
    });
    expect(await registered()).toEqual([customer.deviceId]);
  });
});

describe('a registration', () => {
  test('is forgotten when the vendor says that the installation is gone', async () => {
    await register(customer.deviceId);
    answer = () => ({ outcome: 'unregistered' });
    await deliver(customer.deviceId)(await insertStepUpRows(rows.sql, customer));
    expect(await registered()).toEqual([]);
  });

  test('is kept when it was made after the vendor last knew it as gone', async () => {
    await register(customer.deviceId);
    answer = () => ({ outcome: 'unregistered', sinceMs: Date.now() - 60_000 });
    await deliver(customer.deviceId)(await insertStepUpRows(rows.sql, customer));
    expect(await registered()).toEqual([customer.deviceId]);
  });

  test('is kept when the app registered anew while the push was under way', async () => {
    await register(customer.deviceId);
    await rows.sql`update push_registration set registered_at = registered_at - interval '1 hour'`;
    const stepUpId = await insertStepUpRows(rows.sql, customer);
    const pushRows = createPushRows(database, personalData);
    const { tenantId, customerId, deviceId } = customer;
    const target = await pushRows.target(tenantId, { stepUpId, customerId, deviceId });
    await register(deviceId, 'ef'.repeat(32));
    await pushRows.forget(tenantId, { deviceId, registeredAtMs: target?.registeredAtMs ?? 0 });
    expect(await registered()).toEqual([deviceId]);
  });

  test('ends with its device', async () => {
    await register(customer.deviceId);
    await rows.sql`update device set status = 'revoked', ended_at = now() where device_id = ${customer.deviceId}`;
    expect(await registered()).toEqual([]);
  });

  test('ends with the person’s key', async () => {
    await register(customer.deviceId);
    const { tenantId, customerId } = customer;
    await database.tenant(tenantId, (tx) => personalData.eraseKey(tx, tenantId, customerId));
    expect(await registered()).toEqual([]);
  });

  test('ends when its app asks for that, and nobody else’s does', async () => {
    await register(customer.deviceId);
    await register(otherDeviceId, 'cd'.repeat(32));
    const remove = () =>
      database.tenant(customer.tenantId, (tx) => removePush(tx, { ...customer }));
    await expect(remove()).resolves.toBe(true);
    await expect(remove()).resolves.toBe(false);
    expect(await registered()).toEqual([otherDeviceId]);
  });

  test('of one installation is of the last who made it', async () => {
    await register(customer.deviceId);
    await register(otherDeviceId);
    expect(await registered()).toEqual([otherDeviceId]);
  });

  test('holds no token that can be read', async () => {
    await register(customer.deviceId);
    const [row] = await rows.sql`select * from push_registration`;
    const bytes = Buffer.concat([row?.['sealed_token'], row?.['token_index']]);
    expect(bytes.includes(TOKEN)).toBe(false);
    expect(bytes.includes(Buffer.from(TOKEN, 'hex'))).toBe(false);
  });
});
