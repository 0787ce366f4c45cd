/**
 * The typed client of Latchkey that an app uses: `createLatchkey({ issuer, clientId })` wires keys, proofs, session and ceremonies.
 * Every part of the platform can be given from outside; what is not given is the browser's. It imports nothing of the server.
 */
import { createDpop } from './dpop.ts';
import { Enrollment } from './enrollment.ts';
import { createHttp } from './http.ts';
import type { Call } from './http.ts';
import { deviceKey } from './keys.ts';
import type { DeviceKey } from './keys.ts';
import { Login } from './login.ts';
import type { LatchkeyProblem } from './problem.ts';
import { callService } from './service.ts';
import { Session } from './session.ts';
import type { ActiveSession, TabChannel } from './session.ts';
import { openBrowserStore } from './store.ts';
import type { Store } from './store.ts';
import type {
  ChangedDevice,
  DeviceAction,
  DeviceEntry,
  LoginHistory,
  LogoutScope,
  Me,
  SessionEntry,
} from './types.ts';
import { platformWebAuthn } from './webauthn.ts';
import type { WebAuthn } from './webauthn.ts';

interface SessionList {
  readonly sessions: readonly SessionEntry[];
}

interface DeviceList {
  readonly devices: readonly DeviceEntry[];
}

const LOG_OUT = { operation: 'logout', method: 'POST', path: '/auth/logout' } as const;
const LIST_DEVICES = { operation: 'listDevices', method: 'GET', path: '/auth/devices' } as const;
const LIST_SESSIONS = { operation: 'listSessions', method: 'GET', path: '/auth/sessions' } as const;

export interface LatchkeyOptions {
  /** `https://<host>/t/<tenant>`, without a trailing slash. */
  readonly issuer: string;
  readonly clientId: string;
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

export interface Latchkey {
  readonly enrollment: Enrollment;
  readonly session: Session;
  logIn(): Promise<ActiveSession>;
  logOut(scope: LogoutScope): Promise<number>;
  me(): Promise<Me>;
  sessions(): Promise<readonly SessionEntry[]>;
  /** Of the customer's own; one that had ended already is no error. */
  endSession(sessionId: string): Promise<void>;
  /** One page, the youngest first; `cursor` is `next` of the page before. */
  loginHistory(cursor?: string): Promise<LoginHistory>;
  devices(): Promise<readonly DeviceEntry[]>;
  /** Of another device than this one. */
  changeDevice(deviceId: string, action: DeviceAction): Promise<ChangedDevice>;
  /** Of another passkey than the one that began this session. Answers how many sessions ended with it. */
  removePasskey(credentialId: string): Promise<number>;
  /**
   * Calls a service of the bank with the token and its proof: by GET, or by POST with a body that the session key signs (RFC 9421).
   * @throws LatchkeyProblem when it refuses.
   */
  callService(operation: string, url: string, signedJson?: unknown): Promise<unknown>;
  sessionKey(): Promise<DeviceKey>;
  /** Forgets this installation: its keys, its session, its ceremony. */
  forgetEverything(): Promise<void>;
}

export function createLatchkey(options: LatchkeyOptions): Latchkey {
  const name = `latchkey ${options.issuer} ${options.clientId}`;
  const { clientId, issuer, onProblem = () => undefined, onAnswer = () => undefined } = options;
  const store = options.store ?? openBrowserStore(name);
  const webauthn = options.webauthn ?? platformWebAuthn();
  const nowMs = options.nowMs ?? (() => Date.now());
  const pause = options.pause ?? browserPause;
  const sessionKey = () => deviceKey(store, 'session-key');
  const dpop = createDpop({
    sessionKey,
    nowMs,
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
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
  const enrollment = new Enrollment({ clientId, http, store, webauthn, pause });

  const withToken = <Answer>(call: Call) =>
    session.withToken((accessToken) => http.call<Answer>({ ...call, accessToken }));

  return {
    enrollment,
    session,
    sessionKey,
    logIn: () => login.logIn(),
    logOut: async (scope) => {
      const { ended } = await withToken<{ ended: number }>({ ...LOG_OUT, json: { scope } });
      if (scope !== 'others') await session.forget();
      return ended;
    },
    me: () => withToken<Me>({ operation: 'me', method: 'GET', path: '/auth/me' }),
    sessions: async () => (await withToken<SessionList>(LIST_SESSIONS)).sessions,
    endSession: async (sessionId) => {
      const path = `/auth/sessions/${sessionId}/end`;
      await withToken({ operation: 'endOwnSession', method: 'POST', path, json: {} });
      const state = session.state();
      if (state.status === 'active' && state.sessionId === sessionId) await session.forget();
    },
    loginHistory: (cursor) => {
      const path = `/auth/login-history${cursor === undefined ? '' : `?cursor=${cursor}`}`;
      return withToken<LoginHistory>({ operation: 'loginHistory', method: 'GET', path });
    },
    devices: async () => (await withToken<DeviceList>(LIST_DEVICES)).devices,
    changeDevice: (deviceId, action) => {
      const path = `/auth/devices/${deviceId}/${action}`;
      const operation = `${action}Device`;
      return withToken<ChangedDevice>({ operation, method: 'POST', path, json: {} });
    },
    removePasskey: async (credentialId) => {
      const path = `/auth/credentials/${credentialId}/revoke`;
      const call = { operation: 'revokeCredential', method: 'POST', path, json: {} } as const;
      return (await withToken<{ sessionsEnded: number }>(call)).sessionsEnded;
    },
    callService: (operation, url, signedJson) =>
      session.withToken((accessToken) =>
        callService(dpop, { operation, url, accessToken, signedJson, onProblem, onAnswer }),
      ),
    forgetEverything: async () => {
      login.forget();
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
