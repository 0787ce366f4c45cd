/**
 * Clients that nobody here wrote, against a listening API: oauth4webapi, dpop and jose's remote key set. They find everything by its metadata, get
 * their nonces from its refusals, and hold its answers against the RFCs.
 */
import * as dpop from 'dpop';
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEMO_BANK_KEY, DEMO_FRAUD_KEY } from '../../runtime/demo-secrets.ts';
import type { DemoPrivateKey } from '../../runtime/demo-secrets.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { startTestApi } from '../setup/api.ts';
import { createBanker, logIn } from '../setup/login-bed.ts';
import type { TestApi } from '../setup/api.ts';
import type { KeyPair } from '../setup/proof.ts';

const LOCAL = { [oauth.allowInsecureRequests]: true } as const;
const APP: oauth.Client = { client_id: 'demo-app' };
const FRAUD_ENGINE: oauth.Client = { client_id: 'demo-fraud' };
const BANK: oauth.Client = { client_id: 'demo-bank' };

let api: TestApi;
let issuer: URL;
let server: oauth.AuthorizationServer;
beforeAll(async () => {
  const port = await findFreePort();
  api = await startTestApi({ publicUrl: `http://localhost:${String(port)}` });
  await api.app.listen({ host: '127.0.0.1', port });
  issuer = new URL(`${api.publicUrl}${api.prefix}`);
  const answer = await oauth.discoveryRequest(issuer, { ...LOCAL, algorithm: 'oauth2' });
  server = await oauth.processDiscoveryResponse(issuer, answer);
});
afterAll(async () => {
  await api.close();
});

const privateKeyJwt = async ({ kid, ...jwk }: DemoPrivateKey) => {
  const key = await importJWK({ ...jwk }, 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('an EC key is no secret');
  return oauth.PrivateKeyJwt({ key, kid });
};

/** A test's key as these clients hold one. */
async function pairOf({ privateKey, publicJwk }: KeyPair): Promise<dpop.KeyPair> {
  const publicKey = await importJWK({ ...publicJwk }, 'ES256', { extractable: true });
  if (publicKey instanceof Uint8Array) throw new TypeError('an EC key is no secret');
  return { privateKey, publicKey };
}

/** Sends; and once more when the answer was that the proof lacked its nonce. */
async function withNonce<T>(
  send: () => Promise<T>,
): Promise<{ readonly result: T; readonly asked: boolean }> {
  try {
    return { result: await send(), asked: false };
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return { result: await send(), asked: true };
  }
}

async function machineToken(client: oauth.Client, key: DemoPrivateKey, handle: oauth.DPoPHandle) {
  const auth = await privateKeyJwt(key);
  return await withNonce(async () => {
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      auth,
      {},
      {
        ...LOCAL,
        DPoP: handle,
      },
    );
    return await oauth.processClientCredentialsResponse(server, client, answer);
  });
}

async function loggedIn() {
  const banker = await createBanker(api);
  const { body } = await logIn(banker, banker.phone);
  const pair = await pairOf(banker.phone.key);
  return {
    ...banker,
    pair,
    handle: oauth.DPoP(APP, pair),
    accessToken: String(body.access_token),
    refreshToken: String(body.refresh_token),
    idToken: String(body.id_token),
  };
}

describe('metadata', () => {
  it('is found by RFC 8414 and by OpenID Connect Discovery, and is the same', async () => {
    const answer = await oauth.discoveryRequest(issuer, { ...LOCAL, algorithm: 'oidc' });
    expect(await oauth.processDiscoveryResponse(issuer, answer)).toEqual(server);
    expect(server.issuer).toBe(issuer.href);
  });

  it('names a key set that jose verifies an ID token and an access token by', async () => {
    const { idToken, accessToken, customerId, phone } = await loggedIn();
    const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''));
    const id = await jwtVerify(idToken, keys, { issuer: issuer.href, audience: 'demo-app' });
    expect(id.payload).toMatchObject({ sub: customerId, acr: 'latchkey:2' });
    const access = await jwtVerify(accessToken, keys, {
      issuer: issuer.href,
      audience: issuer.href,
      typ: 'at+jwt',
    });
    expect(access.payload).toMatchObject({ sub: customerId, cnf: { jkt: phone.jkt } });
  });
});

describe('a machine', () => {
  it('gets a DPoP-bound token by private_key_jwt, having been asked for a nonce', async () => {
    const handle = oauth.DPoP(FRAUD_ENGINE, await oauth.generateKeyPair('ES256'));
    const { result, asked } = await machineToken(FRAUD_ENGINE, DEMO_FRAUD_KEY, handle);
    expect(asked).toBe(true);
    expect(result).toMatchObject({
      token_type: 'dpop',
      scope: expect.stringContaining('fraud:signal'),
    });
    const path = `${issuer.href}/fraud/revocations/rev_${'0'.repeat(32)}`;
    const answer = await oauth.protectedResourceRequest(
      result.access_token,
      'GET',
      new URL(path),
      undefined,
      undefined,
      { ...LOCAL, DPoP: handle },
    );
    expect(answer.status).toBe(404);
  });

  it('is told what it lacks in a challenge that it can read', async () => {
    const handle = oauth.DPoP(BANK, await oauth.generateKeyPair('ES256'));
    const { result } = await machineToken(BANK, DEMO_BANK_KEY, handle);
    const asked = oauth.protectedResourceRequest(
      result.access_token,
      'GET',
      new URL(`${issuer.href}/fraud/revocations/rev_${'0'.repeat(32)}`),
      undefined,
      undefined,
      { ...LOCAL, DPoP: handle },
    );
    await expect(asked).rejects.toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    await expect(asked).rejects.toMatchObject({
      status: 403,
      cause: [
        { scheme: 'dpop', parameters: { error: 'insufficient_scope', scope: 'fraud:signal' } },
      ],
    });
  });
});

describe('an app', () => {
  it('refreshes, asked for a nonce once', async () => {
    const { handle, refreshToken } = await loggedIn();
    const { result, asked } = await withNonce(async () => {
      const answer = await oauth.refreshTokenGrantRequest(server, APP, oauth.None(), refreshToken, {
        ...LOCAL,
        DPoP: handle,
        additionalParameters: { request_id: 'one' },
      });
      return await oauth.processRefreshTokenResponse(server, APP, answer);
    });
    expect(asked).toBe(true);
    expect(result).toMatchObject({ token_type: 'dpop', refresh_token: expect.any(String) });
    expect(result.refresh_token).not.toBe(refreshToken);
  });

  it('reads userinfo', async () => {
    const { handle, accessToken, customerId } = await loggedIn();
    const { result } = await withNonce(async () => {
      const answer = await oauth.userInfoRequest(server, APP, accessToken, {
        ...LOCAL,
        DPoP: handle,
      });
      return await oauth.processUserInfoResponse(server, APP, customerId, answer);
    });
    expect(result).toMatchObject({ sub: customerId, email: 'ada@example.test' });
  });

  it('calls a protected resource with a proof of the dpop package, and is refused it twice', async () => {
    const { pair, accessToken } = await loggedIn();
    const url = `${issuer.href}/auth/me`;
    const proof = await dpop.generateProof(pair, url, 'GET', undefined, accessToken);
    const send = () =>
      fetch(url, { headers: { authorization: `DPoP ${accessToken}`, dpop: proof } });
    expect((await send()).status).toBe(200);
    const again = await send();
    expect(again.status).toBe(401);
    expect(again.headers.get('www-authenticate')).toMatch(/^DPoP error="/);
  });

  it('gives its token back, with a proof of the dpop package and the nonce that it was told', async () => {
    const { pair, accessToken, handle } = await loggedIn();
    const endpoint = server.revocation_endpoint ?? '';
    const giveBack = async (nonce?: string) =>
      await oauth.revocationRequest(server, APP, oauth.None(), accessToken, {
        ...LOCAL,
        headers: { dpop: await dpop.generateProof(pair, endpoint, 'POST', nonce) },
      });
    const refused = await giveBack();
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: 'use_dpop_nonce' });
    const answer = await giveBack(refused.headers.get('dpop-nonce') ?? undefined);
    expect(await oauth.processRevocationResponse(answer)).toBeUndefined();
    const asked = withNonce(() =>
      oauth
        .userInfoRequest(server, APP, accessToken, { ...LOCAL, DPoP: handle })
        .then((userinfo) =>
          oauth.processUserInfoResponse(server, APP, oauth.skipSubjectCheck, userinfo),
        ),
    );
    await expect(asked).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: 'dpop', parameters: { error: 'invalid_token' } }],
    });
  });
});

describe('a service', () => {
  it('introspects by private_key_jwt, and sees a token die', async () => {
    const { phone, accessToken, refreshToken, customerId } = await loggedIn();
    const ask = async (token: string) => {
      const auth = await privateKeyJwt(DEMO_BANK_KEY);
      const answer = await oauth.introspectionRequest(server, BANK, auth, token, LOCAL);
      return await oauth.processIntrospectionResponse(server, BANK, answer);
    };
    expect(await ask(accessToken)).toMatchObject({
      active: true,
      sub: customerId,
      cnf: { jkt: phone.jkt },
      token_type: 'DPoP',
    });
    expect((await ask(refreshToken)).active).toBe(true);
    await phone.post('/auth/logout', { scope: 'this' });
    expect(await ask(accessToken)).toEqual({ active: false });
    expect(await ask(refreshToken)).toEqual({ active: false });
  });

  it('introspects by its DPoP-bound token too', async () => {
    const handle = oauth.DPoP(BANK, await dpop.generateKeyPair('ES256'));
    const { result } = await machineToken(BANK, DEMO_BANK_KEY, handle);
    const { accessToken } = await loggedIn();
    const answer = await oauth.protectedResourceRequest(
      result.access_token,
      'POST',
      new URL(server.introspection_endpoint ?? ''),
      new Headers({ 'content-type': 'application/x-www-form-urlencoded' }),
      new URLSearchParams({ token: accessToken }).toString(),
      { ...LOCAL, DPoP: handle },
    );
    const told = await oauth.processIntrospectionResponse(server, BANK, answer);
    expect(told.active).toBe(true);
  });

  it('validates a request with our token by itself, proof and all', async () => {
    const { pair, accessToken, customerId } = await loggedIn();
    const url = 'https://service.example/accounts';
    const proof = await dpop.generateProof(pair, url, 'GET', undefined, accessToken);
    const request = new Request(url, {
      headers: { authorization: `DPoP ${accessToken}`, dpop: proof },
    });
    const claims = await oauth.validateJwtAccessToken(server, request, issuer.href, {
      ...LOCAL,
      requireDPoP: true,
    });
    expect(claims).toMatchObject({ sub: customerId, client_id: 'demo-app', tenant: 'demo' });
  });
});
