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
});
