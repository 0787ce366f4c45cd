/**
 * A step-up as a pure state machine: the customer proves one action with passkey and approval key (and a code, when the value is high), the
 * requester uses that once, or it ends and says why. Workflow, activities and API act on what `transition` answers and never name a next
 * state themselves. It knows no clock, no store and no secret. docs/flows/step-up.mermaid draws the same table.
 */
import type { CeremonyOutcome } from './enrollment.ts';
import type { ErrorCode } from './errors.ts';

export const STEP_UP_STATES = ['starting', 'open', 'second_factor', 'approved', 'ended'] as const;
export type StepUpState = (typeof STEP_UP_STATES)[number];

/** One of these at a time for a requester and a customer. */
export const PENDING_STATES = ['starting', 'open', 'second_factor'] as const;

export const STEP_UP_REASONS = [
  'consumed',
  'not_me',
  'declined',
  'wrong_codes',
  'risk',
  'not_approved',
  'not_consumed',
  'never_started',
  'by_requester',
  'superseded',
  'cut_off',
] as const;
export type StepUpReason = (typeof STEP_UP_REASONS)[number];

export const REQUESTER_KINDS = ['client', 'staff', 'login'] as const;

/** Who asked and may use it: a machine client, a member of staff (a verified call), or the login endpoint itself. */
export interface StepUpRequester {
  readonly kind: (typeof REQUESTER_KINDS)[number];
  readonly id: string;
}

/** What must be proved: latchkey:3 is passkey and approval key, latchkey:4 a code by another channel too. */
export type StepUpStrength = 'latchkey:3' | 'latchkey:4';

/** Facts, as activities, timers and the API report them. */
export const STEP_UP_EVENTS = [
  'opened',
  'keys_proved',
  'code_matched',
  'code_wrong',
  'code_expired',
  'code_resent',
  'code_exhausted',
  'risk_refused',
  'not_me',
  'declined',
  'cancelled',
  'superseded',
  'consumed',
  'deadline_passed',
  'start_expired',
  'revoked',
] as const;
export type StepUpEvent = (typeof STEP_UP_EVENTS)[number];

/** What the transaction that moves the row must do with it. */
export type StepUpEffect =
  /** Tell the customer's devices that there is something to look at. */
  | 'send_push'
  /** Write what the customer proved, as evidence. */
  | 'record_keys'
  | 'send_code'
  | 'record_code'
  /** Tell the requester who wants to be called. */
  | 'call_back'
  /** Have the receipt of the approval signed, when the key management has time for it. */
  | 'seal_receipt'
  /** Take its amount out of the day's total. */
  | 'give_back';

/** The part of the rows that decides. Times are absolute, from the policy that the ceremony pinned. */
export interface StepUp {
  readonly state: StepUpState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: StepUpReason | null;
  readonly required: StepUpStrength;
  /** A login has shown its passkey before it asks: only the code is left. */
  readonly isLogin: boolean;
  readonly approveByMs: number;
  /** Both null until it is approved. */
  readonly consumableAtMs: number | null;
  readonly consumeByMs: number | null;
  /** How long it may be used, and how long after the approval it must not be yet. */
  readonly consumeMs: number;
  readonly delayMs: number;
}

export interface StepUpMove {
  readonly state: StepUpState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: StepUpReason | null;
  readonly consumableAtMs: number | null;
  readonly consumeByMs: number | null;
  readonly effects: readonly StepUpEffect[];
}

export type StepUpTransition =
  | { readonly move: StepUpMove }
  /** The fact belongs here but changes nothing: a wrong code is counted on its attempt. */
  | { readonly stay: true }
  | { readonly refused: ErrorCode };

interface Ending {
  readonly outcome: CeremonyOutcome;
  readonly reason: StepUpReason;
}

/** `proved`: what follows depends on how much was asked for. */
type Target = Exclude<StepUpState, 'ended'> | 'proved' | Ending;
type Row = { readonly [E in StepUpEvent]?: Target };

/** Until it is used, the customer, the requester, risk and fraud may each end it. */
const ANYWHERE = {
  not_me: { outcome: 'denied', reason: 'not_me' },
  declined: { outcome: 'denied', reason: 'declined' },
  risk_refused: { outcome: 'denied', reason: 'risk' },
  cancelled: { outcome: 'cancelled', reason: 'by_requester' },
  superseded: { outcome: 'cancelled', reason: 'superseded' },
  revoked: { outcome: 'revoked', reason: 'cut_off' },
} as const satisfies Row;

const NEVER_STARTED: Ending = { outcome: 'expired', reason: 'never_started' };
const NOT_APPROVED: Ending = { outcome: 'expired', reason: 'not_approved' };

const TABLE: { readonly [S in StepUpState]: Row } = {
  starting: {
    ...ANYWHERE,
    opened: 'open',
    start_expired: NEVER_STARTED,
    deadline_passed: NEVER_STARTED,
  },
  open: { ...ANYWHERE, keys_proved: 'proved', deadline_passed: NOT_APPROVED },
  second_factor: {
    ...ANYWHERE,
    code_matched: 'approved',
    code_wrong: 'second_factor',
    code_expired: 'second_factor',
    code_resent: 'second_factor',
    code_exhausted: { outcome: 'denied', reason: 'wrong_codes' },
    deadline_passed: NOT_APPROVED,
  },
  approved: {
    ...ANYWHERE,
    consumed: { outcome: 'completed', reason: 'consumed' },
    deadline_passed: { outcome: 'expired', reason: 'not_consumed' },
  },
  ended: {},
};

/** What the customer proves: too late once the time to approve has run out, even before its timer has ended the row. */
const PROOFS: ReadonlySet<StepUpEvent> = new Set([
  'keys_proved',
  'code_matched',
  'code_wrong',
  'code_resent',
]);

/** Facts that change nothing on the row. */
const WITHOUT_MOVE: ReadonlySet<StepUpEvent> = new Set([
  'code_wrong',
  'code_expired',
  'code_resent',
]);

/** Says what follows from `event` at `nowMs` (the database's time). Refuses with the code that the caller is shown. */
export function transition(stepUp: StepUp, event: StepUpEvent, nowMs: number): StepUpTransition {
  const target = TABLE[stepUp.state][event];
  if (target === undefined) return { refused: refusalOf(stepUp, event) };
  if (PROOFS.has(event) && nowMs >= stepUp.approveByMs) return { refused: 'step_up_expired' };
  if (event === 'consumed' && !isConsumable(stepUp, nowMs))
    return { refused: nowMs >= lastMomentMs(stepUp) ? 'step_up_expired' : 'step_up_delayed' };
  if (event === 'deadline_passed' && nowMs < lastMomentMs(stepUp)) return { refused: 'conflict' };
  if (WITHOUT_MOVE.has(event)) return { stay: true };
  if (typeof target === 'object') return { move: ended(stepUp, target) };
  return { move: going(stepUp, stateAfter(stepUp, target), event, nowMs) };
}

/** The code for what is not due: the end of a step-up says which end it was. */
export function refusalOf(
  { state, outcome }: Pick<StepUp, 'state' | 'outcome'>,
  event?: StepUpEvent,
): ErrorCode {
  if (state === 'ended') {
    if (outcome === 'expired') return 'step_up_expired';
    return outcome === 'revoked' ? 'revoked' : 'step_up_ended';
  }
  return event === 'consumed' ? 'step_up_not_approved' : 'wrong_step';
}

/** Facts that the caller whose guess found them is told as a refusal. */
export const REFUSED_STEP_UP_GUESSES: { readonly [E in StepUpEvent]?: ErrorCode } = {
  code_wrong: 'wrong_code',
  code_expired: 'code_expired',
  code_exhausted: 'attempts_exhausted',
};

/** The timer that has run out by `nowMs`. */
export function dueEvent(stepUp: StepUp, nowMs: number): StepUpEvent | undefined {
  if (stepUp.state === 'ended') return undefined;
  return nowMs >= lastMomentMs(stepUp) ? 'deadline_passed' : undefined;
}

/** When a timer next runs out; Infinity once it has ended. */
export function nextDueMs(stepUp: StepUp): number {
  return stepUp.state === 'ended' ? Infinity : lastMomentMs(stepUp);
}

function lastMomentMs({ state, approveByMs, consumeByMs }: StepUp): number {
  return state === 'approved' ? (consumeByMs ?? approveByMs) : approveByMs;
}

function isConsumable(stepUp: StepUp, nowMs: number): boolean {
  const { consumableAtMs } = stepUp;
  return consumableAtMs !== null && nowMs >= consumableAtMs && nowMs < lastMomentMs(stepUp);
}

function stateAfter(
  { required, isLogin }: StepUp,
  target: Exclude<Target, Ending>,
): Exclude<StepUpState, 'ended'> {
  if (target === 'open') return isLogin ? 'second_factor' : 'open';
  if (target !== 'proved') return target;
  return required === 'latchkey:4' ? 'second_factor' : 'approved';
}

function going(
  stepUp: StepUp,
  state: Exclude<StepUpState, 'ended'>,
  event: StepUpEvent,
  nowMs: number,
): StepUpMove {
  const isApproval = state === 'approved';
  const consumableAtMs = isApproval ? nowMs + stepUp.delayMs : null;
  return {
    state,
    outcome: null,
    reason: null,
    consumableAtMs,
    // From when it may be used, so that a delay takes nothing from that time.
    consumeByMs: consumableAtMs === null ? null : consumableAtMs + stepUp.consumeMs,
    effects: [
      ...(EFFECTS[event] ?? []),
      ...(state === 'second_factor' ? (['send_code'] as const) : []),
      ...(state === 'open' ? (['send_push'] as const) : []),
      ...(isApproval ? (['call_back'] as const) : []),
      // A login's passkey stood before it: there is nothing to prove.
      ...(isApproval && !stepUp.isLogin ? (['seal_receipt'] as const) : []),
    ],
  };
}

const EFFECTS: { readonly [E in StepUpEvent]?: readonly StepUpEffect[] } = {
  keys_proved: ['record_keys'],
  code_matched: ['record_code'],
};

function ended(stepUp: StepUp, { outcome, reason }: Ending): StepUpMove {
  return {
    state: 'ended',
    outcome,
    reason,
    consumableAtMs: stepUp.consumableAtMs,
    consumeByMs: stepUp.consumeByMs,
    effects: outcome === 'completed' ? [] : ['give_back', 'call_back'],
  };
}

/** The rows as the workflow holds them: what decides, the place in the order of moves, and the database's time at the reading. */
export interface StepUpSnapshot extends StepUp {
  readonly seq: number;
  readonly nowMs: number;
  readonly maxUpdates: number;
}

export interface StepUpSubject {
  readonly tenantId: string;
  readonly stepUpId: string;
}
