/** RFC 7662: what services are told of a token, that it is judged by PostgreSQL now, and that nobody is ever told why one is worth nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller, createEnrolledPhone } from '../setup/callers.ts';
import type { Answer, Caller } from '../setup/callers.ts';
import { cutOffCustomer } from '../setup/customer.ts';
import { createBanker, logIn, refresh } from '../setup/login-bed.ts';
import { ASSERTION_TYPE, createMachine, makeClientAssertion } from '../setup/machine.ts';
import { makeProof } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
let service: Caller;
beforeAll(async () => {
  api = await startTestApi();
  await api.addTenant('elsewhere');
  service = await createMachine(api, { client: 'demo-bank' });
});
afterAll(async () => {
  await api.close();
});

const INACTIVE = { status: 200, body: { active: false } };

/** By the service's own DPoP-bound token. */
async function introspect(
  form: Readonly<Record<string, string>>,
  caller: Caller = service,
): Promise<Answer> {
  const url = `${api.prefix}/oauth/introspect`;
  const proof = await makeProof({
    key: caller.key,
    method: 'POST',
    htu: `${api.publicUrl}${url}`,
    nowMs: api.clock.nowMs(),
    accessToken: caller.accessToken,
  });
  const answer = await api.app.inject({
    method: 'POST',
    url,
    headers: {
      dpop: proof,
      authorization: `DPoP ${caller.accessToken ?? ''}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    payload: new URLSearchParams(form).toString(),
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

/** By private_key_jwt in the form. */
async function introspectByAssertion(form: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await api.app.inject({
    method: 'POST',
    url: `${api.prefix}/oauth/introspect`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  });
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

async function loggedIn() {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  const { access_token: accessToken, refresh_token: refreshToken, session_id: sessionId } = body;
  return {
    ...banker,
    sessionId: String(sessionId),
    accessToken: String(accessToken),
    refreshToken: String(refreshToken),
  };
}

describe('an access token that is good', () => {
  it('is told with its key, its session and what services decide by', async () => {
    const { phone, accessToken, customerId, deviceId, sessionId } = await loggedIn();
    const answer = await introspect({ token: accessToken });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        active: true,
        token_type: 'DPoP',
        token_use: 'access_token',
        sub: customerId,
        client_id: 'demo-app',
        iss: `${api.publicUrl}${api.prefix}`,
        aud: `${api.publicUrl}${api.prefix}`,
        tenant: 'demo',
        scope: 'openid profile email phone accounts:read payments:write profile:write',
        cnf: { jkt: phone.jkt },
        sid: sessionId,
        device_id: deviceId,
        device_status: 'trusted',
        device_attestation: 'software',
        acr: 'latchkey:2',
        amr: ['swk', 'user', 'mfa', 'pop'],
        auth_time: expect.any(Number),
        iat: expect.any(Number),
        exp: expect.any(Number),
        jti: expect.any(String),
        risk: 'not_evaluated',
        epoch: 1,
      },
    });
    expect(answer.body.exp - answer.body.iat).toBe(300);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('is told to whoever proves himself by private_key_jwt too, whatever the hint says', async () => {
    const { accessToken, customerId } = await loggedIn();
    const answer = await introspectByAssertion({
      token: accessToken,
      token_type_hint: 'refresh_token',
      client_id: 'demo-bank',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(api, { client: 'demo-bank' }),
    });
    expect(answer).toMatchObject({ status: 200, body: { active: true, sub: customerId } });
  });

  it('of a machine is told without a session', async () => {
    const fraudEngine = await createMachine(api, { scope: 'fraud:signal' });
    const { body } = await introspect({ token: fraudEngine.accessToken ?? '' });
    expect(body).toMatchObject({
      active: true,
      sub: 'demo-fraud',
      client_id: 'demo-fraud',
      scope: 'fraud:signal',
      cnf: { jkt: fraudEngine.jkt },
    });
    expect(body).not.toHaveProperty('sid');
  });

  it('tells roles as they are now, not as the token says', async () => {
    const { accessToken, customerId } = await loggedIn();
    expect((await introspect({ token: accessToken })).body).not.toHaveProperty('roles');
    await api.inTenant(
      (tx) =>
        tx`update customer set roles = '{business,joint-owner}' where customer_id = ${customerId}`,
    );
    expect((await introspect({ token: accessToken })).body.roles).toEqual([
      'business',
      'joint-owner',
    ]);
  });

  it('of a device that was restricted since is good for reading alone', async () => {
    const { accessToken, deviceId } = await loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = 'restricted' where device_id = ${deviceId}`,
    );
    expect((await introspect({ token: accessToken })).body).toMatchObject({
      active: true,
      scope: 'openid accounts:read',
      acr: 'latchkey:1',
      device_status: 'restricted',
    });
  });
});

describe('a refresh token', () => {
  it('that would be taken is active, and carries no right that a service could take for one', async () => {
    const { phone, refreshToken, customerId, sessionId } = await loggedIn();
    const { body } = await introspect({ token: refreshToken });
    expect(body).toMatchObject({
      active: true,
      token_use: 'refresh_token',
      sub: customerId,
      sid: sessionId,
      client_id: 'demo-app',
      cnf: { jkt: phone.jkt },
      exp: expect.any(Number),
    });
    for (const right of ['scope', 'aud', 'token_type', 'roles', 'jti'])
      expect(body).not.toHaveProperty(right);
  });

  it('is active no more once it was rotated, and its successor is', async () => {
    const { phone, refreshToken } = await loggedIn();
    const rotated = await refresh(phone, refreshToken, { requestId: 'one' });
    expect(await introspect({ token: refreshToken })).toMatchObject(INACTIVE);
    const { body } = await introspect({ token: String(rotated.body.refresh_token) });
    expect(body.active).toBe(true);
  });

  it('with one changed character is not active', async () => {
    const { refreshToken } = await loggedIn();
    const spoiled = refreshToken.replace(/.{5}$/, (end) => (end === 'AAAAA' ? 'BBBBB' : 'AAAAA'));
    expect((await introspect({ token: spoiled })).body).toEqual({ active: false });
  });
});

describe('what is worth nothing is told as that and no more', () => {
  /** What the service is told of both. */
  const toldOf = async (tokens: { accessToken: string; refreshToken: string }) => {
    const answers = await Promise.all(
      [tokens.accessToken, tokens.refreshToken].map((token) => introspect({ token })),
    );
    return answers.map(({ body }) => body as unknown);
  };
  const DEAD = [{ active: false }, { active: false }];

  it('after a logout', async () => {
    const tokens = await loggedIn();
    await tokens.phone.post('/auth/logout', { scope: 'this' });
    expect(await toldOf(tokens)).toEqual(DEAD);
  });

  it('after a fraud signal', async () => {
    const tokens = await loggedIn();
    const { tenantId } = api;
    await api.inTenant((tx) => cutOffCustomer(tx, { tenantId, customerId: tokens.customerId }));
    expect(await toldOf(tokens)).toEqual(DEAD);
  });

  it.each(['suspended', 'revoked'])('of a device that is %s', async (status) => {
    const tokens = await loggedIn();
    await api.inTenant(
      (tx) => tx`update device set status = ${status} where device_id = ${tokens.deviceId}`,
    );
    expect(await toldOf(tokens)).toEqual(DEAD);
  });

  it('of a passkey that was taken away', async () => {
    const tokens = await loggedIn();
    await api.inTenant(
      (tx) =>
        tx`update credential set status = 'revoked' where credential_id = ${tokens.credentialId}`,
    );
    expect(await toldOf(tokens)).toEqual(DEAD);
  });

  it('of another tenant', async () => {
    const tokens = await loggedIn();
    const other = await createMachine(api, { prefix: '/t/elsewhere', client: 'demo-bank' });
    const proof = await makeProof({
      key: other.key,
      method: 'POST',
      htu: `${api.publicUrl}/t/elsewhere/oauth/introspect`,
      nowMs: api.clock.nowMs(),
      accessToken: other.accessToken,
    });
    for (const token of [tokens.accessToken, tokens.refreshToken]) {
      const answer = await api.app.inject({
        method: 'POST',
        url: '/t/elsewhere/oauth/introspect',
        headers: {
          dpop: token === tokens.accessToken ? proof : await otherProof(other),
          authorization: `DPoP ${other.accessToken ?? ''}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: new URLSearchParams({ token }).toString(),
      });
      expect(answer.json()).toEqual({ active: false });
    }
  });

  const otherProof = (other: Caller) =>
    makeProof({
      key: other.key,
      method: 'POST',
      htu: `${api.publicUrl}/t/elsewhere/oauth/introspect`,
      nowMs: api.clock.nowMs(),
      accessToken: other.accessToken,
    });

  it.each([
    ['no token at all', 'nonsense'],
    [
      'the form of a refresh token',
      `lr1.ses_${'0'.repeat(32)}.0.k.${'A'.repeat(43)}.${'A'.repeat(22)}`,
    ],
    ['more than any token has', 'x'.repeat(4_096)],
    ['bytes that no token has', 'ä\u{1F600}'],
  ])('being %s', async (_name, token) => {
    expect((await introspect({ token })).body).toEqual({ active: false });
  });

  it('being an ID token, which opens nothing', async () => {
    const banker = await createBanker(api);
    const { body } = await logIn(banker, banker.phone);
    expect((await introspect({ token: String(body.id_token) })).body).toEqual({ active: false });
  });

  it('in its last second and in the one after', async () => {
    const own = await startTestApi();
    const bank = await createMachine(own, { client: 'demo-bank' });
    const phone = await createEnrolledPhone(own);
    const ask = async () => {
      const answer = await own.app.inject({
        method: 'POST',
        url: `${own.prefix}/oauth/introspect`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({
          token: phone.accessToken,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: await makeClientAssertion(own, { client: 'demo-bank' }),
        }).toString(),
      });
      return answer.json<{ active: boolean }>().active;
    };
    own.clock.advance(298_000);
    const before = await ask();
    own.clock.advance(3_000);
    const after = await ask();
    await own.close();
    expect({ before, after, isMachine: bank.accessToken !== undefined }).toEqual({
      before: true,
      after: false,
      isMachine: true,
    });
  });
});

describe('who asks', () => {
  it('is refused without the scope, in the words of RFC 6750', async () => {
    const { accessToken } = await loggedIn();
    const fraudEngine = await createMachine(api);
    const answer = await introspect({ token: accessToken }, fraudEngine);
    expect(answer).toMatchObject({
      status: 403,
      body: { error: 'insufficient_scope', code: 'insufficient_scope' },
    });
    expect(answer.headers['www-authenticate']).toContain('scope="tokens:introspect"');
  });

  it('is refused without the scope by assertion too', async () => {
    const answer = await introspectByAssertion({
      token: 'x',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(api),
    });
    expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
  });

  it('is refused without any proof, and with an assertion that was used', async () => {
    expect(await introspectByAssertion({ token: 'x' })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    const form = {
      token: 'x',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(api, { client: 'demo-bank' }),
    };
    expect((await introspectByAssertion(form)).status).toBe(200);
    expect((await introspectByAssertion(form)).status).toBe(401);
  });

  it('is refused as a customer, and with a proof of another key', async () => {
    const { phone, accessToken } = await loggedIn();
    expect(await introspect({ token: accessToken }, phone)).toMatchObject({
      status: 403,
      body: { error: 'access_denied', code: 'caller_not_allowed' },
    });
    const stranger = Object.assign(await createCaller(api), { accessToken: service.accessToken });
    expect(await introspect({ token: accessToken }, stranger)).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', code: 'dpop_key_mismatch' },
    });
  });

  it('must say which token', async () => {
    expect(await introspect({})).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});
