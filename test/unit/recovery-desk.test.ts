/** What a member of staff may do with a case, row by row, and what holds of every case and person. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  needsSupervisor,
  RECOVERY_ACTIONS,
  RECOVERY_DOUBTS,
  recoveryDoubts,
  recoveryPermissions,
  type DeskCase,
  type DeskPerson,
  type RecoveryAction,
} from '../../domain/recovery-desk.ts';
import { RECOVERY_STATES } from '../../domain/recovery.ts';
import { STAFF_ROLES } from '../../domain/staff.ts';

const NOW = 1_000_000;
const REVIEW: DeskCase = {
  state: 'review',
  outcome: null,
  missing: [],
  people: 2,
  deadlineMs: NOW + 10,
  stepDeadlineMs: NOW + 5,
  hasPhone: true,
  isOnHold: false,
  claim: 'nobody',
  otherApprovals: 0,
  hasSupervisorApproved: false,
  unconfirmed: { own: 0, others: 0 },
};
const AGENT: DeskPerson = {
  roles: ['agent'],
  isOwnAccount: false,
  hasPrepared: false,
  hasApproved: false,
};
const SUPERVISOR: DeskPerson = { ...AGENT, roles: ['supervisor'] };
const HELD: DeskCase = { ...REVIEW, state: 'held', stepDeadlineMs: null };

const may = (
  action: RecoveryAction,
  one: Partial<DeskCase> = {},
  person: Partial<DeskPerson> = {},
  nowMs = NOW,
) => recoveryPermissions({ ...REVIEW, ...one }, { ...AGENT, ...person }, nowMs)[action];

describe('at the desk', () => {
  it('an agent reviews, an auditor and an administrator only read', () => {
    expect(may('approve')).toBeNull();
    for (const role of ['auditor', 'administrator'] as const)
      for (const action of RECOVERY_ACTIONS)
        expect(may(action, {}, { roles: [role] })).toBe('staff_role_missing');
  });

  it('nobody works on their own account', () => {
    for (const action of RECOVERY_ACTIONS)
      expect(may(action, {}, { isOwnAccount: true })).toBe('own_account');
  });

  it.each<[string, RecoveryAction, Partial<DeskCase>, Partial<DeskPerson>, string | null]>([
    ['a case that a colleague has', 'claim', { claim: 'colleague' }, {}, 'case_taken'],
    ['a case that one has', 'claim', { claim: 'mine' }, {}, 'yours_already'],
    ['one’s own case', 'hand_over', { claim: 'mine' }, {}, null],
    ['a colleague’s case', 'hand_over', { claim: 'colleague' }, {}, 'case_taken'],
    ['a colleague’s case', 'hand_over', { claim: 'colleague' }, SUPERVISOR, null],
    ['nobody’s case', 'hand_over', {}, {}, 'nobody_has_it'],
    ['a case without a phone', 'record_evidence', { hasPhone: false }, {}, 'phone_not_joined'],
    [
      'a case that waits for a second contact',
      'record_evidence',
      { state: 'contact', missing: ['second_contact', 'identity'] },
      {},
      null,
    ],
    [
      'a case that waits for a second contact',
      'confirm_evidence',
      { state: 'contact', missing: ['second_contact'], unconfirmed: { own: 0, others: 1 } },
      {},
      null,
    ],
    ['a case without a phone', 'call_back', { hasPhone: false }, {}, null],
    ['a cooling case', 'record_evidence', { state: 'cooling' }, {}, 'wrong_step'],
    ['a held case', 'call_back', { state: 'held' }, {}, 'recovery_held'],
    ['no evidence', 'confirm_evidence', {}, {}, 'nothing_to_confirm'],
    [
      'one’s own evidence',
      'confirm_evidence',
      { unconfirmed: { own: 1, others: 0 } },
      {},
      'four_eyes_required',
    ],
    [
      'a colleague’s evidence',
      'confirm_evidence',
      { unconfirmed: { own: 1, others: 1 } },
      {},
      null,
    ],
    ['what one prepared', 'approve', {}, { hasPrepared: true }, 'four_eyes_required'],
    ['what lacks a proof', 'approve', { missing: ['identity'] }, {}, 'factors_missing'],
    ['what one approved', 'approve', {}, { hasApproved: true }, 'approved_by_you'],
    ['what an agent approved', 'approve', { otherApprovals: 1 }, {}, 'staff_role_missing'],
    ['what an agent approved', 'approve', { otherApprovals: 1 }, SUPERVISOR, null],
    [
      'what a supervisor approved',
      'approve',
      { otherApprovals: 1, hasSupervisorApproved: true },
      {},
      null,
    ],
    ['a case of one person', 'approve', { people: 1 }, {}, null],
    ['what is still proved', 'approve', { state: 'identity' }, {}, 'wrong_step'],
    ['a held case', 'refuse', HELD, {}, null],
    ['a case that begins', 'refuse', { state: 'starting' }, {}, 'wrong_step'],
    ['a cooling case', 'send_back', { state: 'cooling' }, {}, null],
    ['a bound case', 'send_back', { state: 'rebind' }, {}, 'wrong_step'],
    ['a held case', 'release', HELD, {}, 'staff_role_missing'],
    ['a held case', 'release', HELD, SUPERVISOR, null],
    [
      'what one prepared',
      'release',
      HELD,
      { ...SUPERVISOR, hasPrepared: true },
      'four_eyes_required',
    ],
    ['a hold that stands', 'release', { ...HELD, isOnHold: true }, SUPERVISOR, 'customer_on_hold'],
    ['a review', 'release', {}, SUPERVISOR, 'wrong_step'],
    ['an end', 'refuse', { state: 'ended', outcome: 'completed' }, {}, 'ceremony_ended'],
    ['an expired end', 'refuse', { state: 'ended', outcome: 'expired' }, {}, 'ceremony_expired'],
  ])('%s: %s', (_name, action, one, person, because) => {
    expect(may(action, one, person)).toBe(because);
  });

  it.each(['record_evidence', 'call_back', 'approve'] as const)(
    'counts the step’s last moment for %s: just before it goes, at it no more',
    (action) => {
      expect(may(action, {}, {}, NOW + 4)).toBeNull();
      expect(may(action, {}, {}, NOW + 5)).toBe('ceremony_expired');
      expect(may(action, { stepDeadlineMs: null }, {}, NOW + 9)).toBeNull();
      expect(may(action, { stepDeadlineMs: null }, {}, NOW + 10)).toBe('ceremony_expired');
    },
  );
});

const someCase = fc.record({
  state: fc.constantFrom(...RECOVERY_STATES),
  outcome: fc.constant(null),
  missing: fc.subarray(['contact', 'second_contact', 'identity'] as const),
  people: fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
  deadlineMs: fc.constantFrom(NOW - 1, NOW + 10),
  stepDeadlineMs: fc.constantFrom(null, NOW - 1, NOW + 5),
  hasPhone: fc.boolean(),
  isOnHold: fc.boolean(),
  claim: fc.constantFrom('mine', 'colleague', 'nobody') as fc.Arbitrary<DeskCase['claim']>,
  otherApprovals: fc.constantFrom(0, 1, 2),
  hasSupervisorApproved: fc.boolean(),
  unconfirmed: fc.record({ own: fc.nat(2), others: fc.nat(2) }),
});
const somebody = fc.record({
  roles: fc.subarray([...STAFF_ROLES]),
  isOwnAccount: fc.boolean(),
  hasPrepared: fc.boolean(),
  hasApproved: fc.boolean(),
});

describe('whatever the case and whoever the person', () => {
  it('nothing is allowed that the four eyes, the roles or the state forbid', () => {
    fc.assert(
      fc.property(someCase, somebody, (one, person) => {
        const all = recoveryPermissions(one, person, NOW);
        const allowed = RECOVERY_ACTIONS.filter((action) => all[action] === null);
        const atDesk = person.roles.includes('agent') || person.roles.includes('supervisor');
        const isOut = !atDesk || person.isOwnAccount || one.state === 'ended';
        const mustNot: readonly RecoveryAction[] = [
          ...(isOut ? RECOVERY_ACTIONS : []),
          ...(person.hasPrepared ? (['approve', 'release'] as const) : []),
          ...(one.missing.length > 0 || one.state !== 'review' ? (['approve'] as const) : []),
          ...(!person.roles.includes('supervisor') || one.isOnHold || one.state !== 'held'
            ? (['release'] as const)
            : []),
        ];
        expect(allowed.filter((action) => mustNot.includes(action))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('whatever is open and past its beginning can be refused, so that a case is never nobody’s to stop', () => {
    fc.assert(
      fc.property(someCase, somebody, (one, person) => {
        fc.pre(one.state !== 'ended' && one.state !== 'starting');
        const anybody: DeskPerson = { ...person, roles: ['agent'], isOwnAccount: false };
        expect(recoveryPermissions(one, anybody, NOW).refuse).toBeNull();
      }),
    );
  });

  it('of two who approve, one is a supervisor', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 5 }), (supervisors) => {
        const approved: boolean[] = [];
        for (const isSupervisor of supervisors) {
          if (approved.length === 2) break;
          const refused = needsSupervisor({
            people: 2,
            otherApprovals: approved.length,
            hasSupervisorApproved: approved.includes(true),
            roles: [isSupervisor ? 'supervisor' : 'agent'],
          });
          if (!refused) approved.push(isSupervisor);
        }
        expect(approved.length < 2 || approved.includes(true)).toBe(true);
        // A supervisor is never turned away by it.
        expect(!supervisors.slice(1).includes(true) || approved.length === 2).toBe(true);
      }),
    );
  });
});

describe('what speaks for care', () => {
  const CALM = {
    isOnHold: false,
    report: 'broken',
    risk: 'low',
    openedByKind: 'customer',
    contacts: 1,
    hasReportedHandset: false,
    hasStaffEvidence: false,
    heldBecause: [],
    failedChecks: 0,
  } as const;

  it('is nothing of a calm case', () => {
    expect(recoveryDoubts(CALM)).toEqual([]);
  });

  it.each([
    ['on_hold', { isOnHold: true }],
    ['objected', { heldBecause: ['contact'] }],
    ['objected', { heldBecause: ['phone'] }],
    ['another_phone', { heldBecause: ['another_phone'] }],
    ['reported_stolen', { report: 'stolen' }],
    ['reported_lost', { report: 'lost' }],
    ['risk_high', { risk: 'high' }],
    ['risk_not_evaluated', { risk: 'not_evaluated' }],
    ['reported_phone_answered', { hasReportedHandset: true }],
    ['second_contact_asked', { contacts: 2 }],
    ['seen_by_staff', { hasStaffEvidence: true }],
    ['opened_by_staff', { openedByKind: 'staff' }],
    ['checks_failed', { failedChecks: 1 }],
  ] as const)('%s', (doubt, facts) => {
    expect(recoveryDoubts({ ...CALM, ...facts })).toEqual([doubt]);
    expect(RECOVERY_DOUBTS).toContain(doubt);
  });
});
