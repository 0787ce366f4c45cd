/**
 * What a customer sees and changes of his own: who he is here, where he is logged in, with which devices and passkeys. What is listed is as of the
 * answer; ending what has ended already is no error.
 */
import type { Call } from './http.ts';
import type { Session } from './session.ts';
import type {
  ChangedDevice,
  DeviceAction,
  DeviceEntry,
  LoginHistory,
  LogoutScope,
  Me,
  PushRegistration,
  SessionEntry,
} from './types.ts';

interface SessionList {
  readonly sessions: readonly SessionEntry[];
}

interface DeviceList {
  readonly devices: readonly DeviceEntry[];
}

const LOG_OUT = { operation: 'logout', method: 'POST', path: '/auth/logout' } as const;
const LIST_DEVICES = { operation: 'listDevices', method: 'GET', path: '/auth/devices' } as const;
const LIST_SESSIONS = { operation: 'listSessions', method: 'GET', path: '/auth/sessions' } as const;

export interface OwnAccount {
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
  /** Lets this device be told that something waits: after each login, and whenever the platform gives another token. */
  registerPush(registration: PushRegistration): Promise<void>;
  removePush(): Promise<void>;
}

export function ownAccount(
  session: Session,
  withToken: <Answer>(call: Call) => Promise<Answer>,
): OwnAccount {
  return {
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
    registerPush: async (json) => {
      await withToken({ operation: 'registerPush', method: 'PUT', path: '/auth/push', json });
    },
    removePush: async () => {
      await withToken({ operation: 'removePush', method: 'DELETE', path: '/auth/push' });
    },
  };
}
