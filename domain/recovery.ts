/**
 * Account recovery as a pure state machine: a contact and the person are proved, people look at the case, the owner has time to object, then
 * a new phone is bound, or it ends and the account is as it was. Workflow, activities and API act on what `transition` answers and never
 * name a next state themselves. It knows no clock, no store and no secret. docs/flows/recovery.mermaid draws the same table.
 */
import type { CeremonyOutcome } from './enrollment.ts';
import type { ErrorCode } from './errors.ts';
import type { MissingFactor } from './factor-ledger.ts';

export const RECOVERY_STATES = [
  'starting',
  'contact',
  'identity',
  'review',
  'cooling',
  'rebind',
  'held',
  'ended',
] as const;
export type RecoveryState = (typeof RECOVERY_STATES)[number];

/** What the customer says happened to the old phone. Of the first two somebody else may hold it. */
export const RECOVERY_REPORTS = ['lost', 'stolen', 'broken', 'replaced'] as const;
export type RecoveryReport = (typeof RECOVERY_REPORTS)[number];

export const RECOVERY_REASONS = [
  'completed',
  'identity_not_proved',
  'refused_by_staff',
  'vetoed',
  'step_timeout',
  'abandoned',
  'never_started',
  'cancelled_by_customer',
] as const;
export type RecoveryReason = (typeof RECOVERY_REASONS)[number];

/** Facts, as activities, timers and the API report them. */
export const RECOVERY_EVENTS = [
  'opened',
  /** A factor was written into the ledger. */
  'factor_recorded',
  'liveness_failed',
  'liveness_exhausted',
  /** As many people as the policy asks for have approved the case as it stands. */
  'approved',
  /** Whoever reviews it wants the person proved anew. */
  'sent_back',
  'refused',
  'cooling_over',
  /** By the owner's passkey and approval key on an old phone that nobody reported. */
  'cooling_shortened',
  'rebound',
  /** By the owner, so proved. */
  'vetoed',
  /** By a mailbox alone, or from a phone that was reported: somebody has to look. */
  'veto_doubted',
  'fraud_signalled',
  'released',
  'review_overdue',
  'step_expired',
  'deadline_passed',
  'start_expired',
  'cancelled',
] as const;
export type RecoveryEvent = (typeof RECOVERY_EVENTS)[number];

/** What the transaction that moves the row must do with it. */
export type RecoveryEffect =
  /** Tell every contact and phone of the customer that a case is open, with the way to stop it. */
  | 'notify_opened'
  /** Tell them until when they may object. */
  | 'notify_cooling'
  /** Tell whoever asked that the new phone may be bound now. */
  | 'notify_ready'
  | 'notify_ended'
  /** Bring it before a supervisor: nobody took it in time, or somebody objected. */
  | 'escalate'
  /** What was approved is no more what stands. */
  | 'void_approvals'
  /** The person is proved anew. */
  | 'void_identity'
  /** Follow the customer's epoch as it is now. */
  | 'pin_epoch'
  /** The new phone and passkey, a new epoch, the end of everything old, lower limits for a while. */
  | 'bind';

/** How long each part may take, from the policy that the case pinned. */
export interface RecoveryTimes {
  readonly contactMs: number;
  readonly identityMs: number;
  readonly reviewMs: number;
  /** Somebody should have taken it by then. */
  readonly reviewSlaMs: number;
  readonly coolingMs: number;
  /** Nobody shortens it further. */
  readonly coolingFloorMs: number;
  readonly rebindMs: number;
}

/** The rows that decide. Times are absolute but for `times`. */
export interface Recovery {
  readonly state: RecoveryState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: RecoveryReason | null;
  /** What the ledger lacks under the case's epoch. */
  readonly missing: readonly MissingFactor[];
  /** How many people must approve; 0 where policy leaves it to the ledger. */
  readonly people: 0 | 1 | 2;
  readonly deadlineMs: number;
  readonly stepDeadlineMs: number | null;
  /** When the review is overdue; null once that was said, and where nobody reviews. */
  readonly reviewDueMs: number | null;
  /** Null until it has begun. */
  readonly coolingFromMs: number | null;
  readonly heldAtMs: number | null;
  readonly times: RecoveryTimes;
}

export interface RecoveryMove {
  readonly state: RecoveryState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: RecoveryReason | null;
  readonly deadlineMs: number;
  readonly stepDeadlineMs: number | null;
  readonly reviewDueMs: number | null;
  readonly coolingFromMs: number | null;
  readonly heldAtMs: number | null;
  readonly effects: readonly RecoveryEffect[];
}

export type RecoveryTransition =
  | { readonly move: RecoveryMove }
  /** The fact belongs here but changes nothing of the case: a failed check is counted on its attempt. */
  | { readonly stay: true }
  | { readonly refused: ErrorCode };

interface Ending {
  readonly outcome: CeremonyOutcome;
  readonly reason: RecoveryReason;
}

/** `next`: the first thing that is still missing. */
type Target = Exclude<RecoveryState, 'ended' | 'starting'> | 'next' | Ending;
type Row = { readonly [E in RecoveryEvent]?: Target };

const REFUSED: Ending = { outcome: 'denied', reason: 'refused_by_staff' };
const VETOED: Ending = { outcome: 'denied', reason: 'vetoed' };
const CANCELLED: Ending = { outcome: 'cancelled', reason: 'cancelled_by_customer' };
const ABANDONED: Ending = { outcome: 'expired', reason: 'abandoned' };
const STEP_TIMEOUT: Ending = { outcome: 'expired', reason: 'step_timeout' };
const NEVER_STARTED: Ending = { outcome: 'expired', reason: 'never_started' };

/** Until a phone is bound, the owner, staff and fraud may each stop it. */
const ANYWHERE = {
  refused: REFUSED,
  vetoed: VETOED,
  veto_doubted: 'held',
  fraud_signalled: 'held',
  cancelled: CANCELLED,
  deadline_passed: ABANDONED,
} as const satisfies Row;

const TABLE: { readonly [S in RecoveryState]: Row } = {
  starting: {
    opened: 'next',
    vetoed: VETOED,
    fraud_signalled: 'held',
    cancelled: CANCELLED,
    start_expired: NEVER_STARTED,
    deadline_passed: NEVER_STARTED,
  },
  contact: { ...ANYWHERE, factor_recorded: 'next', step_expired: STEP_TIMEOUT },
  identity: {
    ...ANYWHERE,
    factor_recorded: 'next',
    liveness_failed: 'identity',
    liveness_exhausted: { outcome: 'denied', reason: 'identity_not_proved' },
    step_expired: STEP_TIMEOUT,
  },
  review: {
    ...ANYWHERE,
    factor_recorded: 'review',
    approved: 'cooling',
    sent_back: 'next',
    review_overdue: 'review',
    step_expired: STEP_TIMEOUT,
  },
  cooling: { ...ANYWHERE, sent_back: 'next', cooling_over: 'rebind', cooling_shortened: 'rebind' },
  rebind: {
    ...ANYWHERE,
    rebound: { outcome: 'completed', reason: 'completed' },
    step_expired: STEP_TIMEOUT,
  },
  held: { released: 'next', refused: REFUSED, vetoed: VETOED, fraud_signalled: 'held' },
  ended: {},
};

/** Says what follows from `event` at `nowMs` (the database's time). Refuses with the code that the caller is shown. */
export function transition(
  recovery: Recovery,
  event: RecoveryEvent,
  nowMs: number,
): RecoveryTransition {
  const target = TABLE[recovery.state][event];
  if (target === undefined) return { refused: refusalOf(recovery) };
  const guarded = GUARDS[event]?.(recovery, nowMs);
  if (guarded !== undefined) return { refused: guarded };
  if (isWithoutMove(recovery, event)) return { stay: true };
  if (typeof target === 'object') return { move: ended(recovery, target, event) };
  return { move: going(recovery, event, target, nowMs) };
}

/** The code for what is not due here. */
export function refusalOf({ state, outcome }: Pick<Recovery, 'state' | 'outcome'>): ErrorCode {
  if (state === 'held') return 'recovery_held';
  if (state !== 'ended') return 'wrong_step';
  return outcome === 'expired' ? 'ceremony_expired' : 'ceremony_ended';
}

/** The timer that has run out by `nowMs`; none runs while the case is held. */
export function dueEvent(recovery: Recovery, nowMs: number): RecoveryEvent | undefined {
  return timers(recovery).find(({ atMs }) => nowMs >= atMs)?.event;
}

/** When a timer next runs out; Infinity when none is running. */
export function nextDueMs(recovery: Recovery): number {
  return Math.min(...timers(recovery).map(({ atMs }) => atMs), Infinity);
}

/** When the customer's time to object is over. */
export function coolingOverMs({ coolingFromMs, times }: Recovery): number {
  return coolingFromMs === null ? Infinity : coolingFromMs + times.coolingMs;
}

/** What comes first when several have run out together. */
function timers(recovery: Recovery): { readonly event: RecoveryEvent; readonly atMs: number }[] {
  const { state, deadlineMs, stepDeadlineMs, reviewDueMs } = recovery;
  if (state === 'ended' || state === 'held') return [];
  return [
    { event: 'deadline_passed', atMs: deadlineMs },
    { event: 'step_expired', atMs: stepDeadlineMs ?? Infinity },
    { event: 'cooling_over', atMs: state === 'cooling' ? coolingOverMs(recovery) : Infinity },
    { event: 'review_overdue', atMs: state === 'review' ? (reviewDueMs ?? Infinity) : Infinity },
  ];
}

type Guard = (recovery: Recovery, nowMs: number) => ErrorCode | undefined;

const inTime: Guard = ({ deadlineMs, stepDeadlineMs }, nowMs) =>
  nowMs >= Math.min(deadlineMs, stepDeadlineMs ?? Infinity) ? 'ceremony_expired' : undefined;
const proved: Guard = (recovery, nowMs) =>
  recovery.missing.length > 0 ? 'factors_missing' : inTime(recovery, nowMs);
const since =
  (atMs: (recovery: Recovery) => number, refused: ErrorCode): Guard =>
  (recovery, nowMs) =>
    nowMs < atMs(recovery) ? refused : undefined;

/** What must hold beside the state. */
const GUARDS: { readonly [E in RecoveryEvent]?: Guard } = {
  factor_recorded: inTime,
  approved: proved,
  rebound: proved,
  cooling_over: since(coolingOverMs, 'cooling_off'),
  cooling_shortened: since(
    ({ coolingFromMs, times }) => (coolingFromMs ?? Infinity) + times.coolingFloorMs,
    'cooling_off',
  ),
  deadline_passed: since(({ deadlineMs }) => deadlineMs, 'conflict'),
  step_expired: since(({ stepDeadlineMs }) => stepDeadlineMs ?? Infinity, 'conflict'),
  review_overdue: since(({ reviewDueMs }) => reviewDueMs ?? Infinity, 'conflict'),
};

/** A further proof of what is proved, or a check that failed: written down where it belongs, and the case stays as it is. */
function isWithoutMove({ state, missing }: Recovery, event: RecoveryEvent): boolean {
  if (event === 'liveness_failed') return true;
  if (event === 'fraud_signalled' && state === 'held') return true;
  if (event !== 'factor_recorded') return false;
  return firstMissing(missing) === state || state === 'review';
}

function firstMissing(missing: readonly MissingFactor[]): 'contact' | 'identity' | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  return first === 'identity' ? 'identity' : 'contact';
}

function going(
  recovery: Recovery,
  event: RecoveryEvent,
  target: Exclude<Target, Ending>,
  nowMs: number,
): RecoveryMove {
  const effects = [...(EFFECTS[event] ?? [])];
  const state = target === 'next' ? nextStep(recovery, event) : target;
  // What stood still while it was held has that much longer.
  const stoodMs =
    event === 'released' && recovery.heldAtMs !== null ? nowMs - recovery.heldAtMs : 0;
  const isOverdue = event === 'review_overdue';
  return {
    state,
    outcome: null,
    reason: null,
    deadlineMs: recovery.deadlineMs + stoodMs,
    stepDeadlineMs: isOverdue ? recovery.stepDeadlineMs : stepDeadline(recovery, state, nowMs),
    reviewDueMs: state === 'review' && !isOverdue ? nowMs + recovery.times.reviewSlaMs : null,
    coolingFromMs: state === 'cooling' ? nowMs : null,
    heldAtMs: state === 'held' ? (recovery.heldAtMs ?? nowMs) : null,
    effects: [...effects, ...(STATE_EFFECTS[state] ?? [])],
  };
}

/** What is due once everything before it is there; after a release or a return the person is proved anew, whatever the ledger holds. */
function nextStep({ missing, people }: Recovery, event: RecoveryEvent): RecoveryState {
  const first = firstMissing(missing);
  if (first === 'contact') return 'contact';
  if (first === 'identity' || event === 'released' || event === 'sent_back') return 'identity';
  return people === 0 ? 'cooling' : 'review';
}

function stepDeadline({ times }: Recovery, state: RecoveryState, nowMs: number): number | null {
  switch (state) {
    case 'contact':
      return nowMs + times.contactMs;
    case 'identity':
      return nowMs + times.identityMs;
    case 'review':
      return nowMs + times.reviewMs;
    case 'rebind':
      return nowMs + times.rebindMs;
    case 'starting':
    case 'cooling':
    case 'held':
    case 'ended':
      return null;
  }
}

const EFFECTS: { readonly [E in RecoveryEvent]?: readonly RecoveryEffect[] } = {
  opened: ['notify_opened'],
  sent_back: ['void_identity', 'void_approvals'],
  veto_doubted: ['void_approvals', 'escalate'],
  fraud_signalled: ['void_approvals', 'escalate'],
  released: ['pin_epoch', 'void_identity', 'void_approvals'],
  review_overdue: ['escalate'],
};

const STATE_EFFECTS: { readonly [S in RecoveryState]?: readonly RecoveryEffect[] } = {
  cooling: ['notify_cooling'],
  rebind: ['notify_ready'],
};

function ended(
  recovery: Recovery,
  { outcome, reason }: Ending,
  event: RecoveryEvent,
): RecoveryMove {
  return {
    state: 'ended',
    outcome,
    reason,
    deadlineMs: recovery.deadlineMs,
    stepDeadlineMs: null,
    reviewDueMs: null,
    coolingFromMs: recovery.coolingFromMs,
    heldAtMs: null,
    effects: event === 'rebound' ? ['bind', 'notify_ended'] : ['notify_ended'],
  };
}

/** The rows as the workflow holds them: what decides, the place in the order of moves, and the database's time at the reading. */
export interface RecoverySnapshot extends Recovery {
  readonly seq: number;
  readonly nowMs: number;
  readonly maxUpdates: number;
}

export interface RecoverySubject {
  readonly tenantId: string;
  readonly recoveryId: string;
}
