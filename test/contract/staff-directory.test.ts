/** The demo's staff directory against openid-client, the library that Latchkey's own door speaks with. */
import { get } from 'node:http';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEMO_STAFF_ACR, startStaffDirectory } from '../../runtime/staff-directory.ts';
import type { StaffDirectory } from '../../runtime/staff-directory.ts';
import { DEMO_PEOPLE } from '../../runtime/staff-people.ts';
import { logInAtDirectory } from '../setup/staff/staff-login.ts';

const REDIRECT_URI = 'http://localhost:4603/t/demo/staff/callback';
const raised: unknown[] = [];
let directory: StaffDirectory;
let configuration: client.Configuration;

beforeAll(async () => {
  directory = await startStaffDirectory({
    port: 0,
    redirectUris: [REDIRECT_URI],
    onError: (error) => raised.push(error),
    environment: {},
  });
  configuration = await client.discovery(
    new URL(directory.issuer),
    directory.clientId,
    directory.clientSecret,
    undefined,
    { execute: [client.allowInsecureRequests] },
  );
});

afterAll(async () => {
  await directory.stop();
});

async function logIn(person: string, parameters: Readonly<Record<string, string>> = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid profile',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  });
  const callback = await logInAtDirectory(url.href, person);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
  return { callback, checks };
}

describe('the demo staff directory', () => {
  test.each(Object.values(DEMO_PEOPLE))(
    'names $name, the roles and the employee in the ID token',
    async (person) => {
      const { callback, checks } = await logIn(person.id);
      const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), checks);
      const claims = tokens.claims();
      expect(claims).toMatchObject({
        iss: directory.issuer,
        sub: person.id,
        name: person.name,
        roles: person.roles,
        employee_id: person.employeeId,
        acr: DEMO_STAFF_ACR,
        amr: ['user'],
      });
      expect(Math.abs(Number(claims?.auth_time) - Number(claims?.iat))).toBeLessThan(60);
    },
  );

  test.each([{ prompt: 'login' }, { max_age: '0' }, { prompt: 'login', max_age: '300' }])(
    'takes a request with %o and says when the person logged in',
    async (parameters) => {
      const { callback, checks } = await logIn('ana', parameters);
      const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), {
        ...checks,
        maxAge: 300,
      });
      expect(tokens.claims()?.auth_time).toBeTypeOf('number');
    },
  );

  test('lets nobody in who is not on its list', async () => {
    await expect(logIn('mallory')).rejects.toThrow('400');
  });

  test('refuses a request without PKCE', async () => {
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      state: 'some-state',
    });
    const callback = new URL(await logInAtDirectory(url.href, 'ana'));
    expect(callback.searchParams.get('error')).toBe('invalid_request');
    expect(callback.searchParams.get('code')).toBeNull();
  });

  test('sends nobody to an address that is not registered', async () => {
    const attempt = logIn('ana', { redirect_uri: 'http://localhost:4603/elsewhere' });
    await expect(attempt).rejects.toThrow('400');
  });

  test('spends a code once', async () => {
    const { callback, checks } = await logIn('sione');
    await client.authorizationCodeGrant(configuration, new URL(callback), checks);
    await expect(
      client.authorizationCodeGrant(configuration, new URL(callback), checks),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  test('says on its page that it is a demo, names all its people and allows no script', async () => {
    const start = await fetch(
      client.buildAuthorizationUrl(configuration, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid',
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      }),
      { redirect: 'manual' },
    );
    const page = await fetch(new URL(start.headers.get('location') ?? '', directory.issuer), {
      headers: {
        cookie: start.headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; '),
      },
    });
    const text = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const { name } of Object.values(DEMO_PEOPLE)) expect(text).toContain(name);
    expect(text).toContain('>Demo<');
    expect(text).toContain('no password is asked');
  });

  test('says in plain words when nobody began the login', async () => {
    const unknown = await fetch(`${directory.issuer}/interaction/nobody-began-this`);
    expect(unknown.status).toBe(400);
    expect(await unknown.text()).toContain('This login cannot go on');
  });

  test('refuses a foreign Host', async () => {
    const status = await new Promise((resolve, reject) => {
      get(directory.issuer, { headers: { host: 'elsewhere.example' } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).once('error', reject);
    });
    expect(status).toBe(421);
  });

  test('has met no error of its own by now', () => {
    expect(raised).toEqual([]);
  });

  test('does not start in production', async () => {
    await expect(
      startStaffDirectory({
        port: 0,
        redirectUris: [REDIRECT_URI],
        onError: () => undefined,
        environment: { LATCHKEY_MODE: 'production' },
      }),
    ).rejects.toThrow('refuses production');
  });
});
