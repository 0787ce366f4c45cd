/**
 * "Freeze my account", a lost or stolen device, and both undone: by a session, or from a phone that nobody knows yet, by a code to the enrolled number.
 * Freezing asks for nothing but the session; lifting asks for a passkey used since, so log in first when it says so.
 */
import type { Call, Http } from './http.ts';
import type { Session } from './session.ts';
import type { FreezeRequested, Frozen, ReportedDevice } from './types.ts';

export interface Freezes {
  /** Answers until when. */
  freeze(): Promise<Frozen>;
  /** @throws LatchkeyProblem insufficient_user_authentication: log in anew, then call it again. */
  liftFreeze(): Promise<void>;
  /** Of another device than this one. */
  reportDevice(deviceId: string, kind: 'lost' | 'stolen'): Promise<ReportedDevice>;
  liftDeviceReport(deviceId: string): Promise<ReportedDevice>;
  /** From any phone; the answer is the same whether or not the number is a customer's. */
  requestFreeze(phone: string): Promise<FreezeRequested>;
  submitFreezeCode(requestId: string, code: string): Promise<Frozen>;
}

interface FreezeParts {
  readonly clientId: string;
  readonly http: Http;
  readonly session: Session;
  readonly withToken: <Answer>(call: Call) => Promise<Answer>;
}

const FREEZE = { operation: 'freezeAccount', method: 'POST', path: '/auth/freeze' } as const;
const LIFT = { operation: 'liftFreeze', method: 'POST', path: '/auth/freeze/lift' } as const;
const REQUEST = { operation: 'requestFreeze', method: 'POST', path: '/freezes' } as const;

export function freezes({ clientId, http, session, withToken }: FreezeParts): Freezes {
  return {
    freeze: () => withToken<Frozen>({ ...FREEZE, json: {} }),
    liftFreeze: async () => {
      await withToken({ ...LIFT, json: {} });
      // A token from the time of the freeze does not carry what was withheld.
      await session.refresh();
    },
    reportDevice: (deviceId, kind) => {
      const path = `/auth/devices/${deviceId}/report`;
      return withToken({ operation: 'reportDevice', method: 'POST', path, json: { kind } });
    },
    liftDeviceReport: (deviceId) => {
      const path = `/auth/devices/${deviceId}/lift-report`;
      return withToken({ operation: 'liftDeviceReport', method: 'POST', path, json: {} });
    },
    requestFreeze: (phone) => http.call<FreezeRequested>({ ...REQUEST, json: { clientId, phone } }),
    submitFreezeCode: (requestId, code) => {
      const path = `/freezes/${requestId}/code`;
      return http.call<Frozen>({
        operation: 'submitFreezeCode',
        method: 'POST',
        path,
        json: { code },
      });
    },
  };
}
