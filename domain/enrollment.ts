/**
 * Enrollment of a new customer as a pure state machine: phone, identity, e-mail and passkey are proved in that order, or it ends and says
 * why. Workflow, activities and API act on what `transition` answers and never name a next state themselves. It knows no clock, no
 * store and no secret. docs/flows/enrollment.mermaid draws the same table.
 */
import type { ErrorCode } from './errors.ts';

export const ENROLLMENT_STATES = [
  'starting',
  'phone',
  'identity',
  'identity_check',
  'email',
  'email_code',
  'passkey',
  'ended',
] as const;
export type EnrollmentState = (typeof ENROLLMENT_STATES)[number];

export const CEREMONY_OUTCOMES = [
  'completed',
  'expired',
  'cancelled',
  'denied',
  'revoked',
] as const;
export type CeremonyOutcome = (typeof CEREMONY_OUTCOMES)[number];

export const ENROLLMENT_REASONS = [
  'completed',
  'customer_exists',
  'person_exists',
  'identity_refused',
  'attempts_exhausted',
  'step_timeout',
  'identity_timeout',
  'abandoned',
  'never_started',
  'cancelled_by_customer',
  'fraud',
] as const;
export type EnrollmentReason = (typeof ENROLLMENT_REASONS)[number];

/** Facts, as activities, timers and the API report them. */
export const ENROLLMENT_EVENTS = [
  'opened',
  'code_matched',
  'code_wrong',
  'code_expired',
  'code_exhausted',
  'code_resent',
  'known_customer',
  'identity_submitted',
  'identity_verified',
  'identity_refused',
  'known_person',
  'email_submitted',
  'email_taken',
  'passkey_bound',
  'reminder_due',
  'step_expired',
  'deadline_passed',
  'start_expired',
  'cancelled',
  'revoked',
] as const;
export type EnrollmentEvent = (typeof ENROLLMENT_EVENTS)[number];

/** What the transaction that moves the row must do with it. */
export type EnrollmentEffect =
  | 'send_phone_code'
  | 'open_identity_check'
  | 'send_email_code'
  | 'send_reminder'
  | 'bind_passkey'
  | 'erase_prospect';

/** The part of a ceremony's row that decides. Times are absolute, from the policy that the ceremony pinned. */
export interface Enrollment {
  readonly state: EnrollmentState;
  readonly outcome: CeremonyOutcome | null;
  readonly deadlineMs: number;
  readonly stepDeadlineMs: number | null;
  readonly reminderAtMs: number | null;
  readonly stepMs: number;
  readonly identityCheckMs: number;
}

export interface EnrollmentMove {
  readonly state: EnrollmentState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: EnrollmentReason | null;
  readonly stepDeadlineMs: number | null;
  readonly reminderAtMs: number | null;
  readonly effects: readonly EnrollmentEffect[];
}

export type EnrollmentTransition =
  | { readonly move: EnrollmentMove }
  /** The fact belongs here but changes nothing: a wrong code is counted on its attempt, not on the ceremony. */
  | { readonly stay: true }
  | { readonly refused: ErrorCode };

interface Ending {
  readonly outcome: CeremonyOutcome;
  readonly reason: EnrollmentReason;
}

type Target = Exclude<EnrollmentState, 'ended'> | Ending;

const KNOWN_CUSTOMER: Ending = { outcome: 'denied', reason: 'customer_exists' };
const KNOWN_PERSON: Ending = { outcome: 'denied', reason: 'person_exists' };
const EXHAUSTED: Ending = { outcome: 'denied', reason: 'attempts_exhausted' };
const ABANDONED: Ending = { outcome: 'expired', reason: 'abandoned' };
const ANYWHERE = {
  deadline_passed: ABANDONED,
  cancelled: { outcome: 'cancelled', reason: 'cancelled_by_customer' },
  revoked: { outcome: 'revoked', reason: 'fraud' },
} as const satisfies Row;

type Row = { readonly [E in EnrollmentEvent]?: Target };

const TABLE: { readonly [S in EnrollmentState]: Row } = {
  starting: {
    ...ANYWHERE,
    opened: 'phone',
    start_expired: { outcome: 'expired', reason: 'never_started' },
  },
  phone: {
    ...ANYWHERE,
    code_matched: 'identity',
    code_wrong: 'phone',
    code_expired: 'phone',
    code_resent: 'phone',
    code_exhausted: EXHAUSTED,
    known_customer: KNOWN_CUSTOMER,
    step_expired: { outcome: 'expired', reason: 'step_timeout' },
  },
  identity: { ...ANYWHERE, identity_submitted: 'identity_check', reminder_due: 'identity' },
  identity_check: {
    ...ANYWHERE,
    identity_verified: 'email',
    identity_refused: { outcome: 'denied', reason: 'identity_refused' },
    known_person: KNOWN_PERSON,
    reminder_due: 'identity_check',
    step_expired: { outcome: 'expired', reason: 'identity_timeout' },
  },
  email: { ...ANYWHERE, email_submitted: 'email_code', reminder_due: 'email' },
  email_code: {
    ...ANYWHERE,
    code_matched: 'passkey',
    code_wrong: 'email_code',
    code_expired: 'email_code',
    code_resent: 'email_code',
    code_exhausted: EXHAUSTED,
    email_submitted: 'email_code',
    email_taken: 'email',
    reminder_due: 'email_code',
  },
  passkey: {
    ...ANYWHERE,
    passkey_bound: { outcome: 'completed', reason: 'completed' },
    known_customer: KNOWN_CUSTOMER,
    known_person: KNOWN_PERSON,
    reminder_due: 'passkey',
  },
  ended: {},
};

/** What a customer hands in: too late once the step or the whole has run out, even before its timer has ended the row. */
const CUSTOMER_STEPS: ReadonlySet<EnrollmentEvent> = new Set([
  'code_matched',
  'code_wrong',
  'code_resent',
  'known_customer',
  'identity_submitted',
  'email_submitted',
  'email_taken',
  'passkey_bound',
]);

/** Facts that change nothing on the ceremony's row. */
const WITHOUT_MOVE: ReadonlySet<EnrollmentEvent> = new Set([
  'code_wrong',
  'code_expired',
  'code_resent',
]);

/** Says what follows from `event` at `nowMs` (the database's time). Refuses with the code that the caller is shown. */
export function transition(
  enrollment: Enrollment,
  event: EnrollmentEvent,
  nowMs: number,
): EnrollmentTransition {
  const target = TABLE[enrollment.state][event];
  if (target === undefined) return { refused: refusalOf(enrollment) };
  if (CUSTOMER_STEPS.has(event) && nowMs >= lastMomentMs(enrollment))
    return { refused: 'ceremony_expired' };
  if (isTimer(event) && !isDue(enrollment, event, nowMs)) return { refused: 'conflict' };
  if (WITHOUT_MOVE.has(event)) return { stay: true };
  if (typeof target === 'object') return { move: ended(target) };
  return {
    move: {
      state: target,
      outcome: null,
      reason: null,
      stepDeadlineMs:
        target === enrollment.state
          ? enrollment.stepDeadlineMs
          : stepDeadline(enrollment, target, nowMs),
      reminderAtMs: event === 'reminder_due' ? null : enrollment.reminderAtMs,
      effects: effectsOf(enrollment.state, event),
    },
  };
}

/** The code for a step that is not due: the end of a ceremony says which end it was. */
export function refusalOf({ state, outcome }: Pick<Enrollment, 'state' | 'outcome'>): ErrorCode {
  if (state !== 'ended') return 'wrong_step';
  if (outcome === 'expired') return 'ceremony_expired';
  return outcome === 'revoked' ? 'revoked' : 'ceremony_ended';
}

/** Facts that the caller whose guess found them is told as a refusal. */
export const REFUSED_GUESSES: { readonly [E in EnrollmentEvent]?: ErrorCode } = {
  code_wrong: 'wrong_code',
  code_expired: 'code_expired',
  code_exhausted: 'attempts_exhausted',
  email_taken: 'email_in_use',
};

/** The timer that has run out by `nowMs`, the most final first. */
export function dueEvent(enrollment: Enrollment, nowMs: number): EnrollmentEvent | undefined {
  const timers = ['deadline_passed', 'step_expired', 'reminder_due'] as const;
  return timers.find(
    (event) => TABLE[enrollment.state][event] !== undefined && isDue(enrollment, event, nowMs),
  );
}

/** When a timer next runs out. */
export function nextDueMs(enrollment: Enrollment): number {
  const reminderMs =
    TABLE[enrollment.state].reminder_due === undefined ? null : enrollment.reminderAtMs;
  return Math.min(
    enrollment.deadlineMs,
    enrollment.stepDeadlineMs ?? Infinity,
    reminderMs ?? Infinity,
  );
}

/** What a refused customer can do instead. */
export function nextSteps(reason: EnrollmentReason | null): readonly string[] | undefined {
  switch (reason) {
    case 'customer_exists':
      return ['login', 'recovery'];
    case 'person_exists':
      return ['recovery'];
    case 'identity_refused':
      return ['contact_bank'];
    case 'attempts_exhausted':
    case 'step_timeout':
    case 'identity_timeout':
    case 'abandoned':
    case 'never_started':
    case 'cancelled_by_customer':
      return ['start_again'];
    case 'completed':
      return ['login'];
    case 'fraud':
      return ['contact_bank'];
    case null:
      return undefined;
  }
}

function isTimer(
  event: EnrollmentEvent,
): event is 'deadline_passed' | 'step_expired' | 'reminder_due' {
  return event === 'deadline_passed' || event === 'step_expired' || event === 'reminder_due';
}

function isDue(
  enrollment: Enrollment,
  event: 'deadline_passed' | 'step_expired' | 'reminder_due',
  nowMs: number,
): boolean {
  switch (event) {
    case 'deadline_passed':
      return nowMs >= enrollment.deadlineMs;
    case 'step_expired':
      return enrollment.stepDeadlineMs !== null && nowMs >= enrollment.stepDeadlineMs;
    case 'reminder_due':
      return enrollment.reminderAtMs !== null && nowMs >= enrollment.reminderAtMs;
  }
}

function lastMomentMs(enrollment: Enrollment): number {
  return Math.min(enrollment.deadlineMs, enrollment.stepDeadlineMs ?? Infinity);
}

function ended({ outcome, reason }: Ending): EnrollmentMove {
  const effects: Partial<Record<CeremonyOutcome, readonly EnrollmentEffect[]>> = {
    completed: ['bind_passkey'],
    // What a cut-off leaves behind is evidence.
    revoked: [],
  };
  return {
    state: 'ended',
    outcome,
    reason,
    stepDeadlineMs: null,
    reminderAtMs: null,
    effects: effects[outcome] ?? ['erase_prospect'],
  };
}

/** Only an unproved number and a vendor who stays silent end a ceremony early; docs/decisions/0007-enrollment-deadlines.md says why. */
function stepDeadline(
  enrollment: Enrollment,
  target: EnrollmentState,
  nowMs: number,
): number | null {
  if (target === 'phone') return Math.min(nowMs + enrollment.stepMs, enrollment.deadlineMs);
  if (target === 'identity_check')
    return Math.min(nowMs + enrollment.identityCheckMs, enrollment.deadlineMs);
  return null;
}

const EFFECTS: { readonly [E in EnrollmentEvent]?: readonly EnrollmentEffect[] } = {
  opened: ['send_phone_code'],
  identity_submitted: ['open_identity_check'],
  email_submitted: ['send_email_code'],
  reminder_due: ['send_reminder'],
};

function effectsOf(state: EnrollmentState, event: EnrollmentEvent): readonly EnrollmentEffect[] {
  // Nobody is reminded of a check that only the vendor can go on with.
  if (state === 'identity_check' && event === 'reminder_due') return [];
  return EFFECTS[event] ?? [];
}

/** The row as the workflow holds it: what decides, its place in the order of moves, and the database's time at the reading. */
export interface EnrollmentSnapshot extends Enrollment {
  readonly reason: string | null;
  readonly seq: number;
  readonly nowMs: number;
  readonly maxUpdates: number;
}

export interface EnrollmentSubject {
  readonly tenantId: string;
  readonly enrollmentId: string;
}

/** The two steps that a sent code proves. */
export type CodeStep = 'phone' | 'email_code';
