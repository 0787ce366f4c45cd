/** A device reported lost or stolen over HTTP: what it can still do, who may report it and who may take that back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import type { Caller } from '../setup/callers.ts';
import { addDevice, createBanker, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { makeProof } from '../setup/proof.ts';
import { createStaff } from '../setup/staff.ts';

const ORIGIN = 'https://api.bank.example';
const gateways = {
  pay: { origin: ORIGIN, pathPrefix: '/pay', scope: 'payments:write' },
  read: { origin: ORIGIN, pathPrefix: '/read', scope: 'accounts:read' },
};

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ configuration: { gateways } });
});
afterAll(() => api.close());

interface Two {
  readonly own: Banker;
  /** The one that is lost. */
  readonly lost: Banker;
  readonly lostRefreshToken: string;
}

async function twoDevices(): Promise<Two> {
  const own = await createBanker(api);
  const lost = await addDevice(api, own);
  await logIn(own, own.phone);
  const { body } = await logIn(lost, lost.phone);
  return { own, lost, lostRefreshToken: String(body.refresh_token) };
}

const report = (by: Caller, { deviceId }: Banker, kind = 'stolen') =>
  by.post(`/auth/devices/${deviceId}/report`, { kind });
const liftReport = (by: Caller, { deviceId }: Banker) =>
  by.post(`/auth/devices/${deviceId}/lift-report`, {});

async function atGateway({ phone }: Banker, gateway: 'pay' | 'read') {
  const uri = gateways[gateway].pathPrefix;
  const accessToken = phone.accessToken ?? '';
  const answer = await api.app.inject({
    url: `${api.prefix}/gateway/verify`,
    headers: {
      'x-gateway-id': gateway,
      'x-original-method': 'GET',
      'x-original-uri': uri,
      authorization: `DPoP ${accessToken}`,
      dpop: await makeProof({
        key: phone.key,
        method: 'GET',
        htu: `${ORIGIN}${uri}`,
        nowMs: api.clock.nowMs(),
        accessToken,
      }),
    },
  });
  return answer.statusCode;
}

describe('a device reported by its owner', () => {
  test('only reads from then on, by the very token that paid before, at the gateway and in what it refreshes', async () => {
    const { own, lost, lostRefreshToken } = await twoDevices();
    expect(await atGateway(lost, 'pay')).toBe(200);
    expect(await report(own.phone, lost)).toMatchObject({
      status: 200,
      body: { deviceId: lost.deviceId, status: 'restricted' },
    });
    expect(await atGateway(lost, 'pay')).toBe(403);
    expect(await atGateway(lost, 'read')).toBe(200);
    const { body } = await refresh(lost.phone, lostRefreshToken);
    expect(body).toMatchObject({ acr: 'latchkey:1', scope: 'openid accounts:read' });
    const { devices } = (await own.phone.get('/auth/devices')).body;
    expect(devices).toContainEqual(
      expect.objectContaining({ deviceId: lost.deviceId, reportedAs: 'stolen' }),
    );
  });

  test('approves nothing, ends nobody else’s session, changes no device and lifts no report', async () => {
    const { own, lost } = await twoDevices();
    await report(own.phone, lost);
    const { sessions } = (await own.phone.get('/auth/sessions')).body;
    const ownSession = sessions.find(({ current }: { current: boolean }) => current).sessionId;
    for (const [path, body] of [
      [`/auth/sessions/${ownSession}/end`, {}],
      ['/auth/logout', { scope: 'others' }],
      [`/auth/devices/${own.deviceId}/suspend`, {}],
      [`/auth/devices/${own.deviceId}/report`, { kind: 'stolen' }],
      [`/auth/devices/${lost.deviceId}/lift-report`, {}],
      [`/auth/credentials/${own.credentialId}/revoke`, {}],
      ['/auth/freeze/lift', {}],
    ] as const)
      expect({ path, status: (await lost.phone.post(path, body)).status }).not.toMatchObject({
        status: 200,
      });
    const stepUp = `/auth/step-ups/${newId('ceremony')}`;
    const context = { onCall: false, screenShared: false, accessibilityService: false };
    expect((await lost.phone.post(`${stepUp}/open`, { locale: 'en', context })).status).not.toBe(
      200,
    );
    expect((await own.phone.get('/auth/me')).status).toBe(200);
  });

  test('logs in again to read, and stays reported', async () => {
    const { own, lost } = await twoDevices();
    await report(own.phone, lost, 'lost');
    expect((await logIn(lost, lost.phone)).body).toMatchObject({
      acr: 'latchkey:1',
      scope: 'openid accounts:read',
    });
  });

  test('may pay again with the next token once the owner lifts the report from another device', async () => {
    const { own, lost } = await twoDevices();
    await report(own.phone, lost, 'lost');
    expect(await liftReport(own.phone, lost)).toMatchObject({
      status: 200,
      body: { status: 'trusted' },
    });
    await logIn(lost, lost.phone);
    expect(await atGateway(lost, 'pay')).toBe(200);
  });

  test('is not given back by the passkey of another reported one, wherever that was synced to', async () => {
    const { own, lost } = await twoDevices();
    const third = await addDevice(api, own);
    for (const gone of [lost, third]) await report(own.phone, gone);
    await logIn(lost, own.phone);
    expect(await liftReport(own.phone, third)).toMatchObject({
      status: 403,
      body: { code: 'device_not_allowed' },
    });
    await logIn(own, own.phone);
    expect(await liftReport(own.phone, third)).toMatchObject({ status: 200 });
  });

  test('is never the one that asks, nor one of somebody else', async () => {
    const { own } = await twoDevices();
    const { lost: foreign } = await twoDevices();
    expect((await report(own.phone, own)).body.code).toBe('other_device_needed');
    expect((await report(own.phone, foreign)).body.code).toBe('not_found');
  });

  test('needs a passkey of the last minutes, to be made and to be lifted: an unlocked phone is not enough', async () => {
    const { own, lost } = await twoDevices();
    const waitAndRefresh = async (refreshToken: string) => {
      api.clock.advance(901_000);
      const { body } = await refresh(own.phone, refreshToken);
      own.phone.accessToken = String(body.access_token);
    };
    const first = await logIn(own, own.phone);
    await waitAndRefresh(String(first.body.refresh_token));
    const stale = 'insufficient_user_authentication';
    expect((await report(own.phone, lost)).body.code).toBe(stale);
    const second = await logIn(own, own.phone);
    expect((await report(own.phone, lost)).status).toBe(200);
    await waitAndRefresh(String(second.body.refresh_token));
    expect((await liftReport(own.phone, lost)).body.code).toBe(stale);
  });
});

describe('a device reported by staff', () => {
  const stolen = { kind: 'stolen', reason: 'customer_request' };

  test('only reads; the supervisor who did not report it lifts that', async () => {
    const { lost } = await twoDevices();
    const agent = await createStaff(api, ['agent', 'supervisor']);
    const path = `/staff/devices/${lost.deviceId}`;
    expect(await agent.post(`${path}/report`, stolen)).toMatchObject({
      status: 200,
      body: { status: 'restricted' },
    });
    expect(await atGateway(lost, 'pay')).toBe(403);
    const { devices } = (await agent.get(`/staff/customers/${lost.customerId}`)).body;
    expect(devices).toContainEqual(
      expect.objectContaining({ deviceId: lost.deviceId, reportedAs: 'stolen' }),
    );
    const reason = { reason: 'customer_request' };
    expect(await agent.post(`${path}/lift-report`, reason)).toMatchObject({
      status: 403,
      body: { code: 'four_eyes_required' },
    });
    const supervisor = await createStaff(api, ['supervisor']);
    expect((await supervisor.post(`${path}/lift-report`, reason)).status).toBe(200);
  });

  test('is refused for a call in which nobody proved himself, and for a device that is none', async () => {
    const { lost } = await twoDevices();
    const agent = await createStaff(api, ['agent']);
    const callId = newId('ceremony');
    expect(
      await agent.post(`/staff/devices/${lost.deviceId}/report`, { ...stolen, callId }),
    ).toMatchObject({ status: 409, body: { code: 'caller_not_proved' } });
    expect((await agent.post(`/staff/devices/${newId('device')}/report`, stolen)).body.code).toBe(
      'not_found',
    );
  });
});
