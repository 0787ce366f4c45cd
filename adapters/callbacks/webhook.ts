/**
 * A step-up's state to its requester by the Standard Webhooks specification 1.0: `webhook-id` is the same at every delivery, `webhook-timestamp` the
 * time of this one, `webhook-signature` one `v1` signature for each secret that is in force. It must never go where an answer points it.
 */
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { CallbackSender } from '../../domain/ports.ts';
import { guardedPost } from '../guarded-post.ts';

/** Of the body; further kinds may come. */
export const CALLBACK_TYPE = 'step_up.status';
const TIMEOUT_MS = 5_000;
/** The receiver has read this very call and will never take it, or wants none any more. */
const REFUSALS = new Set([400, 410, 413, 422]);

export function createWebhookCallbacks({
  clock,
  timeoutMs = TIMEOUT_MS,
}: {
  readonly clock: Clock;
  /** Five seconds when left out; tests shorten it. */
  readonly timeoutMs?: number;
}): CallbackSender {
  return {
    send: async ({ url, secrets, allowsPrivateAddresses, id, content: { stepUpId, status } }) => {
      const sentAt = new Date(Math.floor(clock.nowMs() / 1000) * 1000);
      const body = JSON.stringify({
        type: CALLBACK_TYPE,
        timestamp: sentAt.toISOString(),
        data: { stepUpId, status },
      });
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Latchkey',
        'webhook-id': id,
        'webhook-timestamp': String(sentAt.getTime() / 1000),
        'webhook-signature': secrets
          .map((secret) => new Webhook(secret).sign(id, sentAt, body))
          .join(' '),
      };
      const post = { url, headers, body, allowsPrivateAddresses, timeoutMs };
      judge(await guardedPost(post).catch(noAnswer));
    },
  };
}

function judge(answered: number): void {
  if (answered >= 200 && answered < 300) return;
  const cause = new Error(`the requester answered ${String(answered)}`);
  // A redirect too is tried again: whoever moved tells the operator, not the sender.
  throw new LatchkeyError(REFUSALS.has(answered) ? 'vendor_refused' : 'vendor_unavailable', {
    cause,
  });
}

function noAnswer(cause: unknown): never {
  throw new LatchkeyError('vendor_unavailable', { cause });
}
