/** A customer's devices and passkeys: what he sees, what suspending, resuming and removing stops, who may, and what staff may. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import type { TestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { Caller } from '../setup/callers.ts';
import { cutOffCustomer, releaseCustomer } from '../setup/customer.ts';
import { addDevice, createBanker, logIn, loginBody, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { createStaff } from '../setup/staff.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

interface Two {
  /** The phone that acts. */
  readonly own: Banker;
  /** A further trusted device of the same customer. */
  readonly other: Banker;
  readonly otherRefreshToken: string;
}

async function twoDevices(): Promise<Two> {
  const own = await createBanker(api);
  const other = await addDevice(api, own);
  await logIn(own, own.phone);
  const { body } = await logIn(other, other.phone);
  return { own, other, otherRefreshToken: String(body.refresh_token) };
}

const change = (by: Caller, { deviceId }: Pick<Banker, 'deviceId'>, action: string, options = {}) =>
  by.post(`/auth/devices/${deviceId}/${action}`, {}, options);
const isOpen = async (phone: Caller) => (await phone.get('/auth/me')).status === 200;
const rowsOf = ({ customerId, deviceId, credentialId }: Banker) =>
  api.inTenant(async (tx) => {
    const [row] = await tx<
      { device: string; credential: string; epoch: number; cutOffSeq: number; ends: string[] }[]
    >`
      select d.status as device, k.status as credential, c.security_epoch as epoch, c.cut_off_seq,
        array(select s.end_reason from session s where s.customer_id = c.customer_id and s.status = 'ended') as ends
      from customer c, device d, credential k
      where c.customer_id = ${customerId} and d.device_id = ${deviceId} and k.credential_id = ${credentialId}`;
    return row;
  });
const toldOf = ({ customerId }: Banker) =>
  api.inTenant(async (tx) => ({
    audit: (
      await tx<{ action: string }[]>`
        select action from audit where customer_id = ${customerId} order by position`
    ).map(({ action }) => action),
    events: (
      await tx<{ type: string }[]>`
        select payload ->> 'type' as type from outbox where topic = 'event' and subject = ${customerId} order by position`
    ).map(({ type }) => type),
    notices: (
      await tx<{ template: string }[]>`
        select distinct payload ->> 'template' as template from outbox
        where topic like 'message.%' and payload ->> 'customerId' = ${customerId}`
    ).map(({ template }) => template),
  }));

describe('the list of devices', () => {
  test('shows each with its passkeys, the one that asks marked, and none of another customer', async () => {
    const { own, other } = await twoDevices();
    await twoDevices();
    const { body } = await own.phone.get('/auth/devices');
    expect(body.devices).toHaveLength(2);
    expect(body.devices).toContainEqual({
      deviceId: own.deviceId,
      name: 'Ada’s phone',
      platform: 'test',
      model: null,
      status: 'trusted',
      reportedAs: null,
      attestationLevel: 'software',
      current: true,
      trustedAt: expect.any(String),
      passkeys: [
        {
          credentialId: own.credentialId,
          status: 'active',
          current: true,
          isSynced: false,
          createdAt: expect.any(String),
          lastUsedAt: expect.any(String),
        },
      ],
    });
    expect(body.devices).toContainEqual(
      expect.objectContaining({ deviceId: other.deviceId, current: false }),
    );
  });
});

describe('a device suspended by its owner', () => {
  test('loses its sessions and its passkeys at once, without a new epoch, and everybody is told', async () => {
    const { own, other, otherRefreshToken } = await twoDevices();
    expect(await change(own.phone, other, 'suspend')).toMatchObject({
      status: 200,
      body: { deviceId: other.deviceId, status: 'suspended', sessionsEnded: 1 },
    });
    expect(await isOpen(own.phone)).toBe(true);
    expect(await isOpen(other.phone)).toBe(false);
    expect((await refresh(other.phone, otherRefreshToken)).status).toBe(400);
    expect((await logIn(other, other.phone)).body.code).toBe('device_not_allowed');
    expect((await logIn(other, await createPhone(api))).body.code).toBe('credential_unknown');
    expect(await rowsOf(other)).toEqual({
      device: 'suspended',
      credential: 'suspended',
      epoch: 1,
      cutOffSeq: 1,
      ends: ['device_suspended'],
    });
    const told = await toldOf(own);
    expect(told.audit).toContain('device.suspended');
    expect(told.events).toEqual(
      expect.arrayContaining(['bank.app.session_revoked', 'bank.app.device_suspended']),
    );
    expect(told.notices).toEqual(['device_stopped']);
  });

  test('comes back with its passkeys from another trusted device, its sessions do not', async () => {
    const { own, other, otherRefreshToken } = await twoDevices();
    await change(own.phone, other, 'suspend');
    expect(await change(own.phone, other, 'resume')).toMatchObject({
      status: 200,
      body: { status: 'trusted', sessionsEnded: 0 },
    });
    expect((await refresh(other.phone, otherRefreshToken)).body.code).toBe('session_ended');
    expect(await isOpen(other.phone)).toBe(false);
    expect(await logIn(other, other.phone)).toMatchObject({ body: { acr: 'latchkey:2' } });
    expect((await toldOf(own)).events).toContain('bank.app.device_resumed');
  });

  test('twice, or resumed without need, is answered as it stands and told once', async () => {
    const { own, other } = await twoDevices();
    expect((await change(own.phone, other, 'resume')).body).toMatchObject({ status: 'trusted' });
    await change(own.phone, other, 'suspend');
    expect((await change(own.phone, other, 'suspend')).body).toMatchObject({
      status: 'suspended',
      sessionsEnded: 0,
    });
    const { audit } = await toldOf(own);
    expect(audit.filter((action) => action.startsWith('device.'))).toEqual(['device.suspended']);
  });
});

describe('a device removed by its owner', () => {
  test('is gone for ever, with its passkeys and sessions', async () => {
    const { own, other } = await twoDevices();
    const options = { idempotencyKey: 'remove-1' };
    const answer = await change(own.phone, other, 'revoke', options);
    expect(answer.body).toEqual({
      deviceId: other.deviceId,
      status: 'revoked',
      sessionsEnded: 1,
    });
    expect((await change(own.phone, other, 'revoke', options)).body).toEqual(answer.body);
    for (const action of ['resume', 'suspend'])
      expect(await change(own.phone, other, action)).toMatchObject({
        status: 409,
        body: { code: 'device_ended' },
      });
    expect((await logIn(other, other.phone)).body.code).toBe('device_not_allowed');
    expect(await rowsOf(other)).toMatchObject({
      device: 'revoked',
      credential: 'revoked',
      ends: ['device_revoked'],
    });
    expect((await own.phone.get('/auth/devices')).body.devices).toHaveLength(1);
    expect((await toldOf(own)).events).toContain('bank.app.device_revoked');
  });

  test('takes along a session that its passkey began on a key of no device', async () => {
    const { own, other } = await twoDevices();
    const stranger = await createPhone(api);
    await logIn(other, stranger);
    expect((await change(own.phone, other, 'revoke')).body.sessionsEnded).toBe(2);
    expect(await isOpen(stranger)).toBe(false);
  });
});

describe('who may change a device', () => {
  test.each(['suspend', 'resume', 'revoke'])(
    'never the device itself: %s needs another',
    async (action) => {
      const { own } = await twoDevices();
      expect(await change(own.phone, own, action)).toMatchObject({
        status: 409,
        body: { code: 'other_device_needed' },
      });
      expect(await isOpen(own.phone)).toBe(true);
    },
  );

  test('nobody whose session stands on a passkey of that device', async () => {
    const { own, other } = await twoDevices();
    // The passkey of the other one, used on this device.
    await logIn(other, own.phone);
    expect((await change(own.phone, other, 'revoke')).body.code).toBe('other_device_needed');
  });

  test('no session that may only read', async () => {
    const { own, other } = await twoDevices();
    const stranger = await createPhone(api);
    await logIn(own, stranger);
    for (const action of ['suspend', 'resume', 'revoke'])
      expect(await change(stranger, other, action)).toMatchObject({
        status: 403,
        body: { code: 'insufficient_scope' },
      });
  });

  test('no other customer', async () => {
    const { own } = await twoDevices();
    const { other } = await twoDevices();
    expect(await change(own.phone, other, 'revoke')).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await isOpen(other.phone)).toBe(true);
  });

  test('of two that suspend each other at once, one', async () => {
    const { own, other } = await twoDevices();
    const answers = await Promise.all([
      change(own.phone, other, 'suspend'),
      change(other.phone, own, 'suspend'),
    ]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
    const open = [await isOpen(own.phone), await isOpen(other.phone)];
    expect(open.filter(Boolean)).toHaveLength(1);
  });
});

describe('a login and a suspension at once', () => {
  test('leave no session of that device, whoever is first', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { own, other } = await twoDevices();
      other.phone.accessToken = undefined;
      const body = await loginBody(other, other.phone);
      const [suspended] = await Promise.all([
        change(own.phone, other, 'suspend'),
        other.phone.post('/auth/login', body),
      ]);
      expect(suspended.status).toBe(200);
      const live = await api.inTenant(
        (tx) => tx`select 1 from session where device_id = ${other.deviceId} and status = 'live'`,
      );
      expect(live).toHaveLength(0);
    }
  });
});

describe('a passkey', () => {
  const remove = (by: Caller, credentialId: string) =>
    by.post(`/auth/credentials/${credentialId}/revoke`, {});

  test('removed from another strong session ends what it began, and never works again', async () => {
    const { own, other } = await twoDevices();
    expect(await remove(own.phone, other.credentialId)).toMatchObject({
      status: 200,
      body: { credentialId: other.credentialId, sessionsEnded: 1 },
    });
    expect(await isOpen(other.phone)).toBe(false);
    expect((await logIn(other, other.phone)).body.code).toBe('credential_unknown');
    expect(await rowsOf(other)).toMatchObject({
      device: 'trusted',
      credential: 'revoked',
      ends: ['credential_revoked'],
    });
    const told = await toldOf(own);
    expect(told.events).toContain('bank.app.credential_revoked');
    expect(told.notices).toEqual(['passkey_removed']);
    expect((await remove(own.phone, other.credentialId)).body.sessionsEnded).toBe(0);
  });

  test('that began the session that asks stays, and the last one stays anyway', async () => {
    const { own, other } = await twoDevices();
    expect((await remove(own.phone, own.credentialId)).body.code).toBe('other_device_needed');
    await remove(own.phone, other.credentialId);
    expect(await remove(own.phone, own.credentialId)).toMatchObject({
      status: 409,
      body: { code: 'last_credential' },
    });
    expect((await logIn(own, own.phone)).status).toBe(200);
  });

  test('is nobody else’s to remove, and no reader’s', async () => {
    const { own, other } = await twoDevices();
    const { own: neighbour } = await twoDevices();
    expect((await remove(own.phone, neighbour.credentialId)).body.code).toBe('not_found');
    const stranger = await createPhone(api);
    await logIn(own, stranger);
    expect((await remove(stranger, other.credentialId)).body.code).toBe('insufficient_scope');
  });
});

describe('staff', () => {
  const reason = { reason: 'lost_device' };
  const act = (by: Awaited<ReturnType<typeof createStaff>>, { deviceId }: Banker, action: string) =>
    by.post(`/staff/devices/${deviceId}/${action}`, reason);

  test('suspend a device with a reason; another person resumes it', async () => {
    const { own, other } = await twoDevices();
    const agent = await createStaff(api, ['agent', 'supervisor']);
    expect(await act(agent, other, 'suspend')).toMatchObject({
      status: 200,
      body: { deviceId: other.deviceId, status: 'suspended', sessionsEnded: 1 },
    });
    expect(await isOpen(other.phone)).toBe(false);
    expect(await act(agent, other, 'resume')).toMatchObject({
      status: 403,
      body: { code: 'four_eyes_required' },
    });
    const supervisor = await createStaff(api, ['supervisor']);
    expect((await act(supervisor, other, 'resume')).body).toMatchObject({ status: 'trusted' });
    const [row] = await api.inTenant(
      (tx) => tx`select actor_kind, actor_id, detail from audit
        where action = 'device.suspended' and subject_id = ${other.deviceId}`,
    );
    expect(row).toMatchObject({
      actorKind: 'staff',
      actorId: agent.staffId,
      detail: { because: 'lost_device', sessionsEnded: 1 },
    });
    expect((await toldOf(own)).notices.toSorted()).toEqual(['device_resumed', 'device_stopped']);
  });

  test('remove a device for ever, the last one too', async () => {
    const own = await createBanker(api);
    await logIn(own, own.phone);
    const agent = await createStaff(api, ['agent']);
    expect((await act(agent, own, 'revoke')).body).toMatchObject({
      status: 'revoked',
      sessionsEnded: 1,
    });
    expect((await act(agent, own, 'revoke')).body).toMatchObject({ sessionsEnded: 0 });
    expect((await act(agent, own, 'suspend')).body.code).toBe('device_ended');
  });

  test('do not lift what fraud suspended, and keep suspended what a release would lift', async () => {
    const { own, other } = await twoDevices();
    const { tenantId } = api;
    const { customerId } = own;
    await api.inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId }));
    const agent = await createStaff(api, ['agent']);
    const supervisor = await createStaff(api, ['supervisor']);
    expect((await act(supervisor, other, 'resume')).body.code).toBe('caller_not_allowed');
    expect((await act(agent, other, 'suspend')).body).toMatchObject({ status: 'suspended' });
    await api.inTenant((tx) => releaseCustomer(tx, { tenantId, customerId }));
    expect((await rowsOf(own))?.device).toBe('trusted');
    expect(await rowsOf(other)).toMatchObject({ device: 'suspended', credential: 'suspended' });
    expect((await act(supervisor, other, 'resume')).body).toMatchObject({ status: 'trusted' });
    // Past the skew in which a challenge may be from before the cut-off.
    api.clock.advance(10_000);
    expect((await logIn(other, other.phone)).status).toBe(200);
  });

  test('find no device that is not there', async () => {
    const agent = await createStaff(api, ['agent']);
    const nobody = { deviceId: `dev_${'0'.repeat(32)}` } as Banker;
    expect((await act(agent, nobody, 'suspend')).body.code).toBe('not_found');
  });
});
