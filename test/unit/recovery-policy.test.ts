import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  DEFAULT_RECOVERY_POLICY as policy,
  recoveryRequirement,
  recoveryTimes,
  stricterRequirement,
  type RecoveryDoubt,
  type RecoveryRequirement,
} from '../../domain/recovery-policy.ts';

const HOUR = 3600;
const CALM: RecoveryDoubt = {
  risk: 'low',
  isStolen: false,
  hasRecentChange: false,
  isByEvidence: false,
};

describe('what a case takes', () => {
  it.each([
    ['low risk', {}, { people: 1, coolingSeconds: HOUR, contacts: 1 }],
    ['medium risk', { risk: 'medium' }, { people: 2, coolingSeconds: 24 * HOUR, contacts: 1 }],
    [
      'no verdict',
      { risk: 'not_evaluated' },
      { people: 2, coolingSeconds: 24 * HOUR, contacts: 1 },
    ],
    ['high risk', { risk: 'high' }, { people: 2, coolingSeconds: 72 * HOUR, contacts: 2 }],
    ['theft', { isStolen: true }, { people: 2, coolingSeconds: 24 * HOUR, contacts: 1 }],
    [
      'a change lately',
      { hasRecentChange: true },
      { people: 1, coolingSeconds: 24 * HOUR, contacts: 2 },
    ],
    ['evidence', { isByEvidence: true }, { people: 2, coolingSeconds: HOUR, contacts: 1 }],
  ] as const)('at %s', (_name, doubt, { people, coolingSeconds, contacts }) => {
    expect(recoveryRequirement(policy, { ...CALM, ...doubt })).toMatchObject({
      people,
      coolingSeconds,
      ledger: { identityStrength: 3, contacts },
    });
  });

  it('has a floor that a change lately lifts', () => {
    const { coolingFloorSeconds } = recoveryRequirement(policy, CALM);
    expect(coolingFloorSeconds).toBe(policy.coolingFloorSeconds);
    const lately = recoveryRequirement(policy, { ...CALM, hasRecentChange: true });
    expect(lately.coolingFloorSeconds).toBe(policy.recentChangeFloorSeconds);
  });

  it('lasts as long as the policy says, in milliseconds', () => {
    const times = recoveryTimes(policy, recoveryRequirement(policy, CALM));
    expect(times).toMatchObject({ coolingMs: HOUR * 1000, rebindMs: 72 * HOUR * 1000 });
  });
});

const isNoLess = (one: RecoveryRequirement, other: RecoveryRequirement) =>
  one.people >= other.people &&
  one.coolingSeconds >= other.coolingSeconds &&
  one.coolingFloorSeconds >= other.coolingFloorSeconds &&
  one.ledger.contacts >= other.ledger.contacts;

describe('doubt', () => {
  const doubt = fc.record({
    risk: fc.constantFrom(
      'low' as const,
      'medium' as const,
      'not_evaluated' as const,
      'high' as const,
    ),
    isStolen: fc.boolean(),
    hasRecentChange: fc.boolean(),
    isByEvidence: fc.boolean(),
  });
  // Whatever a tenant made of the numbers.
  const anyPolicy = fc
    .record({
      peopleLow: fc.integer({ min: 0, max: 2 }),
      peopleMedium: fc.integer({ min: 1, max: 2 }),
      coolingLowSeconds: fc.integer({ min: 0, max: 100 }),
      coolingMediumSeconds: fc.integer({ min: 0, max: 100 }),
      coolingHighSeconds: fc.integer({ min: 0, max: 100 }),
      coolingFloorSeconds: fc.integer({ min: 0, max: 100 }),
      recentChangeFloorSeconds: fc.integer({ min: 1, max: 100 }),
    })
    .map((numbers) => ({ ...policy, ...numbers }));

  test('More of it never asks for less.', () => {
    fc.assert(
      fc.property(anyPolicy, doubt, (numbers, one) => {
        const before = recoveryRequirement(numbers, one);
        for (const more of [
          { ...one, isStolen: true },
          { ...one, hasRecentChange: true },
          { ...one, isByEvidence: true },
          { ...one, risk: 'high' as const },
          ...(one.risk === 'low' ? [{ ...one, risk: 'medium' as const }] : []),
        ])
          expect(isNoLess(recoveryRequirement(numbers, more), before)).toBe(true);
        expect(before.coolingSeconds).toBeGreaterThanOrEqual(before.coolingFloorSeconds);
      }),
    );
  });

  test('What became known later never asks for less than before, nor than now.', () => {
    fc.assert(
      fc.property(anyPolicy, doubt, doubt, (numbers, one, other) => {
        const before = recoveryRequirement(numbers, one);
        const now = recoveryRequirement(numbers, other);
        const stricter = stricterRequirement(before, now);
        expect(isNoLess(stricter, before) && isNoLess(stricter, now)).toBe(true);
      }),
    );
  });
});
