/** What a tenant's file may say: the shipped example but for its keys, and every member alone made wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readTenantFile } from '../../cli/tenant-file.ts';

const example = readFileSync('ops/compose/tenant.example.json', 'utf8');
const coordinate = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU';
const filled = example.replaceAll('PUT-THE-PUBLIC-KEY-OF-YOUR-ENGINE-HERE', coordinate);

describe("a tenant's file", () => {
  test('is the example once its keys are put in, and not before', () => {
    expect(readTenantFile(filled)).toMatchObject({ slug: 'bank', rpId: 'bank.example' });
    expect(() => readTenantFile(example)).toThrow('/clients/1/jwks/keys/0/x');
  });

  test.each([
    ['"bank"', '"Bank"', '/slug'],
    ['"rpId"', '"rpID"', '/'],
    ['"kid": "fraud-1"', '"kid": "demo-fraud"', '/kid'],
    ['"use": "sig"', '"d": "secret"', 'keys/0'],
    ['"clientId": "bank-app"', '"clientId": "bank app"', 'clientId'],
    ['https://app.bank.example"]', 'https://app.bank.example/"]', 'origins/0'],
    ['https://app.bank.example"]', 'http://app.bank.example"]', 'not https'],
    ['fraud:signal', 'everything', 'scopes/0'],
  ])('is refused with %s as %s', (from, to, where) => {
    expect(filled).toContain(from);
    const refused = () => readTenantFile(filled.replace(from, to));
    expect(refused).toThrow(where);
    expect(refused).not.toThrow('secret');
  });

  test('is refused when it is no JSON at all', () => {
    expect(() => readTenantFile('{')).toThrow("the tenant's file is no JSON");
  });

  const callback = { url: 'https://payments.bank.example/hook', secrets: [secretOf('r')] };
  const withCallback = (change: Readonly<Record<string, unknown>> = {}) =>
    filled.replace('"jwks"', `"callback": ${JSON.stringify({ ...callback, ...change })}, "jwks"`);

  test('names where a client wants to be called back, and with which secrets', () => {
    const { clients } = readTenantFile(withCallback());
    expect(clients[1]).toMatchObject({ clientId: 'fraud-engine', callback });
  });

  test.each([
    ['plain http', { url: 'http://payments.bank.example/hook' }, 'no https address'],
    ['no address', { url: 'https://' }, 'callback'],
    ['credentials in it', { url: 'https://me:pw@bank.example/' }, 'callback'],
    ['no secret', { secrets: [] }, 'callback'],
    ['a secret of another form', { secrets: ['not a secret'] }, 'callback'],
    ['a short one', { secrets: ['whsec_c2hvcnQ='] }, 'callback'],
    ['a published one', { secrets: [secretOf('demo')] }, 'the demo'],
    ['five of them', { secrets: Array.from({ length: 5 }, () => secretOf('r')) }, 'callback'],
    ['a member too many', { headers: {} }, 'callback'],
  ])('is refused with %s for a callback', (_what, change, where) => {
    const refused = () => readTenantFile(withCallback(change));
    expect(refused).toThrow(where);
    expect(refused).not.toThrow(secretOf('r'));
  });
});

function secretOf(text: string): string {
  return `whsec_${Buffer.from(text.repeat(32).slice(0, 32)).toString('base64')}`;
}
