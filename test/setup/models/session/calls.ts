/** The calls of a history: who asked for what, by what it held, when it began, and what it was answered. No token stands in one. */
import type { LogoutScope } from '../../../../sdk/types.ts';
import type { Timed } from '../linearizable.ts';

interface Asked extends Timed {
  /** By the clock that the API judges by. */
  readonly nowMs: number;
}

/** No answer: it was lost, and nobody knows what became of the call. */
type Answered<Success> = Success | { readonly refused: string } | undefined;

/** For how long the tokens of an answer were said to be good. */
export interface Promised {
  readonly expiresInSeconds: number;
  readonly refreshExpiresInSeconds: number;
}

export interface Login extends Asked {
  readonly kind: 'login';
  readonly holder: string;
  /** Of the answer; a name of its own when there was none. */
  readonly sessionId: string;
  readonly answer: Answered<Promised>;
}

export interface Refresh extends Asked {
  readonly kind: 'refresh';
  readonly sessionId: string;
  readonly generation: number;
  readonly requestId: string | null;
  readonly isKeyRight: boolean;
  readonly proof: string;
  readonly isShownTwice: boolean;
  /** The generation of the token that came. */
  readonly answer: Answered<Promised & { readonly generation: number }>;
}

interface WithAccessToken extends Asked {
  readonly sessionId: string;
  /** Of the token. */
  readonly expiresAtMs: number;
  readonly isKeyRight: boolean;
}

/** What a gateway asks. */
export interface Check extends WithAccessToken {
  readonly kind: 'check';
  readonly answer: Answered<{ readonly passes: true }>;
}

export interface Logout extends WithAccessToken {
  readonly kind: 'logout';
  readonly scope: LogoutScope;
  readonly answer: Answered<{ readonly ended: number }>;
}

/** Another of the customer's sessions, or this one, by its id. */
export interface EndOne extends WithAccessToken {
  readonly kind: 'end one';
  readonly target: string;
  readonly answer: Answered<{ readonly ended: true }>;
}

/** A token shown to be asked about, or given back; its generation when it is a refresh token, its end when it is an access token. */
interface ShownToken extends Asked {
  readonly sessionId: string;
  readonly generation?: number;
  readonly expiresAtMs?: number;
}

export interface Introspection extends ShownToken {
  readonly kind: 'introspect';
  readonly answer: Answered<{ readonly active: boolean }>;
}

export interface GivenBack extends ShownToken {
  readonly kind: 'give back';
  readonly answer: Answered<{ readonly done: true }>;
}

export interface CutOff extends Asked {
  readonly kind: 'cut off';
  readonly answer: { readonly epoch: number } | undefined;
}

export interface Release extends Asked {
  readonly kind: 'release';
  readonly answer: Answered<{ readonly released: true }>;
}

export interface SeenRow {
  readonly id: string;
  readonly isLive: boolean;
  readonly epoch: number;
  readonly generation: number;
  readonly redeliveries: number;
  readonly troubled: number;
}

/** The rows themselves, past the API. */
export interface Look extends Asked {
  readonly kind: 'look';
  readonly answer: {
    readonly epoch: number;
    readonly isHeld: boolean;
    readonly rows: readonly SeenRow[];
  };
}

export type Call =
  | Login
  | Refresh
  | Check
  | Logout
  | EndOne
  | Introspection
  | GivenBack
  | CutOff
  | Release
  | Look;

/** One line a call, for whoever has to read a history that went wrong. */
export function describeCall(call: Call): string {
  const { kind, invokedAt, answeredAt, answer, ...rest } = call;
  const until = answeredAt === Infinity ? '?' : String(answeredAt);
  const said = answer === undefined ? 'no answer' : JSON.stringify(answer);
  return `[${String(invokedAt)}-${until}] ${kind} ${JSON.stringify(rest)} -> ${said}`;
}
