/**
 * Events to a webhook by the Standard Webhooks specification 1.0: `webhook-id` is the event's id at every delivery, `webhook-timestamp` the time
 * of this one, `webhook-signature` one `v1` signature for each secret that is in force. It must never go where an answer points it.
 */
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../../domain/clock.ts';
import type { DomainEvent, EventSink, Publication } from '../../domain/ports.ts';
import { guardedPost } from '../guarded-post.ts';
import { cloudEvent } from './cloud-event.ts';
import type { TellFault } from './faults.ts';

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_…`; every one signs. While a secret is changed there are two, and the receiver may know either. */
  readonly secrets: readonly string[];
  readonly allowsPrivateAddresses: boolean;
  readonly clock: Clock;
  readonly tellFault: TellFault;
  /** Fifteen seconds when left out, as the specification recommends at least; tests shorten it. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
/** The receiver has read this very event and will never take it. */
const REFUSALS = new Set([400, 413, 422]);
const GONE = 410;

export function createWebhookSink({ secrets, ...options }: WebhookOptions): EventSink {
  const signers = secrets.map((secret) => new Webhook(secret));
  return { publish: (events) => Promise.all(events.map((event) => post(event, signers, options))) };
}

async function post(
  event: DomainEvent,
  signers: readonly Webhook[],
  {
    url,
    allowsPrivateAddresses,
    clock,
    tellFault,
    timeoutMs = TIMEOUT_MS,
  }: Omit<WebhookOptions, 'secrets'>,
): Promise<Publication> {
  const body = JSON.stringify(cloudEvent(event));
  const sentAt = new Date(Math.floor(clock.nowMs() / 1000) * 1000);
  const headers = {
    'content-type': 'application/cloudevents+json',
    'user-agent': 'Latchkey',
    'webhook-id': event.id,
    'webhook-timestamp': String(sentAt.getTime() / 1000),
    'webhook-signature': signers.map((signer) => signer.sign(event.id, sentAt, body)).join(' '),
  };
  let status: number;
  try {
    status = await guardedPost({ url, headers, body, allowsPrivateAddresses, timeoutMs });
  } catch (error) {
    tellFault(error instanceof Error ? error.name : 'unknown');
    return 'unavailable';
  }
  return judged(status, tellFault);
}

function judged(status: number, tellFault: TellFault): Publication {
  if (status >= 200 && status < 300) return 'published';
  tellFault(`status ${String(status)}`);
  if (status === GONE) return 'gone';
  // A redirect too: whoever moved tells the operator, not the sender.
  return REFUSALS.has(status) ? 'refused' : 'unavailable';
}
