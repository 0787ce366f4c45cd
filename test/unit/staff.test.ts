/** Roles from claims and what is left of a session, cell by cell. */
import { describe, expect, it } from 'vitest';
import { StaffRoleName } from '../../api/schemas/staff-login.ts';
import { commandLineOf, returnAddress } from '../../api/staff/return-to.ts';
import { isRecentLogin, STAFF_ROLES, staffRolesOf, standingRoles } from '../../domain/staff.ts';

const map = { agent: ['a', 'b'], supervisor: ['s'], auditor: [], administrator: ['s'] };

describe('roles of a claim', () => {
  it.each<readonly [unknown, readonly string[]]>([
    [['a'], ['agent']],
    [['b', 'a', 'unknown'], ['agent']],
    ['s', ['supervisor', 'administrator']],
    [['x'], []],
    [[], []],
    ['', []],
    [undefined, []],
    [{ a: true }, []],
    [[['a']], []],
    [['A'], []],
    [['agent'], []],
  ])('%j are %j', (claim, roles) => {
    expect(staffRolesOf(claim, map)).toEqual(roles);
  });
});

describe('a staff session', () => {
  const session = {
    status: 'live',
    idleDeadlineMs: 100,
    absoluteDeadlineMs: 200,
    sessionRoles: ['agent', 'auditor'],
    staffRoles: ['auditor', 'administrator'],
  } as const;
  it('has the roles that both logins brought', () => {
    expect(standingRoles(session, 99)).toEqual(['auditor']);
  });
  it('has none when it was ended, is idle or too old', () => {
    expect(standingRoles({ ...session, status: 'ended' }, 99)).toEqual([]);
    expect(standingRoles(session, 100)).toEqual([]);
    expect(standingRoles({ ...session, idleDeadlineMs: 300 }, 199)).toEqual(['auditor']);
    expect(standingRoles({ ...session, idleDeadlineMs: 300 }, 200)).toEqual([]);
  });
  it('is of a recent login for five minutes', () => {
    expect(isRecentLogin(1_000, 301_000)).toBe(true);
    expect(isRecentLogin(1_000, 301_001)).toBe(false);
  });
});

describe('the schema of roles', () => {
  it('has the members of the union', () => {
    expect(StaffRoleName.anyOf.map((one) => one.const)).toEqual([...STAFF_ROLES]);
  });
});

describe('where a browser may be sent', () => {
  const here = 'https://operations.bank.example';
  it.each([
    ['/', `${here}/`],
    ['/a?b=c#d', `${here}/a?b=c#d`],
    ['/..//evil.example', `${here}//evil.example`],
    ['//evil.example', undefined],
    ['/\\evil.example', undefined],
    ['https://operations.bank.example/', undefined],
    ['https://evil.example', undefined],
    ['javascript:alert(1)', undefined],
    ['', undefined],
    ['/\t/evil.example', undefined],
    ['/é', undefined],
  ])('%j leads to %j', (path, address) => {
    expect(returnAddress(here, path)).toBe(address);
  });
  it('is a listener on loopback, with a challenge', () => {
    const challenge = 'c'.repeat(43);
    expect(commandLineOf('http://127.0.0.1:1', challenge)).toBeDefined();
    expect(commandLineOf('http://[::1]:65535/a', challenge)).toBeDefined();
    expect(commandLineOf('http://[::1]:65536/a', challenge)).toBeUndefined();
    expect(commandLineOf('http://127.0.0.1:1', 'c'.repeat(42))).toBeUndefined();
    expect(commandLineOf('http://127.1:1', challenge)).toBeUndefined();
    expect(commandLineOf('http://127.0.0.1:1/../..', challenge)).toBeUndefined();
  });
});
