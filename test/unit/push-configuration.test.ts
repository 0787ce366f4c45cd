import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadPart } from '../../configuration/configuration.ts';
import { readPush } from '../../configuration/push.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const teamKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem);
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export(pem);
const accountKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem);
const apns = { teamId: 'TEAM123456', keyId: 'KEY1234567', privateKey: teamKey, topic: 'com.bank' };
const serviceAccount = {
  type: 'service_account',
  project_id: 'bank-app',
  private_key_id: 'a1b2c3',
  private_key: accountKey,
  client_email: 'push@bank-app.iam.gserviceaccount.com',
  client_id: '1234',
  token_uri: 'https://oauth2.googleapis.com/token',
};
const fcm = { serviceAccount };

const read = (push: unknown, mode = 'production') =>
  loadPart(
    {
      LATCHKEY_MODE: mode,
      ...(push === undefined
        ? {}
        : { LATCHKEY_PUSH: typeof push === 'string' ? push : JSON.stringify(push) }),
    },
    readPush,
  );

describe('the push services', () => {
  it('are none when nothing is said', () => {
    expect(read(undefined)).toEqual({});
  });

  it('are read by tenant, the key file of Google as it is', () => {
    expect(read({ demo: { apns, fcm }, other: { fcm } })).toEqual({
      demo: { apns, fcm },
      other: { fcm },
    });
  });

  it.each([
    ['no JSON', '{'],
    ['a list', []],
    ['a tenant that is none', { 'Not a slug': { apns } }],
    ['a service that is none', { demo: { sns: {} } }],
    ['a member too many', { demo: { apns: { ...apns, passphrase: 'x' } } }],
    ['no topic', { demo: { apns: { ...apns, topic: undefined } } }],
    ['a key file of another kind', { demo: { fcm: { serviceAccount: { type: 'user' } } } }],
    ['an endpoint with a path', { demo: { apns: { ...apns, endpoint: 'https://a.example/x' } } }],
    ['credentials in an address', { demo: { fcm: { ...fcm, endpoint: 'https://a:b@c.example' } } }],
  ])('are refused with %s', (_what, push) => {
    expect(() => read(push)).toThrow(/^LATCHKEY_PUSH: has the wrong form; use JSON: /);
  });

  it.each([
    ['no key', { demo: { apns: { ...apns, privateKey: 'x'.repeat(64) } } }, 'no P-256 key'],
    ['another curve', { demo: { apns: { ...apns, privateKey: otherCurve } } }, 'no P-256 key'],
    ['an account without its key', withAccount({ private_key: teamKey }), 'no RSA key'],
    ['plain http', { demo: { apns: { ...apns, endpoint: 'http://a.example' } } }, 'not https'],
    ['a plain token endpoint', withAccount({ token_uri: 'http://a.example/t' }), 'not https'],
    ['a demo key', { demo: { apns: { ...apns, keyId: 'demokey' } } }, 'has a demo key'],
  ])('are refused in production with %s, without what was said', (_what, push, why) => {
    expect(() => read(push)).toThrow(ConfigurationError);
    expect(() => read(push)).toThrow(why);
    expect(() => read(push)).not.toThrow(/PRIVATE KEY/);
  });

  it('may be servers of the machine in development', () => {
    const local = { demo: { apns: { ...apns, endpoint: 'http://127.0.0.1:4000' } } };
    expect(read(local, 'development')).toEqual(local);
  });
});

function withAccount(members: Readonly<Record<string, unknown>>) {
  return { demo: { fcm: { serviceAccount: { ...serviceAccount, ...members } } } };
}
