/** private_key_jwt at the token endpoint: each rule of RFC 7523 section 3 violated alone, with RFC 6749's errors. */
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi } from '../setup/api.ts';
import { createCaller } from '../setup/callers.ts';
import { ASSERTION_TYPE, makeClientAssertion } from '../setup/machine.ts';
import { createKeyPair } from '../setup/proof.ts';
import type { TestApi } from '../setup/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api.close();
});

const now = () => Math.floor(api.clock.nowMs() / 1000);

async function ask(form: Record<string, string>) {
  const caller = await createCaller(api);
  return await caller.postForm('/oauth/token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    ...form,
  });
}

describe("the demo's published key", () => {
  it('opens nothing in production, though a demo once wrote its client into the database', async () => {
    const production = await startTestApi({ configuration: { mode: 'production' } });
    const caller = await createCaller(production);
    const answer = await caller.postForm('/oauth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeClientAssertion(production),
    });
    await production.close();
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

describe('a client assertion', () => {
  it('earns a token that is bound to the proof of its request', async () => {
    const answer = await ask({ client_assertion: await makeClientAssertion(api) });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        token_type: 'DPoP',
        expires_in: 300,
        scope: 'fraud:signal fraud:release timeline:read',
      },
    });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('may name the token endpoint as its audience', async () => {
    const claims = { aud: `${api.publicUrl}${api.prefix}/oauth/token` };
    expect(
      (await ask({ client_assertion: await makeClientAssertion(api, { claims }) })).status,
    ).toBe(200);
  });

  it('works once', async () => {
    const assertion = await makeClientAssertion(api);
    expect((await ask({ client_assertion: assertion })).status).toBe(200);
    expect(await ask({ client_assertion: assertion })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  it('works once when shown eight times at once', async () => {
    const assertion = await makeClientAssertion(api);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask({ client_assertion: assertion })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('is good until its second and not after', async () => {
    const almost = await makeClientAssertion(api, { claims: { exp: now() + 3 } });
    expect((await ask({ client_assertion: almost })).status).toBe(200);
    const over = await makeClientAssertion(api, { claims: { exp: now() } });
    expect((await ask({ client_assertion: over })).status).toBe(401);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['another issuer', () => ({ iss: 'somebody' })],
    ['another subject', () => ({ sub: 'demo-app' })],
    ['a client nobody knows', () => ({ iss: 'nobody', sub: 'nobody' })],
    ['an app for a client', () => ({ iss: 'demo-app', sub: 'demo-app' })],
    ['a client that no database can name', () => ({ iss: 'a\0b', sub: 'a\0b' })],
    ['another audience', () => ({ aud: 'https://elsewhere.test' })],
    ['no audience', () => ({ aud: undefined })],
    ['no end', () => ({ exp: undefined })],
    ['an end too far away', () => ({ exp: now() + 600 })],
    ['an end that is over', () => ({ exp: now() - 1 })],
    ['a beginning in the future', () => ({ iat: now() + 60 })],
    ['a time before which it is not good', () => ({ nbf: now() + 60 })],
    ['no id', () => ({ jti: undefined })],
    ['a number for an id', () => ({ jti: 12_345_678 })],
  ])('with %s is refused, as every other is', async (_name, claims) => {
    const answer = await ask({
      client_assertion: await makeClientAssertion(api, { claims: claims() }),
    });
    expect(answer).toMatchObject({
      status: 401,
      body: { error: 'invalid_client', code: 'invalid_client_assertion' },
    });
  });

  it("with another key's signature is refused", async () => {
    const { privateKey } = await createKeyPair();
    const assertion = await makeClientAssertion(api, { signWith: privateKey });
    expect((await ask({ client_assertion: assertion })).status).toBe(401);
  });

  it('with a key id that is not registered is refused', async () => {
    const assertion = await makeClientAssertion(api, { header: { kid: 'other' } });
    expect((await ask({ client_assertion: assertion })).status).toBe(401);
  });

  it('signed with a secret is refused', async () => {
    const assertion = await new SignJWT({
      iss: 'demo-fraud',
      sub: 'demo-fraud',
      aud: `${api.publicUrl}${api.prefix}`,
      exp: now() + 60,
      jti: 'x'.repeat(16),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(randomBytes(32));
    expect((await ask({ client_assertion: assertion })).status).toBe(401);
  });

  it('of another type, and none at all, are refused', async () => {
    const assertion = await makeClientAssertion(api);
    expect(
      (await ask({ client_assertion: assertion, client_assertion_type: 'urn:other' })).status,
    ).toBe(401);
    expect((await ask({})).status).toBe(401);
    expect((await ask({ client_assertion: assertion, client_id: 'demo-app' })).status).toBe(401);
  });
});

describe('the token endpoint', () => {
  it('gives the scopes that were asked, all or none', async () => {
    const narrow = await ask({
      client_assertion: await makeClientAssertion(api),
      scope: 'timeline:read',
    });
    expect(narrow.body).toMatchObject({ scope: 'timeline:read' });
    const wide = await ask({
      client_assertion: await makeClientAssertion(api),
      scope: 'timeline:read payments:write',
    });
    expect(wide).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });

  it('offers no other grant', async () => {
    for (const grant_type of ['password', 'authorization_code', '__proto__', 'constructor']) {
      expect(await ask({ grant_type })).toMatchObject({
        status: 400,
        body: { error: 'unsupported_grant_type' },
      });
    }
  });

  it('refuses repeated and unknown parameters', async () => {
    const caller = await createCaller(api);
    await caller.get('/nothing');
    const send = async (payload: string) => {
      const probe = await createCaller(api);
      // One call learns the nonce; the second carries what URLSearchParams would not.
      const answer = await probe.postForm(
        '/oauth/token',
        Object.fromEntries(new URLSearchParams(payload)),
      );
      return answer;
    };
    expect(await send('grant_type=client_credentials&surprise=1')).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    });
  });

  it('demands a proof with a nonce, in the words of RFC 9449', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/t/demo/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'grant_type=client_credentials',
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      error: 'invalid_dpop_proof',
      code: 'dpop_proof_missing',
    });
  });

  it('takes forms alone', async () => {
    const caller = await createCaller(api);
    const answer = await caller.post('/oauth/token', { grant_type: 'client_credentials' });
    expect(answer).toMatchObject({ status: 415, body: { error: 'invalid_request' } });
  });
});
