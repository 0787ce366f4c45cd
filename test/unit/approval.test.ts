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

  const refusals: readonly {
    readonly change: Partial<ApprovalFacts>;
    readonly refused: string;
    readonly becomes?: string;
  }[] = [
    { change: { status: 'approved' }, refused: 'approval_decided' },
    { change: { status: 'declined' }, refused: 'approval_decided' },
    { change: { status: 'expired' }, refused: 'approval_expired' },
    { change: { status: 'void' }, refused: 'approval_void' },
    { change: { nowMs: 1_000 }, refused: 'approval_expired', becomes: 'expired' },
    { change: { isHoldActive: false }, refused: 'hold_released', becomes: 'void' },
    { change: { isUnchanged: false }, refused: 'approval_void', becomes: 'void' },
    { change: { preparerRoles: ['auditor'] }, refused: 'approval_void', becomes: 'void' },
    { change: { deciderRoles: ['agent', 'auditor'] }, refused: 'staff_role_missing' },
    { change: { isSamePerson: true }, refused: 'four_eyes_required' },
  ];
  it.each(refusals)('with $change is refused as $refused', ({ change, ...judgement }) => {
    expect(judgeApproval({ ...good, ...change })).toEqual({ may: false, ...judgement });
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
