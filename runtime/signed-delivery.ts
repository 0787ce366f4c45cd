/** How the vendors of a developer's machine report: a signed webhook, sent again until it is taken. Ends at once when its vendor stops. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { SIGNATURE_HEADER, signBody } from './vendor-signature.ts';

/** A bank's webhook that is down for a while must still get the result: 1, 2, 4 … 60 s, for about an hour. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const DELIVERIES = 65;
const DELIVERY_TIMEOUT_MS = 5_000;

export interface SignedDeliveryOptions {
  readonly secret: string;
  readonly clock: Clock;
  readonly onError?: (error: unknown) => void;
}

export class SignedDelivery {
  readonly #options: SignedDeliveryOptions;
  readonly #closing = new AbortController();

  constructor(options: SignedDeliveryOptions) {
    this.#options = options;
  }

  /** Work that nobody waits for; what goes wrong in it is reported, unless the vendor stops. */
  run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#options.onError?.(error);
    });
  }

  pause(milliseconds: number): Promise<void> {
    return sleep(milliseconds, undefined, { signal: this.#closing.signal });
  }

  /** @throws Error naming what could not be delivered in about an hour. */
  async untilTaken(url: string, body: string, what: string): Promise<void> {
    for (let delivery = 0; delivery < DELIVERIES; delivery += 1) {
      if (await this.once(url, body)) return;
      await this.pause(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** delivery));
    }
    throw new Error(`${what} could not be delivered`);
  }

  /** Each delivery is signed anew, so that a late one is not too old. Taken = any 2xx. */
  async once(url: string, body: string): Promise<boolean> {
    const { secret, clock } = this.#options;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          [SIGNATURE_HEADER]: signBody({ secret, body }, clock.nowMs()),
        },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
      });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#closing.abort();
  }
}
