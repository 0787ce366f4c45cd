/**
 * The typed client of Latchkey that an app uses: `createLatchkey({ issuer, clientId })` wires keys, proofs, session and ceremonies.
 * Every part of the platform can be given from outside; what is not given is the browser's. It imports nothing of the server.
 */
import { createDpop } from './dpop.ts';
import { Enrollment } from './enrollment.ts';
import { freezes } from './freezes.ts';
import type { Freezes } from './freezes.ts';
import { createHttp } from './http.ts';
import type { Call } from './http.ts';
import { deviceKey } from './keys.ts';
import type { DeviceKey } from './keys.ts';
import { Login } from './login.ts';
import { LoginStepUps } from './login-step-up.ts';
import type { LatchkeyProblem } from './problem.ts';
import { ownAccount } from './own-account.ts';
import { ownRecoveries } from './own-recoveries.ts';
import type { OwnRecoveries } from './own-recoveries.ts';
import { Recovery } from './recovery.ts';
import type { OwnAccount } from './own-account.ts';
import { checkReceipt } from './receipt-check.ts';
import type { Verification } from './receipt/types.ts';
import { callService } from './service.ts';
import { Session } from './session.ts';
import type { ActiveSession, TabChannel } from './session.ts';
import { StepUps } from './step-up.ts';
import { withStepUp } from './step-up-challenge.ts';
import type { StepUpChallenge } from './step-up-challenge.ts';
import { followStepUps } from './step-up-stream.ts';
import type { StepUpStanding } from './step-up-stream.ts';
import { openBrowserStore } from './store.ts';
import type { Store } from './store.ts';
import { platformWebAuthn } from './webauthn.ts';
import type { WebAuthn } from './webauthn.ts';

export interface LatchkeyOptions {
  /** `https://<host>/t/<tenant>`, without a trailing slash. */
  readonly issuer: string;
  readonly clientId: string;
  /** Tells installations in one browser apart: each has keys, a session and a ceremony of its own. */
  readonly installation?: string;
  readonly fetch?: typeof fetch;
  readonly store?: Store;
  readonly webauthn?: WebAuthn;
  readonly nowMs?: () => number;
  readonly pause?: (ms: number) => Promise<void>;
  readonly alone?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly tabs?: TabChannel;
  /** Hears every refusal, also those that a retry mends. */
  readonly onProblem?: (operation: string, problem: LatchkeyProblem) => void;
  /** Hears every success, by the operationId. */
  readonly onAnswer?: (operation: string) => void;
}

export interface Latchkey extends OwnAccount {
  readonly enrollment: Enrollment;
  readonly session: Session;
  readonly stepUps: StepUps;
  readonly loginStepUps: LoginStepUps;
  readonly freezes: Freezes;
  /** Of the account that this phone shall have: the old one is gone. */
  readonly recovery: Recovery;
  /** Of this account, asked for elsewhere. */
  readonly ownRecoveries: OwnRecoveries;
  /** Hears of each step-up that waits, and again whenever its status changes, until `signal` or the end of the session. */
  followStepUps(onStanding: (standing: StepUpStanding) => void, signal: AbortSignal): Promise<void>;
  logIn(): Promise<ActiveSession>;
  /**
   * Calls a service of the bank with the token and its proof: by GET, or by POST with a body that the session key signs (RFC 9421).
   * When it asks for a step-up (RFC 9470), `onStepUp` lets the customer answer, and the same call is made once more.
   * @throws LatchkeyProblem when it refuses.
   */
  callService(
    operation: string,
    url: string,
    signedJson?: unknown,
    onStepUp?: (challenge: StepUpChallenge) => Promise<void>,
  ): Promise<unknown>;
  /** Every check of the receipt of an approval, each explained; the bank is asked for nothing but its published keys. */
  checkReceipt(receipt: unknown): Promise<Verification>;
  sessionKey(): Promise<DeviceKey>;
  /** Forgets this installation: its keys, its session, its ceremony. */
  forgetEverything(): Promise<void>;
}

export function createLatchkey(options: LatchkeyOptions): Latchkey {
  const { clientId, issuer, onProblem = () => undefined, onAnswer = () => undefined } = options;
  const { installation } = options;
  const name = `latchkey ${issuer} ${clientId}${installation === undefined ? '' : ` ${installation}`}`;
  const store = options.store ?? openBrowserStore(name);
  const webauthn = options.webauthn ?? platformWebAuthn();
  const nowMs = options.nowMs ?? (() => Date.now());
  const pause = options.pause ?? browserPause;
  const ownFetch: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
  const sessionKey = () => deviceKey(store, 'session-key');
  const dpop = createDpop({
    sessionKey,
    nowMs,
    fetch: ownFetch,
  });
  const http = createHttp({ issuer, dpop, pause, onProblem, onAnswer });
  const session = new Session({
    clientId,
    http,
    store,
    nowMs,
    alone: options.alone ?? ((work) => navigator.locks.request(name, work)),
    tabs: options.tabs ?? browserTabs(name),
  });
  const login = new Login({ clientId, http, webauthn, session, nowMs });
  const loginStepUps = new LoginStepUps({ http, session });
  const enrollment = new Enrollment({ clientId, http, store, webauthn, pause });

  const withToken = <Answer>(call: Call) =>
    session.withToken((accessToken) => http.call<Answer>({ ...call, accessToken }));
  const stepUps = new StepUps({ issuer, store, webauthn, nowMs, call: withToken });

  return {
    enrollment,
    session,
    stepUps,
    loginStepUps,
    freezes: freezes({ clientId, http, session, withToken }),
    recovery: new Recovery({ clientId, http, store, webauthn, pause }),
    ownRecoveries: ownRecoveries({ store, withToken }),
    followStepUps: (onStanding, signal) =>
      followStepUps({ issuer, dpop, session, pause }, onStanding, signal),
    sessionKey,
    logIn: () => login.logIn(),
    ...ownAccount(session, withToken),
    callService: (operation, url, signedJson, onStepUp) => {
      const ask = () =>
        session.withToken((accessToken) =>
          callService(dpop, { operation, url, accessToken, signedJson, onProblem, onAnswer }),
        );
      return onStepUp === undefined ? ask() : withStepUp(ask, onStepUp);
    },
    checkReceipt: (receipt) => checkReceipt({ issuer, fetch: ownFetch }, receipt),
    forgetEverything: async () => {
      login.forget();
      stepUps.forget();
      await session.forget();
      await store.clear();
    },
  };
}

function browserPause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function browserTabs(name: string): TabChannel {
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => {
      channel.postMessage(message);
    },
    listen: (listener) => {
      channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
        listener(data);
      });
    },
  };
}
