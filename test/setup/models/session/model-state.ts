/** One customer's sessions as the model knows them, how long they last, and why one carries nothing. */
import type { Policy } from '../../../../domain/policy.ts';
import { ONE_FACTOR, ROOMY_POLICY } from '../../demo-tenant.ts';

export interface Lifetimes {
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** By how much a call's own time may differ from the one that it was judged by. */
  readonly unsureMs: number;
}

export const SHORT_LIFETIMES: Lifetimes = { idleMs: 600_000, absoluteMs: 1_500_000, unsureMs: 0 };

/** Of the default policy, under the machine's clock. */
export const USUAL_LIFETIMES: Lifetimes = {
  idleMs: ROOMY_POLICY.session.idleSeconds * 1000,
  absoluteMs: ROOMY_POLICY.session.absoluteSeconds * 1000,
  unsureMs: 30_000,
};

export const SHORT_POLICY: Policy = {
  ...ROOMY_POLICY,
  login: ONE_FACTOR,
  session: {
    ...ROOMY_POLICY.session,
    idleSeconds: SHORT_LIFETIMES.idleMs / 1000,
    absoluteSeconds: SHORT_LIFETIMES.absoluteMs / 1000,
  },
};

export interface ModelSession {
  readonly id: string;
  readonly holder: string;
  /** Of the row: what a cut-off killed stands there as live until its workflow ends it. */
  readonly isLive: boolean;
  readonly epoch: number;
  readonly generation: number;
  /** The request that made the generation, when it named itself. */
  readonly madeBy: string | null;
  readonly redeliveries: number;
  readonly troubled: number;
  readonly startedMs: number;
  readonly seenMs: number;
}

export interface ModelState {
  readonly epoch: number;
  readonly raisedAtMs: number | null;
  readonly isHeld: boolean;
  readonly sessions: readonly ModelSession[];
  /** Of the proofs that are shown twice, those that were used. */
  readonly spent: readonly string[];
}
/** Why a session carries nothing. */
export function refusalOf(
  state: ModelState,
  session: ModelSession | undefined,
  nowMs: number,
  { idleMs, absoluteMs }: Lifetimes,
): string | undefined {
  if (session === undefined) return 'session_ended';
  if (state.isHeld) return 'customer_on_hold';
  if (!session.isLive || session.epoch !== state.epoch) return 'session_ended';
  const isOver = nowMs >= session.seenMs + idleMs || nowMs >= session.startedMs + absoluteMs;
  return isOver ? 'session_ended' : undefined;
}

export function find(state: ModelState, id: string): ModelSession | undefined {
  return state.sessions.find((session) => session.id === id);
}

export function replace(state: ModelState, changed: ModelSession): ModelState {
  const sessions = state.sessions.map((one) => (one.id === changed.id ? changed : one));
  return { ...state, sessions };
}

export function end(state: ModelState, isMeant: (session: ModelSession) => boolean): ModelState {
  const sessions = state.sessions.map((one) => (isMeant(one) ? { ...one, isLive: false } : one));
  return { ...state, sessions };
}
