/**
 * Four eyes as a rule: whether what one person asked for may be approved by another, judged from rows that one transaction read under their
 * locks. The database compares the persons; here is what follows. Pure; any doubt is a refusal.
 */
import type { ErrorCode } from './errors.ts';

/** `expired` and `void` are noted by whoever comes upon them: nobody decided. */
export const APPROVAL_STATUSES = ['pending', 'approved', 'declined', 'expired', 'void'] as const;
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/** Why a hold is to be lifted, as codes: they stand in the audit. The fraud engine gives the same two. */
export type ReleaseReason = 'false_alarm' | 'customer_verified';

export interface ApprovalFacts {
  readonly status: ApprovalStatus;
  readonly expiresAtMs: number;
  /** After every lock was had. */
  readonly nowMs: number;
  /** As the database compares employee ids; one account is one person anyhow. */
  readonly isSamePerson: boolean;
  readonly deciderRoles: readonly string[];
  readonly preparerRoles: readonly string[];
  readonly isHoldActive: boolean;
  /** The hold and what its release reinstates hash to what was asked for. */
  readonly isUnchanged: boolean;
}

export type ApprovalRefusal = Extract<
  ErrorCode,
  | 'approval_decided'
  | 'approval_expired'
  | 'approval_void'
  | 'staff_role_missing'
  | 'four_eyes_required'
  | 'hold_released'
>;

export type ApprovalJudgement =
  | { readonly may: true }
  | {
      readonly may: false;
      readonly refused: ApprovalRefusal;
      /** What the row becomes, whoever looked. */
      readonly becomes?: 'expired' | 'void';
    };

const refuse = (refused: ApprovalRefusal, becomes?: 'expired' | 'void'): ApprovalJudgement =>
  becomes === undefined ? { may: false, refused } : { may: false, refused, becomes };

/** Whoever may ask for a release may no longer have asked once the role is gone: the request falls with it. */
const mayPrepare = (roles: readonly string[]) =>
  roles.includes('agent') || roles.includes('supervisor');

/** The staircase of an approval: first what it is about, then who asks. */
export function judgeApproval(facts: ApprovalFacts): ApprovalJudgement {
  if (facts.status === 'expired') return refuse('approval_expired');
  if (facts.status === 'void') return refuse('approval_void');
  if (facts.status !== 'pending') return refuse('approval_decided');
  if (facts.nowMs >= facts.expiresAtMs) return refuse('approval_expired', 'expired');
  if (!facts.isHoldActive) return refuse('hold_released', 'void');
  if (!facts.isUnchanged || !mayPrepare(facts.preparerRoles))
    return refuse('approval_void', 'void');
  if (!facts.deciderRoles.includes('supervisor')) return refuse('staff_role_missing');
  if (facts.isSamePerson) return refuse('four_eyes_required');
  return { may: true };
}
