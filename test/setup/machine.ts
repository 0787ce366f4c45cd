/** The demo's machines as callers, the fraud engine unless another is named: client assertion (RFC 7523), spoiled or not, and token. */
import { randomBytes } from 'node:crypto';
import { importJWK, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import { DEMO_BANK_KEY, DEMO_FRAUD_KEY, DEMO_PAYMENTS_KEY } from '../../runtime/demo-secrets.ts';
import type { TestApi } from './api.ts';
import { createCaller } from './callers.ts';
import type { Caller } from './callers.ts';

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const KEYS = {
  'demo-fraud': DEMO_FRAUD_KEY,
  'demo-bank': DEMO_BANK_KEY,
  'demo-payments': DEMO_PAYMENTS_KEY,
} as const;
export type DemoMachine = keyof typeof KEYS;

/** A client assertion, right in everything that `claims` and `header` do not spoil. */
export async function makeClientAssertion(
  api: TestApi,
  spoil: {
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly signWith?: CryptoKey;
    readonly issuer?: string;
    readonly client?: DemoMachine;
  } = {},
): Promise<string> {
  const nowSeconds = Math.floor(api.clock.nowMs() / 1000);
  const { client = 'demo-fraud' } = spoil;
  const key = KEYS[client];
  const signingKey = spoil.signWith ?? (await importJWK({ ...key }, 'ES256'));
  return await new SignJWT({
    iss: client,
    sub: client,
    aud: spoil.issuer ?? `${api.publicUrl}${api.prefix}`,
    iat: nowSeconds,
    exp: nowSeconds + 60,
    jti: randomBytes(16).toString('base64url'),
    ...spoil.claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...spoil.header })
    .sign(signingKey);
}

/** A machine with a token; `scope` narrows it, for instance `fraud:signal`. */
export async function createMachine(
  api: TestApi,
  options: {
    readonly scope?: string;
    readonly prefix?: string;
    readonly client?: DemoMachine;
  } = {},
): Promise<Caller> {
  const machine = await createCaller(api, options);
  const { prefix = api.prefix, scope, client = 'demo-fraud' } = options;
  const answer = await machine.postForm('/oauth/token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await makeClientAssertion(api, {
      issuer: `${api.publicUrl}${prefix}`,
      client,
    }),
    ...(scope === undefined ? {} : { scope }),
  });
  if (answer.status !== 200) throw new Error(`no machine token: ${JSON.stringify(answer.body)}`);
  machine.accessToken = String(answer.body.access_token);
  return machine;
}
