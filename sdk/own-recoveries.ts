/**
 * Recoveries of this account as its owner's phone sees them: look, object, or say "that was me" and end the time to object early. An objection from a
 * phone that logged in lately ends the case; log in first where there is time.
 */
import type { Call } from './http.ts';
import { deviceKey, proveApprovalKey } from './keys.ts';
import type { Objected, OwnRecovery } from './recovery-types.ts';
import type { Store } from './store.ts';

export interface OwnRecoveries {
  list(): Promise<readonly OwnRecovery[]>;
  object(recoveryId: string): Promise<Objected>;
  /** @throws LatchkeyProblem insufficient_user_authentication: log in anew; cooling_off: not before its floor */
  shorten(recoveryId: string): Promise<void>;
}

const LIST = { operation: 'listOwnRecoveries', method: 'GET', path: '/auth/recoveries' } as const;

export function ownRecoveries({
  store,
  withToken,
}: {
  readonly store: Store;
  readonly withToken: <Answer>(call: Call) => Promise<Answer>;
}): OwnRecoveries {
  return {
    list: async () =>
      (await withToken<{ readonly recoveries: readonly OwnRecovery[] }>(LIST)).recoveries,
    object: (recoveryId) => {
      const path = `/auth/recoveries/${recoveryId}/object`;
      return withToken({ operation: 'objectToRecovery', method: 'POST', path, json: {} });
    },
    shorten: async (recoveryId) => {
      const { jkt: sessionJkt } = await deviceKey(store, 'session-key');
      const key = await deviceKey(store, 'approval-key');
      const { proof } = await proveApprovalKey(key, { challenge: recoveryId, sessionJkt });
      const path = `/auth/recoveries/${recoveryId}/shorten`;
      await withToken({ operation: 'shortenRecovery', method: 'POST', path, json: { proof } });
    },
  };
}
