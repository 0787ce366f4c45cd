/** What one tenant hands out opens nothing at another; and a tenant mounted at the root answers there as it does below its name. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller, createEnrolledPhone } from '../setup/callers.ts';
import { ASSERTION_TYPE, createMachine, makeClientAssertion } from '../setup/machine.ts';
import { makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

const REVOCATION = `/fraud/revocations/rev_${'0'.repeat(32)}`;

describe('two tenants', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    await api.addTenant('other');
  });
  afterAll(async () => {
    await api.close();
  });

  it("refuse each other's machine tokens", async () => {
    const machine = await createMachine(api);
    expect(await machine.get(REVOCATION)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await machine.get(REVOCATION, { prefix: '/t/other' })).toMatchObject({
      status: 401,
      body: { code: 'token_invalid' },
    });
  });

  it("refuse each other's customer tokens", async () => {
    const phone = await createEnrolledPhone(api);
    expect((await phone.get('/auth/me')).status).toBe(200);
    expect(await phone.get('/auth/me', { prefix: '/t/other' })).toMatchObject({
      status: 401,
      body: { code: 'token_invalid' },
    });
  });

  it("refuse assertions that were made for each other's issuer", async () => {
    const caller = await createCaller(api, { prefix: '/t/other' });
    const answer = await caller.postForm('/oauth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(api),
    });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  it('publish keys of their own', async () => {
    const [ours, theirs] = await Promise.all(
      ['demo', 'other'].map(async (slug) => {
        const answer = await api.app.inject({ url: `/t/${slug}/.well-known/jwks.json` });
        return answer.json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid);
      }),
    );
    expect(ours).toHaveLength(2);
    expect(theirs).toHaveLength(2);
    expect(ours?.filter((kid) => theirs?.includes(kid))).toEqual([]);
  });

  it('name an issuer of their own in discovery, and only what exists', async () => {
    const answer = await api.app.inject({ url: '/t/other/.well-known/openid-configuration' });
    expect(answer.json()).toMatchObject({
      issuer: `${api.publicUrl}/t/other`,
      token_endpoint: `${api.publicUrl}/t/other/oauth/token`,
      grant_types_supported: ['client_credentials', 'refresh_token'],
    });
    expect(answer.json()).not.toHaveProperty('authorization_endpoint');
  });
});

describe('a tenant at the root', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi({ tenantAtRoot: 'demo' });
    await api.addTenant('other');
  });
  afterAll(async () => {
    await api.close();
  });

  it('is issuer without a path, and its operations stand at the root', async () => {
    const answer = await api.app.inject({ url: '/.well-known/openid-configuration' });
    expect(answer.json()).toMatchObject({ issuer: api.publicUrl });
    const machine = await createMachine(api, { prefix: '' });
    expect(await machine.get(REVOCATION)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('holds proofs against the address that was asked, not against the one behind it', async () => {
    const machine = await createMachine(api, { prefix: '' });
    const token = machine.accessToken ?? '';
    const dpop = await makeProof({
      key: machine.key,
      method: 'GET',
      htu: `${api.publicUrl}/t/demo${REVOCATION}`,
      nowMs: api.clock.nowMs(),
      accessToken: token,
    });
    const headers = { dpop, authorization: `DPoP ${token}` };
    expect((await api.app.inject({ url: REVOCATION, headers })).json()).toMatchObject({
      code: 'dpop_proof_invalid',
    });
    expect((await api.app.inject({ url: `/t/demo${REVOCATION}`, headers })).json()).toMatchObject({
      code: 'not_found',
    });
  });

  it('leaves the other tenants below their names and the installation where it was', async () => {
    expect((await api.app.inject({ url: '/t/other/.well-known/jwks.json' })).statusCode).toBe(200);
    expect((await api.app.inject({ url: '/livez' })).statusCode).toBe(200);
    expect((await api.app.inject({ url: '/t/nobody/auth/me' })).statusCode).toBe(404);
  });
});

describe('an access token', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(async () => {
    await api.close();
  });

  const show = async (token: string, phone: Awaited<ReturnType<typeof createEnrolledPhone>>) => {
    const dpop = await makeProof({
      key: phone.key,
      method: 'GET',
      htu: `${api.publicUrl}${api.prefix}/auth/me`,
      nowMs: api.clock.nowMs(),
      claims: { ath: createHash('sha256').update(token).digest('base64url') },
    });
    const answer = await api.app.inject({
      url: `${api.prefix}/auth/me`,
      headers: { dpop, authorization: `DPoP ${token}` },
    });
    return { status: answer.statusCode, code: String(answer.json()['code']) };
  };

  it('has one spelling: every other is refused', async () => {
    const phone = await createEnrolledPhone(api);
    const [header = '', payload = '', signature = ''] = phone.accessToken.split('.');
    const last = signature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes end in a character with four unused bits: its neighbour decodes to the same signature.
    const twin = alphabet[(alphabet.indexOf(last) ^ 1) % 64] ?? '';
    for (const token of [
      `${phone.accessToken}=`,
      `${phone.accessToken}==`,
      `${header}=.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}${twin}`,
      `${phone.accessToken}.`,
    ]) {
      expect(await show(token, phone)).toEqual({ status: 401, code: 'token_invalid' });
    }
    expect(await show(phone.accessToken, phone)).toMatchObject({ status: 200 });
  });

  it('is good until its second and not after', async () => {
    const phone = await createEnrolledPhone(api);
    api.clock.advance(298_000);
    expect((await phone.get('/auth/me')).status).toBe(200);
    api.clock.advance(3_000);
    expect(await phone.get('/auth/me')).toMatchObject({
      status: 401,
      body: { code: 'token_expired' },
    });
  });

  it.each([
    [
      'its session has ended',
      `update session set status = 'ended', ended_at = latchkey_now(), end_reason = 'logged_out' where session_id = `,
    ],
    [
      "its customer's epoch was raised",
      `update customer set security_epoch = 2 where customer_id = `,
    ],
  ])('is dead at once when %s', async (_name, statement) => {
    const phone = await createEnrolledPhone(api);
    const id = statement.includes('session_id') ? phone.sessionId : phone.customerId;
    await api.inTenant((tx) => tx.unsafe(`${statement} '${id}'`));
    expect(await phone.get('/auth/me')).toMatchObject({
      status: 401,
      body: { code: 'session_ended' },
    });
  });

  it('is dead at once when its device is suspended', async () => {
    const phone = await createEnrolledPhone(api);
    await api.inTenant(
      (tx) => tx`update device set status = 'suspended' where device_id = ${phone.deviceId}`,
    );
    expect(await phone.get('/auth/me')).toMatchObject({
      status: 403,
      body: { code: 'device_not_allowed' },
    });
  });

  it('of a machine is dead at once when its client is disabled', async () => {
    const own = await startTestApi();
    try {
      const machine = await createMachine(own);
      expect((await machine.get(REVOCATION)).status).toBe(404);
      const { default: postgres } = await import('postgres');
      const owner = postgres(own.testDatabase.superuserUrl, { max: 1 });
      await owner`update client set status = 'disabled' where client_id = 'demo-fraud'`;
      await owner.end();
      expect(await machine.get(REVOCATION)).toMatchObject({
        status: 401,
        body: { code: 'token_invalid' },
      });
    } finally {
      await own.close();
    }
  });

  it('is signed under a type and a key of its own: an ID token opens nothing', async () => {
    const phone = await createEnrolledPhone(api);
    const { createIdTokens } = await import('../../api/tokens/id-token.ts');
    const { createTokenKeys } = await import('../../api/tokens/signing-keys.ts');
    const idToken = await createIdTokens(createTokenKeys(api.deps), api.clock).issueIdToken({
      tenant: await api.tenant(),
      customerId: phone.customerId,
      clientId: 'demo-app',
      sessionId: phone.sessionId,
      acr: 'latchkey:2',
      amr: ['user'],
      authTimeMs: api.clock.nowMs(),
    });
    expect(await show(idToken, phone)).toEqual({ status: 401, code: 'token_invalid' });
  });
});
