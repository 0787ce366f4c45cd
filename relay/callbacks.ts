/**
 * Calls back to requesters: the id of a step-up and how it stands when the call goes out, and nothing else. A requester that does not answer is
 * tried again and again, more and more seldom; then its row waits among the dead letters for an operator.
 */
import type { CallbackTarget } from '../db/callbacks.ts';
import type { ClaimedRow } from '../db/outbox.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { CallbackSender } from '../domain/ports.ts';

type CallbackRow = Extract<ClaimedRow, { readonly topic: 'callback.send' }>;

export type CallbackDelivery = (tenantId: string, row: CallbackRow) => Promise<void>;

export interface CallbackDependencies {
  /** undefined: its requester registered no address. */
  target(tenantId: string, stepUpId: string): Promise<CallbackTarget | undefined>;
  readonly callbacks: CallbackSender;
}

/** The waits double up to five minutes: about eight hours. A retry by an operator counts anew. */
export const CALLBACK_ATTEMPTS = 100;

export function createCallbackDelivery(deps: CallbackDependencies): CallbackDelivery {
  return async (tenantId, { payload: { stepUpId }, outboxId: id, attempts }) => {
    const found = await deps.target(tenantId, stepUpId);
    if (found === undefined) return;
    const { url, secrets, allowsPrivateAddresses, status } = found;
    try {
      const content = { stepUpId, status };
      await deps.callbacks.send({ url, secrets, allowsPrivateAddresses, id, content });
    } catch (error) {
      const isAway = error instanceof LatchkeyError && error.code === 'vendor_unavailable';
      if (isAway && attempts >= CALLBACK_ATTEMPTS)
        throw new LatchkeyError('vendor_refused', { cause: error });
      throw error;
    }
  };
}
