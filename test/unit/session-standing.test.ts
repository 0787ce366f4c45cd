/** What stops a session, each fact alone with everything else in order, and what its device leaves of it. */
import { describe, expect, test } from 'vitest';
import { FULL_SCOPES, READ_ONLY_SCOPES } from '../../domain/auth-strength.ts';
import type { DeviceStatus } from '../../domain/auth-strength.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import type { SessionFacts } from '../../domain/session-standing.ts';

const limits = { idleSeconds: 100, absoluteSeconds: 1000 };
const device = (status: DeviceStatus) => ({ status, attestationLevel: 'hardware' as const });
const good: SessionFacts = {
  status: 'live',
  epoch: 3,
  acr: 'latchkey:2',
  scopes: FULL_SCOPES,
  startedAtMs: 0,
  lastSeenAtMs: 500_000,
  idleDeadlineMs: 600_000,
  absoluteDeadlineMs: 1_000_000,
  customerStatus: 'active',
  customerEpoch: 3,
  isHeld: false,
  frozenUntilMs: null,
  device: device('trusted'),
  credentialStatus: 'active',
  nowMs: 599_999,
};

describe('a session', () => {
  test('in order stands for all it was granted, until its deadlines', () => {
    expect(judgeSession(good, limits)).toEqual({
      acr: 'latchkey:2',
      scopes: [...FULL_SCOPES],
      withheld: [],
      idleMs: 600_000,
      absoluteMs: 1_000_000,
    });
  });

  test.each([
    ['ended', { status: 'ended' }, 'session_ended'],
    ['of a held customer', { isHeld: true }, 'customer_on_hold'],
    ['of a held customer, ended or not', { isHeld: true, status: 'ended' }, 'customer_on_hold'],
    ['of a prospect', { customerStatus: 'prospect' }, 'session_ended'],
    ['of an erased customer', { customerStatus: 'erased' }, 'session_ended'],
    ['from an older epoch', { epoch: 2 }, 'session_ended'],
    ['from an epoch that is not yet', { epoch: 4 }, 'session_ended'],
    ['at its idle deadline', { nowMs: 600_000 }, 'session_ended'],
    [
      'at its absolute deadline',
      { idleDeadlineMs: 2e6, lastSeenAtMs: 999_000, nowMs: 1e6 },
      'session_ended',
    ],
    ['of a pending device', { device: device('pending') }, 'device_not_allowed'],
    ['of a suspended device', { device: device('suspended') }, 'device_not_allowed'],
    ['of a revoked device', { device: device('revoked') }, 'device_not_allowed'],
    ['of a suspended passkey', { credentialStatus: 'suspended' }, 'device_not_allowed'],
    ['of a revoked passkey', { credentialStatus: 'revoked' }, 'device_not_allowed'],
  ] as const)('%s is refused', (_name, change, code) => {
    expect(judgeSession({ ...good, ...change }, limits)).toEqual({ refused: code });
  });

  test.each([
    ['restricted', device('restricted')],
    ['untrusted', device('untrusted')],
    ['unknown', undefined],
  ])('whose device is %s only reads', (_name, now) => {
    expect(judgeSession({ ...good, device: now }, limits)).toMatchObject({
      acr: 'latchkey:1',
      scopes: [...READ_ONLY_SCOPES],
    });
  });

  test('is never lifted above what it was granted', () => {
    const lower = { ...good, acr: 'latchkey:1', scopes: READ_ONLY_SCOPES } as const;
    expect(judgeSession(lower, limits)).toMatchObject({
      acr: 'latchkey:1',
      scopes: [...READ_ONLY_SCOPES],
    });
  });

  test('ends by a limit that became stricter since', () => {
    expect(judgeSession(good, { ...limits, idleSeconds: 99 })).toEqual({
      refused: 'session_ended',
    });
    expect(judgeSession(good, { ...limits, absoluteSeconds: 599 })).toEqual({
      refused: 'session_ended',
    });
  });
});
