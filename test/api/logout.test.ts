/** A customer's own sessions: listed, ended one by one or all at once, and what he is told about himself. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { touchCustomer } from '../../db/customer-lock.ts';
import { endSessions } from '../../db/session-ends.ts';
import { addDevice, APP, createBanker, logIn, refresh } from '../setup/login-bed.ts';
import type { Banker } from '../setup/login-bed.ts';
import { startTestApi } from '../setup/api.ts';
import { createPhone } from '../setup/callers.ts';
import type { TestApi } from '../setup/api.ts';
import type { Answer, Phone } from '../setup/callers.ts';

let api: TestApi;
let observer: postgres.Sql;
beforeAll(async () => {
  api = await startTestApi();
  observer = postgres(api.testDatabase.superuserUrl, { max: 1 });
});
afterAll(async () => {
  await observer?.end();
  await api?.close();
});

interface Open {
  readonly phone: Phone;
  readonly sessionId: string;
  readonly refreshToken: string;
}

/** One customer, logged in on his phone and, with the same passkey, on two keys that are no device of his. */
async function threeSessions(): Promise<{ banker: Banker; own: Open; second: Open; third: Open }> {
  const banker = await createBanker(api);
  const open = async (phone: Phone): Promise<Open> => {
    const { body } = await logIn(banker, phone);
    return {
      phone,
      sessionId: String(body.session_id),
      refreshToken: String(body.refresh_token),
    };
  };
  const own = await open(banker.phone);
  const second = await open(await createPhone(api));
  const third = await open(await createPhone(api));
  return { banker, own, second, third };
}

const isOpen = async ({ phone }: Open) => (await phone.get('/auth/me')).status === 200;

describe('logging out', () => {
  test.each([
    ['this', 1, [false, true, true], ['logged_out']],
    ['others', 2, [true, false, false], ['ended_by_customer', 'ended_by_customer']],
    [
      'everywhere',
      3,
      [false, false, false],
      ['ended_by_customer', 'ended_by_customer', 'ended_by_customer'],
    ],
  ] as const)('of %s ends %i', async (scope, ended, stillOpen, reasons) => {
    const { banker, own, second, third } = await threeSessions();
    expect(await own.phone.post('/auth/logout', { scope })).toMatchObject({
      status: 200,
      body: { ended },
    });
    const states = [];
    for (const session of [own, second, third]) states.push(await isOpen(session));
    expect(states).toEqual(stillOpen);
    const rows = await api.inTenant(async (tx) => ({
      ends: await tx<{ endReason: string }[]>`
        select end_reason from session where customer_id = ${banker.customerId} and status = 'ended'`,
      audit: await tx`
        select 1 from audit where customer_id = ${banker.customerId} and action = 'session.ended'`,
      wakes: await tx`
        select 1 from outbox where topic = 'session.wake'
          and subject in (select session_id from session where customer_id = ${banker.customerId})`,
      customer: await tx<{ cutOffSeq: number; securityEpoch: number }[]>`
        select cut_off_seq, security_epoch from customer where customer_id = ${banker.customerId}`,
    }));
    expect(rows.ends.map(({ endReason }) => endReason)).toEqual(reasons);
    expect([rows.audit.length, rows.wakes.length]).toEqual([ended, ended]);
    expect(rows.customer).toMatchObject([{ cutOffSeq: 1, securityEpoch: 1 }]);
  });

  test('ends the refresh token with it', async () => {
    const { own } = await threeSessions();
    await own.phone.post('/auth/logout', { scope: 'this' });
    expect((await refresh(own.phone, own.refreshToken, { requestId: 'r' })).body).toMatchObject({
      error: 'invalid_grant',
      code: 'session_ended',
    });
  });

  test('asked for again by its Idempotency-Key ends nothing more', async () => {
    const { own, second } = await threeSessions();
    const options = { idempotencyKey: 'logout-1' };
    expect((await own.phone.post('/auth/logout', { scope: 'others' }, options)).body).toEqual({
      ended: 2,
    });
    expect((await own.phone.post('/auth/logout', { scope: 'others' }, options)).body).toEqual({
      ended: 2,
    });
    expect(await isOpen(second)).toBe(false);
  });

  test('is not taken for the logout of an earlier session of that key, nor of another customer there', async () => {
    const shared = await createPhone(api);
    const options = { idempotencyKey: 'logout-2' };
    for (const banker of [await createBanker(api), await createBanker(api)]) {
      for (const _time of ['once', 'again']) {
        await logIn(banker, shared);
        const answer = await shared.post('/auth/logout', { scope: 'this' }, options);
        expect(answer.body).toEqual({ ended: 1 });
        expect(await shared.get('/auth/me')).toMatchObject({ status: 401 });
      }
    }
  });

  test('needs a scope of its own words, a key and a token', async () => {
    const { own } = await threeSessions();
    expect((await own.phone.post('/auth/logout', { scope: 'all' })).body).toMatchObject({
      code: 'invalid_request',
    });
    expect(
      (
        await own.phone.post(
          '/auth/logout',
          { scope: 'this' },
          { headers: { 'idempotency-key': '' } },
        )
      ).body,
    ).toMatchObject({ code: 'idempotency_key_missing' });
    own.phone.accessToken = undefined;
    expect((await own.phone.post('/auth/logout', { scope: 'this' })).body).toMatchObject({
      code: 'token_missing',
    });
  });
});

describe('ending one session', () => {
  const end = (by: Open, { sessionId }: Open, options = {}) =>
    by.phone.post(`/auth/sessions/${sessionId}/end`, {}, options);

  test('ends it and no other, and says how it ended', async () => {
    const { own, second, third } = await threeSessions();
    expect(await end(own, second)).toMatchObject({
      status: 200,
      body: { sessionId: second.sessionId, endReason: 'ended_by_customer' },
    });
    expect([await isOpen(own), await isOpen(second), await isOpen(third)]).toEqual([
      true,
      false,
      true,
    ]);
    expect((await refresh(second.phone, second.refreshToken)).body).toMatchObject({
      code: 'session_ended',
    });
  });

  test('that had ended already answers how it did, from whichever stale list it was asked', async () => {
    const { own, second } = await threeSessions();
    await second.phone.post('/auth/logout', { scope: 'this' });
    expect((await end(own, second)).body).toMatchObject({ endReason: 'logged_out' });
    expect((await end(own, second)).body).toMatchObject({ endReason: 'logged_out' });
    expect(await isOpen(own)).toBe(true);
  });

  test('asked for again by its Idempotency-Key is answered the same', async () => {
    const { own, second } = await threeSessions();
    const options = { idempotencyKey: 'end-1' };
    const first = await end(own, second, options);
    expect((await end(own, second, options)).body).toEqual(first.body);
  });

  test('of another customer finds nothing and ends nothing', async () => {
    const { own } = await threeSessions();
    const { own: neighbour } = await threeSessions();
    expect(await end(own, neighbour)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await isOpen(neighbour)).toBe(true);
  });

  test('may be one’s own', async () => {
    const { own } = await threeSessions();
    expect((await end(own, own)).status).toBe(200);
    expect(await isOpen(own)).toBe(false);
  });
});

describe('ending others while one is being ended oneself', () => {
  const attempts = [
    ['logout', () => '/auth/logout', { scope: 'others' }],
    ['the end of one', ({ sessionId }: Open) => `/auth/sessions/${sessionId}/end`, {}],
  ] as const;
  test.each(attempts)(
    '%s ends nothing: it is judged after the wait',
    async (_how, pathOf, body) => {
      const { banker, own, second: thief } = await threeSessions();
      const { tenantId } = api;
      const { customerId } = banker;
      let attempt: Promise<Answer> | undefined;
      await api.inTenant(async (tx) => {
        await touchCustomer(tx, tenantId, customerId);
        attempt = thief.phone.post(pathOf(own), body);
        await vi.waitFor(async () => {
          expect(await waitingForLocks()).toBe(1);
        });
        await endSessions(tx, {
          tenantId,
          customerId,
          sessions: { except: own.sessionId },
          reason: 'ended_by_customer',
          actor: { kind: 'customer', id: customerId },
        });
      });
      expect(await attempt).toMatchObject({ status: 401, body: { code: 'session_ended' } });
      expect(await isOpen(own)).toBe(true);
    },
  );
});

/** Of this API's connections. */
async function waitingForLocks(): Promise<number> {
  const [row] = await observer<{ waiting: number }[]>`
    select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row?.waiting ?? 0;
}

describe('a phone that was reported lost', () => {
  test('only reads: it ends no session but its own', async () => {
    const { banker, own, second, third } = await threeSessions();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    for (const scope of ['others', 'everywhere'])
      expect(await own.phone.post('/auth/logout', { scope })).toMatchObject(refused);
    expect(await own.phone.post(`/auth/sessions/${second.sessionId}/end`, {})).toMatchObject(
      refused,
    );
    for (const session of [own, second, third]) expect(await isOpen(session)).toBe(true);
    const other = await addDevice(api, banker);
    await logIn(other, other.phone);
    expect((await other.phone.post('/auth/logout', { scope: 'others' })).body).toEqual({
      ended: 3,
    });
  });

  test('lends no freer hand to its passkey on an unknown key, where it only reads as well', async () => {
    const { banker, own, second, third } = await threeSessions();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    const refused = { status: 403, body: { code: 'device_not_allowed' } };
    expect((await second.phone.get('/auth/me')).body).toMatchObject({
      session: { acr: 'latchkey:1' },
    });
    expect(await second.phone.post('/auth/logout', { scope: 'others' })).toMatchObject(refused);
    expect(await second.phone.post(`/auth/sessions/${own.sessionId}/end`, {})).toMatchObject(
      refused,
    );
    for (const session of [own, third]) expect(await isOpen(session)).toBe(true);
    expect((await second.phone.post('/auth/logout', { scope: 'this' })).body).toEqual({ ended: 1 });
  });

  test('takes nothing from a trusted device that its synced passkey is used on', async () => {
    const { banker, own, second } = await threeSessions();
    const other = await addDevice(api, banker);
    await logIn(banker, other.phone);
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    expect((await other.phone.post('/auth/logout', { scope: 'others' })).body).toEqual({
      ended: 3,
    });
    for (const session of [own, second]) expect(await isOpen(session)).toBe(false);
  });

  test.each([
    ['logout', () => '/auth/logout', { scope: 'this' }],
    ['its end', ({ sessionId }: Open) => `/auth/sessions/${sessionId}/end`, {}],
  ] as const)('goes by %s', async (_how, pathOf, body) => {
    const { banker, own } = await threeSessions();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    expect((await own.phone.post(pathOf(own), body)).status).toBe(200);
    expect(await isOpen(own)).toBe(false);
  });
});

describe('the list of sessions', () => {
  test('shows the live ones with the one that asks marked, and none of another customer', async () => {
    const { own, second, third } = await threeSessions();
    await threeSessions();
    await second.phone.post('/auth/logout', { scope: 'this' });
    const { body } = await own.phone.get('/auth/sessions');
    expect(
      body.sessions.map(({ sessionId }: { sessionId: string }) => sessionId).toSorted(),
    ).toEqual([own.sessionId, third.sessionId].toSorted());
    const mine = body.sessions.find(({ current }: { current: boolean }) => current);
    expect(mine).toMatchObject({
      sessionId: own.sessionId,
      deviceName: 'Ada’s phone',
      platform: 'test',
      model: null,
      place: null,
      acr: 'latchkey:2',
      amr: ['swk', 'user', 'mfa', 'pop'],
    });
  });
});

describe('who am I', () => {
  test('answers masked contacts, device, session and claims', async () => {
    const { banker, own } = await threeSessions();
    expect((await own.phone.get('/auth/me')).body).toMatchObject({
      customerId: banker.customerId,
      phone: '+44 ••• 0123',
      email: 'a•••@example.test',
      device: { deviceId: banker.deviceId, status: 'trusted', attestationLevel: 'software' },
      session: { sessionId: own.sessionId, acr: 'latchkey:2', epoch: 1 },
      claims: { client_id: APP, sid: own.sessionId, cnf: { jkt: own.phone.jkt } },
    });
  });

  test('says less once the device is restricted, without a new token', async () => {
    const { banker, own } = await threeSessions();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${banker.deviceId}`,
    );
    expect((await own.phone.get('/auth/me')).body).toMatchObject({
      session: { acr: 'latchkey:1' },
      device: { status: 'restricted' },
    });
  });
});
