/**
 * What a member of staff may do now with a case of recovery, and where not, why: one rule for the console, which greys what is refused, and a
 * mirror of what the stores refuse in their transactions. Also what speaks for care. Pure; it lets nobody do anything.
 */
import type { Risk } from './ports.ts';
import { refusalOf, type Recovery, type RecoveryReport, type RecoveryState } from './recovery.ts';
import type { StaffRole } from './staff.ts';

export const RECOVERY_ACTIONS = [
  'claim',
  'hand_over',
  'record_evidence',
  'call_back',
  'confirm_evidence',
  'approve',
  'refuse',
  'send_back',
  'release',
] as const;
export type RecoveryAction = (typeof RECOVERY_ACTIONS)[number];

/** Why not: the code of the refusal, or what makes it pointless. */
export const DESK_REASONS = [
  'staff_role_missing',
  'own_account',
  'case_taken',
  'four_eyes_required',
  'factors_missing',
  'phone_not_joined',
  'customer_on_hold',
  'ceremony_expired',
  'ceremony_ended',
  'recovery_held',
  'wrong_step',
  /** One has it already. */
  'yours_already',
  'nobody_has_it',
  'nothing_to_confirm',
  /** One has approved it as it stands. */
  'approved_by_you',
] as const;
export type DeskReason = (typeof DESK_REASONS)[number];

export interface DeskCase extends Pick<
  Recovery,
  'state' | 'outcome' | 'missing' | 'people' | 'deadlineMs' | 'stepDeadlineMs'
> {
  /** A new phone has joined it. */
  readonly hasPhone: boolean;
  readonly isOnHold: boolean;
  readonly claim: 'mine' | 'colleague' | 'nobody';
  /** Of other natural persons, for the case as it stands. */
  readonly otherApprovals: number;
  readonly hasSupervisorApproved: boolean;
  /** Evidence that waits for a second person. */
  readonly unconfirmed: { readonly own: number; readonly others: number };
}

export interface DeskPerson {
  readonly roles: readonly StaffRole[];
  readonly isOwnAccount: boolean;
  /** Opened the case or put something on its record. */
  readonly hasPrepared: boolean;
  readonly hasApproved: boolean;
}

/** null: it may be done. A login that is too old is asked for when it is done, and makes nothing grey. */
export type RecoveryPermissions = { readonly [A in RecoveryAction]: DeskReason | null };

export function recoveryPermissions(
  one: DeskCase,
  person: DeskPerson,
  nowMs: number,
): RecoveryPermissions {
  const rule = (check: () => DeskReason | null): DeskReason | null =>
    deskRefusal(one, person) ?? check();
  const claimed = one.claim;
  return {
    claim: rule(() =>
      claimed === 'mine' ? 'yours_already' : claimed === 'colleague' ? 'case_taken' : null,
    ),
    hand_over: rule(() => {
      if (claimed === 'nobody') return 'nobody_has_it';
      return claimed === 'mine' || isSupervisor(person) ? null : 'case_taken';
    }),
    record_evidence: rule(
      () => undueProof(one, nowMs) ?? (one.hasPhone ? null : 'phone_not_joined'),
    ),
    call_back: rule(() => undueProof(one, nowMs)),
    confirm_evidence: rule(() => undueProof(one, nowMs) ?? unconfirmable(one)),
    approve: rule(() => undue(one, ['review']) ?? unapprovable(one, person, nowMs)),
    refuse: rule(() => undue(one, ['contact', 'identity', 'review', 'cooling', 'rebind', 'held'])),
    send_back: rule(() => undue(one, ['review', 'cooling'])),
    release: rule(() => unreleasable(one, person)),
  };
}

/**
 * Whether an approval by this person would leave a case of two people to agents alone: of two who approve, one at least is a supervisor.
 */
export function needsSupervisor({
  people,
  otherApprovals,
  hasSupervisorApproved,
  roles,
}: Pick<DeskCase, 'people' | 'otherApprovals' | 'hasSupervisorApproved'> &
  Pick<DeskPerson, 'roles'>): boolean {
  if (people < 2 || hasSupervisorApproved || roles.includes('supervisor')) return false;
  return otherApprovals + 1 >= people;
}

const isSupervisor = ({ roles }: DeskPerson): boolean => roles.includes('supervisor');

/** What nobody can do here whatever the step is. */
function deskRefusal(one: DeskCase, person: DeskPerson): DeskReason | null {
  if (!person.roles.includes('agent') && !isSupervisor(person)) return 'staff_role_missing';
  if (one.state === 'ended') return endedAs(one);
  return person.isOwnAccount ? 'own_account' : null;
}

function endedAs({ outcome }: DeskCase): DeskReason {
  return outcome === 'expired' ? 'ceremony_expired' : 'ceremony_ended';
}

function undue(one: DeskCase, where: readonly RecoveryState[]): DeskReason | null {
  if (where.includes(one.state)) return null;
  return refusalOf(one) === 'recovery_held' ? 'recovery_held' : 'wrong_step';
}

function isLate({ deadlineMs, stepDeadlineMs }: DeskCase, nowMs: number): boolean {
  return nowMs >= Math.min(deadlineMs, stepDeadlineMs ?? Infinity);
}

function undueProof(one: DeskCase, nowMs: number): DeskReason | null {
  const reason = undue(one, ['starting', 'contact', 'identity', 'review']);
  return reason ?? (isLate(one, nowMs) ? 'ceremony_expired' : null);
}

function unconfirmable({ unconfirmed: { own, others } }: DeskCase): DeskReason | null {
  if (others > 0) return null;
  return own > 0 ? 'four_eyes_required' : 'nothing_to_confirm';
}

function unapprovable(one: DeskCase, person: DeskPerson, nowMs: number): DeskReason | null {
  if (person.hasPrepared) return 'four_eyes_required';
  if (one.missing.length > 0) return 'factors_missing';
  if (isLate(one, nowMs)) return 'ceremony_expired';
  if (person.hasApproved) return 'approved_by_you';
  return needsSupervisor({ ...one, roles: person.roles }) ? 'staff_role_missing' : null;
}

function unreleasable(one: DeskCase, person: DeskPerson): DeskReason | null {
  if (!isSupervisor(person)) return 'staff_role_missing';
  if (one.state !== 'held') return 'wrong_step';
  if (person.hasPrepared) return 'four_eyes_required';
  return one.isOnHold ? 'customer_on_hold' : null;
}

/** What speaks for more care, the gravest first. */
export const RECOVERY_DOUBTS = [
  'on_hold',
  'objected',
  'another_phone',
  'reported_stolen',
  'reported_lost',
  'risk_high',
  'risk_not_evaluated',
  'reported_phone_answered',
  'second_contact_asked',
  'seen_by_staff',
  'opened_by_staff',
  'checks_failed',
] as const;
export type RecoveryDoubt = (typeof RECOVERY_DOUBTS)[number];

export interface DoubtFacts {
  readonly isOnHold: boolean;
  readonly report: RecoveryReport;
  readonly risk: Risk;
  readonly openedByKind: 'customer' | 'staff';
  readonly contacts: 1 | 2;
  /** Entries that count no more as well: a doubt stays one. */
  readonly hasReportedHandset: boolean;
  readonly hasStaffEvidence: boolean;
  /** Why it was held, as the moves say. */
  readonly heldBecause: readonly string[];
  readonly failedChecks: number;
}

export function recoveryDoubts(facts: DoubtFacts): readonly RecoveryDoubt[] {
  const { heldBecause } = facts;
  const holds: { readonly [D in RecoveryDoubt]: boolean } = {
    on_hold: facts.isOnHold,
    objected: heldBecause.some((because) => because === 'contact' || because === 'phone'),
    another_phone: heldBecause.includes('another_phone'),
    reported_stolen: facts.report === 'stolen',
    reported_lost: facts.report === 'lost',
    risk_high: facts.risk === 'high',
    risk_not_evaluated: facts.risk === 'not_evaluated',
    reported_phone_answered: facts.hasReportedHandset,
    second_contact_asked: facts.contacts === 2,
    seen_by_staff: facts.hasStaffEvidence,
    opened_by_staff: facts.openedByKind === 'staff',
    checks_failed: facts.failedChecks > 0,
  };
  return RECOVERY_DOUBTS.filter((doubt) => holds[doubt]);
}
