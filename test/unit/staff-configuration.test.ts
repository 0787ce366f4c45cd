/** What the operations door and the staff's provider may be, in development and in production. */
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadPart } from '../../configuration/configuration.ts';
import { readOperations } from '../../configuration/operations.ts';
import { readStaff } from '../../configuration/staff.ts';

const roles = { agent: ['a'], supervisor: ['s'], auditor: [], administrator: ['x', 'y'] };
const entry = {
  issuer: 'https://idp.bank.example/realm',
  clientId: 'latchkey',
  clientSecret: 'x7'.repeat(16),
  rolesClaim: 'roles',
  employeeClaim: 'employee_id',
  roles,
};

const outcome = <Part>(read: () => Part): Part | readonly string[] => {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
};
const staffOf = (value: unknown, mode = 'production') =>
  outcome(() =>
    loadPart(
      {
        LATCHKEY_MODE: mode,
        LATCHKEY_STAFF: typeof value === 'string' ? value : JSON.stringify(value),
      },
      readStaff,
    ),
  );
const doorOf = (env: Readonly<Record<string, string>>) =>
  outcome(() => loadPart(env, (reader) => readOperations(reader, 'https://id.bank.example')));

describe('LATCHKEY_STAFF', () => {
  it('is taken as it stands, and there is none without it', () => {
    expect(staffOf({ demo: entry })).toEqual({ demo: entry });
    expect(staffOf({ demo: { ...entry, acrValues: ['gold'] } })).toMatchObject({
      demo: { acrValues: ['gold'] },
    });
    expect(loadPart({ LATCHKEY_MODE: 'production' }, readStaff)).toEqual({});
  });

  it.each<readonly [string, unknown]>([
    ['no JSON', '{'],
    ['a list', [entry]],
    ['a tenant that is none', { 'Demo!': entry }],
    ['a member that is none', { demo: { ...entry, scopes: 'x' } }],
    ['no secret', { demo: { ...entry, clientSecret: undefined } }],
    ['an empty client', { demo: { ...entry, clientId: '' } }],
    ['an issuer that is no address', { demo: { ...entry, issuer: 'idp' } }],
    ['an issuer with a query', { demo: { ...entry, issuer: 'https://idp.example/?a=b' } }],
    ['an issuer of another kind', { demo: { ...entry, issuer: 'ftp://idp.example' } }],
    ['no roles', { demo: { ...entry, roles: undefined } }],
    ['a role left out', { demo: { ...entry, roles: { ...roles, auditor: undefined } } }],
    ['a role that is none', { demo: { ...entry, roles: { ...roles, boss: ['b'] } } }],
    ['a role that is no list', { demo: { ...entry, roles: { ...roles, agent: 'a' } } }],
    ['an empty name of a role', { demo: { ...entry, roles: { ...roles, agent: [''] } } }],
    ['strengths that are no list', { demo: { ...entry, acrValues: 'gold' } }],
  ])('is refused with %s, and shows nothing of it', (_, value) => {
    const problems = staffOf(value);
    expect(problems).toEqual([
      expect.stringMatching(/^LATCHKEY_STAFF: has the wrong form; use JSON/),
    ]);
    expect(JSON.stringify(problems)).not.toContain(entry.clientSecret);
  });

  it.each([
    ['http', { issuer: 'http://idp.bank.example' }, 'names an issuer that is not https'],
    ['a demo secret', { clientSecret: `demo-${'x'.repeat(40)}` }, 'has a demo secret'],
    ['a short secret', { clientSecret: 'short' }, 'has a secret that is too short'],
  ])('is refused in production with %s, and taken in development', (_, change, wrong) => {
    const value = { demo: { ...entry, ...change } };
    expect(staffOf(value)).toEqual([expect.stringContaining(`LATCHKEY_STAFF: ${wrong};`)]);
    expect(staffOf(value, 'development')).toEqual(value);
  });
});

describe('the operations door', () => {
  const url = 'https://operations.bank.example';
  it('is one only with a port', () => {
    expect(doorOf({ LATCHKEY_OPERATIONS_URL: url })).toBeUndefined();
    expect(
      doorOf({ LATCHKEY_OPERATIONS_PORT: '4603', LATCHKEY_OPERATIONS_URL: `${url}/` }),
    ).toEqual({
      host: '127.0.0.1',
      port: 4603,
      url,
    });
  });
  it('is at localhost in development unless told otherwise', () => {
    const env = { LATCHKEY_MODE: 'development', LATCHKEY_OPERATIONS_PORT: '4603' };
    expect(doorOf(env)).toMatchObject({ url: 'http://localhost:4603' });
  });
  it.each([
    ['http://operations.bank.example', 'is not https'],
    ['https://id.bank.example:8443', 'has the host of LATCHKEY_PUBLIC_URL'],
    ['https://operations.bank.example/path', 'is not an origin'],
    ['https://me@operations.bank.example', 'is not an origin'],
    ['operations', 'is not an origin'],
  ])('is refused at %s', (wrongUrl, wrong) => {
    const env = { LATCHKEY_OPERATIONS_PORT: '4603', LATCHKEY_OPERATIONS_URL: wrongUrl };
    expect(doorOf(env)).toEqual([expect.stringContaining(`LATCHKEY_OPERATIONS_URL: ${wrong};`)]);
  });
  it('is refused at a port or a host that is none', () => {
    const env = { LATCHKEY_OPERATIONS_URL: url };
    expect(doorOf({ ...env, LATCHKEY_OPERATIONS_PORT: '0' })).toHaveLength(1);
    const host = { LATCHKEY_OPERATIONS_PORT: '1', LATCHKEY_OPERATIONS_HOST: 'a.example' };
    expect(doorOf({ ...env, ...host })).toHaveLength(1);
  });
});
