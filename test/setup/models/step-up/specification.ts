/**
 * What a customer's step-ups must do, as a machine that takes one call at a time: SECURITY.md section 5 and the words. It is written from
 * those pages and must never be mended to what the code answers. Two uses of one approval, a use after a cut-off, of another action or by
 * somebody else are impossible in it by its form: only `approved` is used, and what was used is `ended`.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Specification } from '../linearizable.ts';
import type { Amount, Reference, Requester } from './actions.ts';
import type { Ask, Call, Code, Consume, End, Look, Open, Refused, Ring } from './calls.ts';

/** Milliseconds, and counts, of the policy that the model's tenant has. */
export interface ModelPolicy {
  readonly approveMs: number;
  readonly consumeMs: number;
  readonly submissionMs: number;
  readonly maxWrong: number;
  readonly denialsToPause: number;
  readonly denialWindowMs: number;
  readonly pauseMs: number;
  readonly unansweredToPause: number;
  readonly unansweredWindowMs: number;
}

interface ModelStepUp {
  readonly id: string;
  readonly requester: Requester;
  readonly reference: Reference;
  readonly amount: Amount;
  readonly required: string;
  readonly epoch: number;
  readonly state: 'starting' | 'open' | 'second_factor' | 'approved' | 'ended';
  /** Which end: `outcome/reason`. */
  readonly end: string;
  readonly approveByMs: number;
  readonly consumeByMs: number;
  readonly locale: string;
  readonly challenge: string;
  readonly wrong: number;
  /** The right code was given, and something else kept it from being followed. */
  readonly isCodeUsed: boolean;
  /** A cut-off came after it was used. */
  readonly usedUnder: number;
}

export interface ModelState {
  readonly epoch: number;
  readonly isHeld: boolean;
  readonly stepUps: readonly ModelStepUp[];
  readonly denials: readonly { readonly requester: Requester; readonly atMs: number }[];
}

const ENDS = {
  consumed: 'completed/consumed',
  not_me: 'denied/not_me',
  declined: 'denied/declined',
  wrong_codes: 'denied/wrong_codes',
  not_approved: 'expired/not_approved',
  not_consumed: 'expired/not_consumed',
  never_started: 'expired/never_started',
  cancel: 'cancelled/by_requester',
  superseded: 'cancelled/superseded',
  cut_off: 'revoked/cut_off',
} as const;

export function stepUpSpecification(policy: ModelPolicy): Specification<ModelState, Call> {
  return {
    first: { epoch: 1, isHeld: false, stepUps: [], denials: [] },
    // Asked, and then opened by its workflow.
    partsOf: (call) => (call.kind === 'ask' && 'id' in (call.answer ?? {}) ? 2 : 1),
    isOptional: ({ answer }) => answer === undefined,
    keyOf: (state) => JSON.stringify(state),
    next: (state, call, part) => {
      switch (call.kind) {
        case 'ask':
          return part === 0 ? afterAsk(state, call, policy) : afterOpened(state, call);
        case 'open':
          return afterOpen(state, call);
        case 'ring':
          return afterRing(state, call, policy);
        case 'code':
          return afterCode(state, call, policy);
        case 'not_me':
        case 'declined':
        case 'cancel':
          return afterEnd(state, call);
        case 'consume':
          return afterConsume(state, call);
        case 'cut off':
          return cutOff(state);
        case 'end rows':
          return each(state, (one) =>
            one.state !== 'ended' && one.epoch < call.newEpoch ? ended(one, 'cut_off') : one,
          );
        case 'release':
          return { ...state, isHeld: false };
        case 'sweep':
          return each(state, (one) => (isDue(one, call.nowMs) ? expired(one) : one));
        case 'look':
          return isSeen(state, call) ? state : undefined;
      }
    },
  };
}

function afterAsk(before: ModelState, call: Ask, policy: ModelPolicy): ModelState | undefined {
  const { requester, reference, nowMs, answer } = call;
  if (before.isHeld) return agrees(answer, 'customer_on_hold') ? before : undefined;
  const state = each(before, (one) => {
    if (one.requester !== requester || one.state === 'ended') return one;
    if (isDue(one, nowMs)) return expired(one);
    return one.reference === reference ? ended(one, 'superseded') : one;
  });
  const isWaiting = state.stepUps.some(
    (one) => one.requester === requester && one.state !== 'ended' && one.state !== 'approved',
  );
  if (isWaiting) return agrees(answer, 'step_up_pending') ? before : undefined;
  if (isPaused(state, requester, nowMs, policy))
    return agrees(answer, 'step_ups_paused') ? before : undefined;
  if (isUnanswered(state, requester, nowMs, policy))
    return agrees(answer, 'too_many_requests') ? before : undefined;
  if (answer === undefined || 'refused' in answer) return undefined;
  const asked: ModelStepUp = {
    ...call,
    id: answer.id,
    required: answer.required,
    epoch: state.epoch,
    state: 'starting',
    end: '',
    approveByMs: nowMs + policy.approveMs,
    consumeByMs: 0,
    locale: '',
    challenge: '',
    wrong: 0,
    isCodeUsed: false,
    usedUnder: 0,
  };
  return { ...state, stepUps: [...state.stepUps, only(asked)] };
}

/** Without what else stood in the call. */
function only({
  id,
  requester,
  reference,
  amount,
  required,
  epoch,
  state,
  end,
  approveByMs,
  consumeByMs,
  locale,
  challenge,
  wrong,
  isCodeUsed,
  usedUnder,
}: ModelStepUp): ModelStepUp {
  return {
    id,
    requester,
    reference,
    amount,
    required,
    epoch,
    state,
    end,
    approveByMs,
    consumeByMs,
    locale,
    challenge,
    wrong,
    isCodeUsed,
    usedUnder,
  };
}

function afterOpened(state: ModelState, { answer }: Ask): ModelState {
  const id = answer !== undefined && 'id' in answer ? answer.id : '';
  return each(state, (one) =>
    one.id === id && one.state === 'starting' ? { ...one, state: 'open' } : one,
  );
}

/** A session that a cut-off has ended lets no call in; a call that it had let in before is judged as any other. */
function isNobodys(state: ModelState, call: Open | End): boolean {
  if (state.isHeld) return agrees(call.answer, 'customer_on_hold');
  return call.sessionEpoch !== state.epoch && agrees(call.answer, 'session_ended');
}

function afterOpen(state: ModelState, call: Open): ModelState | undefined {
  if (isNobodys(state, call)) return state;
  const one = find(state, call.id);
  const refused =
    refusalIn(one, 'open') ??
    (call.nowMs >= one.approveByMs ? 'step_up_expired' : undefined) ??
    (one.epoch === state.epoch ? undefined : 'revoked');
  if (refused !== undefined) return agrees(call.answer, refused) ? state : undefined;
  if (call.answer === undefined || 'refused' in call.answer) return undefined;
  const { challenge, signs } = call.answer;
  // The text is of the action that was asked for; the same opening is the same challenge, another one another.
  if (signs !== one.amount) return undefined;
  if ((one.challenge !== '' && one.locale === call.locale) !== (one.challenge === challenge))
    return undefined;
  return put(state, { ...one, challenge, locale: call.locale });
}

function afterRing(state: ModelState, call: Ring, policy: ModelPolicy): ModelState | undefined {
  const one = find(state, call.id);
  // The workflow looks first: what has run out is over.
  if (isDue(one, call.nowMs))
    return agrees(call.answer, 'step_up_expired', 'closed') ? put(state, expired(one)) : undefined;
  const refused =
    refusalIn(one, 'open') ??
    (call.nowMs >= call.handedInAtMs + policy.submissionMs ? 'submission_expired' : undefined) ??
    (one.epoch === state.epoch ? undefined : 'revoked') ??
    (call.sessionEpoch === one.epoch ? undefined : 'session_ended') ??
    (call.challenge === one.challenge ? undefined : 'approval_invalid');
  if (refused !== undefined)
    return agrees(call.answer, refused, ...closedToo(one)) ? state : undefined;
  if (!isTaken(call.answer)) return undefined;
  return put(
    state,
    one.required === 'latchkey:4'
      ? { ...one, state: 'second_factor' }
      : { ...one, state: 'approved', consumeByMs: call.nowMs + policy.consumeMs },
  );
}

function afterCode(state: ModelState, call: Code, policy: ModelPolicy): ModelState | undefined {
  const one = find(state, call.id);
  // The workflow that waits for a code hands it on without a look: it is refused, and expires by itself.
  if (isDue(one, call.nowMs) && one.state === 'second_factor')
    return agrees(call.answer, 'step_up_expired') ? state : undefined;
  if (isDue(one, call.nowMs))
    return agrees(call.answer, 'step_up_expired', 'closed') ? put(state, expired(one)) : undefined;
  const refused = refusalIn(one, 'second_factor') ?? (one.isCodeUsed ? 'code_expired' : undefined);
  if (refused !== undefined)
    return agrees(call.answer, refused, ...closedToo(one)) ? state : undefined;
  if (!call.isRight) {
    const wrong = one.wrong + 1;
    if (wrong < policy.maxWrong)
      return agrees(call.answer, 'wrong_code') ? put(state, { ...one, wrong }) : undefined;
    return agrees(call.answer, 'attempts_exhausted')
      ? put(state, ended({ ...one, wrong }, 'wrong_codes'))
      : undefined;
  }
  if (one.epoch !== state.epoch)
    return agrees(call.answer, 'revoked') ? put(state, { ...one, isCodeUsed: true }) : undefined;
  if (!isTaken(call.answer)) return undefined;
  return put(state, {
    ...one,
    state: 'approved',
    isCodeUsed: true,
    consumeByMs: call.nowMs + policy.consumeMs,
  });
}

function afterEnd(state: ModelState, call: End): ModelState | undefined {
  const { kind, requester, answer } = call;
  if (requester === undefined && isNobodys(state, call)) return state;
  const one = find(state, call.id);
  if (requester !== undefined && requester !== one.requester)
    return agrees(answer, 'step_up_not_found') ? state : undefined;
  if (one.state === 'ended') {
    if (one.end === ENDS[kind]) return agrees(answer, { isTaken: true }) ? state : undefined;
    return agrees(answer, refusalOfEnd(one)) ? state : undefined;
  }
  if (!agrees(answer, { isTaken: true })) return undefined;
  const over = put(state, ended(one, kind));
  if (kind === 'cancel') return over;
  const denials = [...over.denials, { requester: one.requester, atMs: call.nowMs }];
  const denied = { ...over, denials };
  return kind === 'not_me' ? cutOff(denied) : denied;
}

function afterConsume(state: ModelState, call: Consume): ModelState | undefined {
  const { answer, nowMs } = call;
  const one = find(state, call.id);
  if (call.requester !== one.requester)
    return agrees(answer, 'step_up_not_found') ? state : undefined;
  if (call.amount !== one.amount) return agrees(answer, 'action_mismatch') ? state : undefined;
  if (one.end === ENDS.consumed) {
    const isRevokedSince = state.epoch > one.usedUnder;
    return agrees(answer, { isRepeat: true, isRevokedSince }) ? state : undefined;
  }
  const refused =
    (one.state === 'ended' ? refusalOfEnd(one) : undefined) ??
    (one.state === 'approved' ? undefined : 'step_up_not_approved') ??
    (nowMs >= one.consumeByMs ? 'step_up_expired' : undefined) ??
    (one.epoch === state.epoch ? undefined : 'revoked');
  if (refused !== undefined) return agrees(answer, refused) ? state : undefined;
  if (!agrees(answer, { isRepeat: false, isRevokedSince: false })) return undefined;
  return put(state, { ...ended(one, 'consumed'), usedUnder: state.epoch });
}

function cutOff(state: ModelState): ModelState {
  return { ...state, epoch: state.epoch + 1, isHeld: true };
}

function isSeen(state: ModelState, { answer }: Look): boolean {
  const stepUps = Object.fromEntries(
    state.stepUps.map((one) => [one.id, one.state === 'ended' ? one.end : one.state]),
  );
  const counted = state.stepUps.filter((one) => one.state !== 'ended' || one.end === ENDS.consumed);
  const totalMinor = counted.reduce((sum, { amount }) => sum + Number(amount) * 100, 0);
  return isDeepStrictEqual(answer, {
    epoch: state.epoch,
    isHeld: state.isHeld,
    totalMinor,
    uses: state.stepUps.filter(({ end }) => end === ENDS.consumed).length,
    stepUps,
  });
}

function isPaused(
  { denials }: ModelState,
  requester: Requester,
  nowMs: number,
  { denialsToPause, denialWindowMs, pauseMs }: ModelPolicy,
): boolean {
  const times = denials
    .filter((one) => one.requester === requester)
    .map(({ atMs }) => atMs)
    .slice(-denialsToPause);
  const [first = 0, last = 0] = [times.at(0), times.at(-1)];
  return (
    times.length === denialsToPause && last - first <= denialWindowMs && nowMs < last + pauseMs
  );
}

const UNANSWERED: readonly string[] = [ENDS.superseded, ENDS.cancel, ENDS.not_approved];

function isUnanswered(
  { stepUps }: ModelState,
  requester: Requester,
  nowMs: number,
  { approveMs, unansweredToPause, unansweredWindowMs }: ModelPolicy,
): boolean {
  const lately = stepUps.filter(
    (one) =>
      one.requester === requester &&
      UNANSWERED.includes(one.end) &&
      one.approveByMs - approveMs > nowMs - unansweredWindowMs,
  );
  return lately.length >= unansweredToPause;
}

/** What is not in that state, in the words that say why. */
function refusalIn(one: ModelStepUp, state: ModelStepUp['state']): string | undefined {
  if (one.state === state) return undefined;
  return one.state === 'ended' ? refusalOfEnd(one) : 'wrong_step';
}

function refusalOfEnd({ end }: ModelStepUp): string {
  if (end.startsWith('expired')) return 'step_up_expired';
  return end.startsWith('revoked') ? 'revoked' : 'step_up_ended';
}

/** The workflow of what has ended may be gone, and with it who would say why. */
const closedToo = ({ state }: ModelStepUp) => (state === 'ended' ? ['closed'] : []);

function isDue(one: ModelStepUp, nowMs: number): boolean {
  if (one.state === 'ended') return false;
  return nowMs >= (one.state === 'approved' ? one.consumeByMs : one.approveByMs);
}

function expired(one: ModelStepUp): ModelStepUp {
  if (one.state === 'approved') return ended(one, 'not_consumed');
  return ended(one, one.state === 'starting' ? 'never_started' : 'not_approved');
}

function ended(one: ModelStepUp, end: keyof typeof ENDS): ModelStepUp {
  return { ...one, state: 'ended', end: ENDS[end] };
}

function find({ stepUps }: ModelState, id: string): ModelStepUp {
  const one = stepUps.find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error('nobody knows a step-up before it was asked for');
  return one;
}

function each(state: ModelState, change: (one: ModelStepUp) => ModelStepUp): ModelState {
  return { ...state, stepUps: state.stepUps.map(change) };
}

function put(state: ModelState, changed: ModelStepUp): ModelState {
  return each(state, (one) => (one.id === changed.id ? changed : one));
}

/** Nobody heard: anything may have been said. */
function agrees(answer: object | undefined, ...expected: readonly (string | object)[]): boolean {
  if (answer === undefined) return true;
  return expected.some((one) =>
    isDeepStrictEqual(answer, typeof one === 'string' ? { refused: one } : one),
  );
}

function isTaken(answer: Ring['answer'] | Refused): boolean {
  return answer === undefined || !('refused' in answer);
}
