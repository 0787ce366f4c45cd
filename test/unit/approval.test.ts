/** Four eyes as a rule: each guard refuses on its own with everything else right, and nothing but all of them lets an approval through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { APPROVAL_STATUSES, judgeApproval } from '../../domain/approval.ts';
import type { ApprovalFacts } from '../../domain/approval.ts';
import { STAFF_ROLES } from '../../domain/staff.ts';

const good: ApprovalFacts = {
  status: 'pending',
  expiresAtMs: 1_000,
  nowMs: 999,
  isSamePerson: false,
  deciderRoles: ['supervisor'],
  preparerRoles: ['agent'],
  isHoldActive: true,
  isUnchanged: true,
};

describe('an approval', () => {
  it('is let through when everything is right', () => {
    expect(judgeApproval(good)).toEqual({ may: true });
    expect(judgeApproval({ ...good, preparerRoles: ['supervisor'] })).toEqual({ may: true });
  });

  const refusals: readonly (readonly [Partial<ApprovalFacts>, string, string?])[] = [
    [{ status: 'approved' }, 'approval_decided'],
    [{ status: 'declined' }, 'approval_decided'],
    [{ status: 'expired' }, 'approval_expired'],
    [{ status: 'void' }, 'approval_void'],
    [{ nowMs: 1_000 }, 'approval_expired', 'expired'],
    [{ isHoldActive: false }, 'hold_released', 'void'],
    [{ isUnchanged: false }, 'approval_void', 'void'],
    [{ preparerRoles: ['auditor', 'administrator'] }, 'approval_void', 'void'],
    [{ deciderRoles: ['agent', 'auditor', 'administrator'] }, 'staff_role_missing'],
    [{ isSamePerson: true }, 'four_eyes_required'],
  ];
  it.each(refusals)('with %j is refused as %s', (change, refused, becomes) => {
    expect(judgeApproval({ ...good, ...change })).toEqual(
      becomes === undefined ? { may: false, refused } : { may: false, refused, becomes },
    );
  });

  it('is let through by nothing else than two persons, their roles, the time and the hold as it was', () => {
    const roles = fc.subarray([...STAFF_ROLES]);
    const facts = fc.record<ApprovalFacts>({
      status: fc.constantFrom(...APPROVAL_STATUSES),
      expiresAtMs: fc.constant(1_000),
      nowMs: fc.integer({ min: 990, max: 1_010 }),
      isSamePerson: fc.boolean(),
      deciderRoles: roles,
      preparerRoles: roles,
      isHoldActive: fc.boolean(),
      isUnchanged: fc.boolean(),
    });
    fc.assert(
      fc.property(facts, (given) => {
        const mayPrepare = ['agent', 'supervisor'].some((role) =>
          given.preparerRoles.includes(role),
        );
        const isRight =
          given.status === 'pending' &&
          given.nowMs < 1_000 &&
          !given.isSamePerson &&
          given.deciderRoles.includes('supervisor') &&
          mayPrepare &&
          given.isHoldActive &&
          given.isUnchanged;
        expect(judgeApproval(given).may).toBe(isRight);
      }),
      { numRuns: 2_000 },
    );
  });
});
