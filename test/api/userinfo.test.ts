/** Userinfo: what is told by which scope, and that what no scope names stays sealed. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { IDENTITY_PURPOSE } from '../../db/enrollment-effects.ts';
import { startTestApi } from '../setup/api.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import { createMachine } from '../setup/machine.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

/** Logged in, with a proofed identity of a completed enrollment. */
async function loggedIn(scopes?: readonly string[]) {
  const banker = await createBanker(api);
  const { customerId } = banker;
  const { tenantId } = api;
  await api.inTenant(async (tx) => {
    const ceremonyId = newId('ceremony');
    await tx`insert into ceremony (tenant_id, ceremony_id, kind, customer_id, client_id, jkt, state, outcome, epoch, policy_version, locale,
        deadline, created_at, ended_at)
      values (${tenantId}, ${ceremonyId}, 'enrollment', ${customerId}, 'demo-app', ${banker.phone.jkt}, 'ended', 'completed', 1, 1, 'en',
        latchkey_now(), latchkey_now(), latchkey_now())`;
    const target = { tenantId, customerId, purpose: IDENTITY_PURPOSE };
    const identity = { givenName: 'Ada', familyName: 'Lovelace', birthDate: '1815-12-10' };
    const sealed = await api.deps.personalData.seal(tx, target, JSON.stringify(identity));
    await tx`insert into step_attempt (tenant_id, attempt_id, ceremony_id, step, method, status, created_at, expires_at, verdict, sealed_detail)
      values (${tenantId}, ${newId('attempt')}, ${ceremonyId}, 'identity', 'identity_vendor', 'matched', latchkey_now(), latchkey_now(),
        'verified', ${sealed})`;
  });
  const answer = await logIn(banker, banker.phone);
  if (scopes !== undefined)
    await api.inTenant(
      (tx) =>
        tx`update session set scopes = ${[...scopes]} where session_id = ${String(answer.body.session_id)}`,
    );
  return banker;
}

const EVERYTHING = {
  name: 'Ada Lovelace',
  given_name: 'Ada',
  family_name: 'Lovelace',
  birthdate: '1815-12-10',
  locale: 'en',
  email: 'ada@example.test',
  email_verified: true,
  phone_number: '+447700900123',
  phone_number_verified: true,
};

describe('userinfo', () => {
  it('tells a session of a trusted device everything that was proved, by GET and by POST', async () => {
    const { phone, customerId } = await loggedIn();
    const got = await phone.get('/oauth/userinfo');
    expect({ status: got.status, body: got.body }).toEqual({
      status: 200,
      body: { sub: customerId, acr: 'latchkey:2', ...EVERYTHING },
    });
    expect(got.headers['cache-control']).toBe('no-store');
    const posted = await phone.post('/oauth/userinfo', undefined, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect({ status: posted.status, body: posted.body }).toEqual({
      status: 200,
      body: got.body,
    });
  });

  it.each<[string, (keyof typeof EVERYTHING)[]]>([
    ['profile', ['name', 'given_name', 'family_name', 'birthdate', 'locale']],
    ['email', ['email', 'email_verified']],
    ['phone', ['phone_number', 'phone_number_verified']],
  ])('tells by %s what that names and nothing else', async (scope, names) => {
    const { phone, customerId } = await loggedIn(['openid', scope]);
    expect((await phone.get('/oauth/userinfo')).body).toEqual({
      sub: customerId,
      acr: 'latchkey:2',
      ...Object.fromEntries(names.map((name) => [name, EVERYTHING[name]])),
    });
  });

  it('opens nothing that no scope names', async () => {
    const { phone, customerId } = await loggedIn(['openid']);
    const open = vi.spyOn(api.deps.personalData, 'open');
    const { body } = await phone.get('/oauth/userinfo');
    const opened = open.mock.calls.length;
    open.mockRestore();
    expect({ body, opened }).toEqual({ body: { sub: customerId, acr: 'latchkey:2' }, opened: 0 });
  });

  it('tells a session that may only read who he is and no more', async () => {
    const { phone, customerId, deviceId } = await loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${deviceId}`,
    );
    expect((await phone.get('/oauth/userinfo')).body).toEqual({
      sub: customerId,
      acr: 'latchkey:1',
    });
  });

  it('tells the roles that the bank gave', async () => {
    const { phone, customerId } = await loggedIn(['openid']);
    await api.inTenant(
      (tx) => tx`update customer set roles = '{business}' where customer_id = ${customerId}`,
    );
    expect((await phone.get('/oauth/userinfo')).body.roles).toEqual(['business']);
  });

  it('is for tokens with the scope openid, and for customers', async () => {
    const { phone } = await loggedIn(['accounts:read']);
    const answer = await phone.get('/oauth/userinfo');
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
    expect(answer.headers['www-authenticate']).toContain(
      'error="insufficient_scope", scope="openid"',
    );
    const machine = await createMachine(api);
    expect(await machine.get('/oauth/userinfo')).toMatchObject({
      status: 403,
      body: { code: 'caller_not_allowed' },
    });
  });

  it('answers nobody whose session has ended', async () => {
    const { phone } = await loggedIn();
    await phone.post('/auth/logout', { scope: 'this' });
    const answer = await phone.get('/oauth/userinfo');
    expect(answer).toMatchObject({ status: 401, body: { code: 'session_ended' } });
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
  });
});
