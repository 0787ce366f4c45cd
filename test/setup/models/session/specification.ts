/**
 * What one customer's sessions must do, as a machine that takes one call at a time: the table of SECURITY.md section 2, DESIGN.md's "What stops
 * what" and the limits. It is written from those pages and must never be mended to what the code answers.
 */
import { isDeepStrictEqual } from 'node:util';
import { DEFAULT_POLICY } from '../../../../domain/policy.ts';
import type { Specification } from '../linearizable.ts';
import { end, find, refusalOf, replace } from './model-state.ts';
import type { Lifetimes, ModelSession, ModelState } from './model-state.ts';
import type {
  Call,
  EndOne,
  GivenBack,
  Introspection,
  Login,
  Logout,
  Look,
  Refresh,
  SeenRow,
} from './calls.ts';

const { skewSeconds } = DEFAULT_POLICY.dpop;
const ACCESS_TOKEN_SECONDS = 300;
const MAX_REDELIVERIES = 5;
const MAX_TROUBLED = 3;

type Refused = { readonly refused: string };

export function sessionSpecification(lifetimes: Lifetimes): Specification<ModelState, Call> {
  return {
    first: { epoch: 1, raisedAtMs: null, isHeld: false, sessions: [], spent: [] },
    partsOf,
    isOptional: ({ answer }) => answer === undefined,
    keyOf: (state) => JSON.stringify(state),
    next: (state, call, part) => {
      switch (call.kind) {
        case 'login':
          return afterLogin(state, call, lifetimes);
        case 'refresh':
          return afterRefresh(state, call, { part, lifetimes });
        case 'check':
          return agrees(call.answer, atTheGateway(judge(state, call, lifetimes)))
            ? state
            : undefined;
        case 'logout':
        case 'end one':
          return afterLogout(state, call, part, lifetimes);
        case 'introspect':
          return isTold(state, call, lifetimes) ? state : undefined;
        case 'give back':
          return afterGivenBack(state, call);
        case 'cut off':
          return call.answer !== undefined && call.answer.epoch !== state.epoch + 1
            ? undefined
            : { ...state, epoch: state.epoch + 1, isHeld: true, raisedAtMs: call.nowMs };
        case 'release':
          // Which of the two it is depends on a history that is no business of sessions.
          return isRefused(call.answer) === state.isHeld ? undefined : { ...state, isHeld: false };
        case 'look':
          return isSeen(state, call) ? state : undefined;
      }
    },
  };
}

/** Who may log out is asked before it is done; all else happens in one moment, and what nobody heard of that changes nothing in none. */
function partsOf(call: Call): number {
  const { kind, answer } = call;
  const asksOnly = kind === 'check' || kind === 'introspect';
  if (asksOnly && answer === undefined) return 0;
  // A proof may be spent before its refresh is judged: whoever shows it again in between is told so.
  if (kind === 'refresh' && call.isShownTwice && isJudged(answer)) return 2;
  return (kind === 'logout' || kind === 'end one') && !isRefused(answer) ? 2 : 1;
}

/** Its proof was the first to come. */
function isJudged(answer: object | undefined): boolean {
  return answer !== undefined && !(isRefused(answer) && answer.refused === 'dpop_proof_replayed');
}

function isRefused(answer: object | undefined): answer is Refused {
  return answer !== undefined && 'refused' in answer;
}

/** A refusal must be the one; whatever else was answered, there must be none. */
function agrees(answer: object | undefined, refusal: string | undefined): boolean {
  if (answer === undefined) return refusal === undefined;
  return isRefused(answer) ? answer.refused === refusal : refusal === undefined;
}

/** A call with an access token. */
function judge(
  state: ModelState,
  call: Pick<Logout, 'sessionId' | 'expiresAtMs' | 'nowMs' | 'isKeyRight'>,
  lifetimes: Lifetimes,
): string | undefined {
  if (call.nowMs >= call.expiresAtMs) return 'token_expired';
  if (!call.isKeyRight) return 'dpop_key_mismatch';
  return refusalOf(state, find(state, call.sessionId), call.nowMs, lifetimes);
}

/** A hold cut the token off before: at a gateway it is one that was revoked. */
function atTheGateway(refusal: string | undefined): string | undefined {
  return refusal === 'customer_on_hold' ? 'session_ended' : refusal;
}

function afterLogin(
  state: ModelState,
  { answer, holder, sessionId, nowMs }: Login,
  lifetimes: Lifetimes,
): ModelState | undefined {
  const earlyMs = state.raisedAtMs === null ? -Infinity : state.raisedAtMs + skewSeconds * 1000;
  const isUnsure = Math.abs(nowMs - earlyMs) < lifetimes.unsureMs;
  const isEarly = isUnsure ? isRefused(answer) : nowMs <= earlyMs;
  const refusal = state.isHeld ? 'customer_on_hold' : isEarly ? 'challenge_invalid' : undefined;
  if (!agrees(answer, refusal)) return undefined;
  if (refusal !== undefined) return state;
  const begun: ModelSession = {
    id: sessionId,
    holder,
    isLive: true,
    epoch: state.epoch,
    generation: 0,
    madeBy: null,
    redeliveries: 0,
    troubled: 0,
    startedMs: nowMs,
    seenMs: nowMs,
  };
  if (!promisesRight(answer, begun, nowMs, lifetimes)) return undefined;
  const older = state.sessions.map((one) =>
    one.holder === holder ? { ...one, isLive: false } : one,
  );
  return { ...state, sessions: [...older, begun] };
}

function afterRefresh(
  before: ModelState,
  call: Refresh,
  { part, lifetimes }: { readonly part: number; readonly lifetimes: Lifetimes },
): ModelState | undefined {
  const { answer, nowMs } = call;
  if (!call.isKeyRight) return agrees(answer, 'dpop_key_mismatch') ? before : undefined;
  const isSpent = before.spent.includes(call.proof);
  if (isSpent && part === 0) return agrees(answer, 'dpop_proof_replayed') ? before : undefined;
  const state =
    call.isShownTwice && !isSpent ? { ...before, spent: [...before.spent, call.proof] } : before;
  if (part === 0 && partsOf(call) > 1) return state;
  const session = find(state, call.sessionId);
  const refusal = refusalOf(state, session, nowMs, lifetimes);
  if (session === undefined || refusal !== undefined)
    return answer === undefined || agrees(answer, refusal) ? state : undefined;
  const outcome = byTheTable(session, call);
  if ('refused' in outcome) {
    if (answer !== undefined && !agrees(answer, outcome.refused)) return undefined;
    const isReuse = outcome.refused === 'refresh_reused';
    return isReuse ? replace(state, { ...session, isLive: false }) : state;
  }
  if (isRefused(answer) || !promisesRight(answer, outcome, nowMs, lifetimes)) return undefined;
  return answer !== undefined && answer.generation !== outcome.generation
    ? undefined
    : replace(state, outcome);
}

/** SECURITY.md section 2, for the right key. */
function byTheTable(
  session: ModelSession,
  { generation, requestId, nowMs }: Refresh,
): ModelSession | Refused {
  if (generation > session.generation) return { refused: 'refresh_token_invalid' };
  if (generation < session.generation - 1) return { refused: 'refresh_reused' };
  if (generation === session.generation) {
    const troubled = session.redeliveries > 0 ? session.troubled + 1 : 0;
    if (session.madeBy === null && troubled >= MAX_TROUBLED)
      return { refused: 'refresh_token_invalid' };
    return {
      ...session,
      generation: generation + 1,
      madeBy: requestId,
      redeliveries: 0,
      troubled,
      seenMs: nowMs,
    };
  }
  if (requestId !== session.madeBy) return { refused: 'refresh_superseded' };
  return session.redeliveries < MAX_REDELIVERIES
    ? { ...session, redeliveries: session.redeliveries + 1 }
    : { refused: 'refresh_token_invalid' };
}

/** An answer never promises more than what is left of the session. */
function promisesRight(
  answer: Login['answer'] | Refresh['answer'],
  { seenMs, startedMs }: ModelSession,
  nowMs: number,
  { idleMs, absoluteMs, unsureMs }: Lifetimes,
): boolean {
  if (answer === undefined || isRefused(answer)) return true;
  const leftMs = Math.min(seenMs + idleMs, startedMs + absoluteMs) - nowMs + unsureMs;
  const leftSeconds = leftMs / 1000;
  return (
    answer.expiresInSeconds <= Math.min(ACCESS_TOKEN_SECONDS, leftSeconds) &&
    answer.refreshExpiresInSeconds <= leftSeconds
  );
}

function afterLogout(
  state: ModelState,
  call: Logout | EndOne,
  part: number,
  lifetimes: Lifetimes,
): ModelState | undefined {
  const { answer } = call;
  if (part === 0) return agrees(answer, judge(state, call, lifetimes)) ? state : undefined;
  const isMeant = (session: ModelSession) => session.isLive && isNamed(session, call);
  const ended = state.sessions.filter(isMeant).length;
  const isCounted = call.kind === 'logout' && call.answer !== undefined;
  if (isCounted && !isRefused(call.answer) && call.answer?.ended !== ended) return undefined;
  return end(state, isMeant);
}

function isNamed({ id }: ModelSession, call: Logout | EndOne): boolean {
  if (call.kind === 'end one') return id === call.target;
  return call.scope === 'everywhere' || (call.scope === 'this') === (id === call.sessionId);
}

/** Only a token that would be taken now is active. */
function isTold(state: ModelState, call: Introspection, lifetimes: Lifetimes): boolean {
  const { answer, sessionId, generation, expiresAtMs = Infinity, nowMs } = call;
  if (isRefused(answer)) return false;
  const session = find(state, sessionId);
  const isCurrent = generation === undefined || generation === session?.generation;
  const stands = refusalOf(state, session, nowMs, lifetimes) === undefined;
  return answer?.active === (isCurrent && stands && nowMs < expiresAtMs);
}

/** Whoever holds the key may log out with any token of the session that has not run out. */
function afterGivenBack(state: ModelState, call: GivenBack): ModelState | undefined {
  if (isRefused(call.answer)) return undefined;
  const isWorthless = call.nowMs >= (call.expiresAtMs ?? Infinity);
  return isWorthless ? state : end(state, ({ id }) => id === call.sessionId);
}

/**
 * Of what a cut-off or an end killed only that it is dead: a straggler may still have moved its row, for nobody. A session whose login was never
 * answered is known by all but its id.
 */
function isSeen(state: ModelState, { answer }: Look): boolean {
  if (answer.epoch !== state.epoch || answer.isHeld !== state.isHeld) return false;
  const answered = new Set(state.sessions.map(({ id }) => id));
  const describe = ({ id, isLive, epoch, generation, redeliveries, troubled }: SeenRow) => {
    const canSpeak = isLive && epoch === state.epoch;
    const name = answered.has(id) && !id.startsWith('?') ? id : '?';
    return JSON.stringify([
      name,
      isLive,
      ...(canSpeak ? [generation, redeliveries, troubled] : []),
    ]);
  };
  const seen = answer.rows.map(describe).toSorted();
  return isDeepStrictEqual(seen, state.sessions.map(describe).toSorted());
}
