/**
 * A small identity-verification vendor for a developer's machine: takes signed checks, answers later by a signed webhook, retries
 * until that is taken. How it behaves is set from outside. It must never decide anything for Latchkey: it only reports a verdict.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import { readObject, startLocalServer } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { isSignedBody, SIGNATURE_HEADER, signBody } from './vendor-signature.ts';

/** normal: verified after a moment · slow: waits until released · refuses: refused after a moment. */
export type IdentityBehaviour = 'normal' | 'slow' | 'refuses';
export const IDENTITY_BEHAVIOURS: readonly IdentityBehaviour[] = ['normal', 'slow', 'refuses'];

/** A bank's webhook that is down for a while must still get the verdict: 1, 2, 4 … 60 s, for about an hour. */
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 60_000;
const DELIVERIES = 65;
const DELIVERY_TIMEOUT_MS = 5_000;

const FIELDS = [
  'reference',
  'givenName',
  'familyName',
  'birthDate',
  'documentNumber',
  'callbackUrl',
] as const;

export interface IdentityVendorOptions {
  /** 0 means a free one. */
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  /** How long a "normal" check takes. */
  readonly checkMs?: number;
  readonly onError?: (error: unknown) => void;
}

export interface IdentityVendor {
  readonly url: string;
  behaviour(): IdentityBehaviour;
  setBehaviour(behaviour: IdentityBehaviour): void;
  /** References of the checks that wait for their release. */
  waiting(): readonly string[];
  /** Lets every waiting check end with the verdict "verified". */
  release(): void;
  stop(): Promise<void>;
}

interface Verdict {
  readonly verdict: 'verified' | 'refused';
  readonly reason?: string;
  readonly evidenceId: string;
}

interface Check {
  readonly reference: string;
  readonly vendorReference: string;
  readonly callbackUrl: string;
  /** The request as it came, to tell a repetition from a reuse of the reference. */
  readonly body: string;
  readonly isWaiting: boolean;
  readonly verdict?: Verdict;
}

/** Listens. @throws Error naming the holder of a taken port. */
export async function startIdentityVendor(options: IdentityVendorOptions): Promise<IdentityVendor> {
  const desk = new CheckDesk(options);
  const http = await startLocalServer({
    name: 'the identity vendor',
    port: options.port,
    onError: options.onError ?? (() => undefined),
    handle: (request) => Promise.resolve(route(request, desk, options)),
  });
  return {
    url: http.url,
    behaviour: () => desk.behaviour,
    setBehaviour: (behaviour) => {
      desk.behaviour = behaviour;
    },
    waiting: () => desk.waiting(),
    release: () => {
      desk.release();
    },
    stop: async () => {
      desk.close();
      await http.stop();
    },
  };
}

function route(
  { method, url, headers, body }: LocalRequest,
  desk: CheckDesk,
  { secret, clock }: IdentityVendorOptions,
): LocalAnswer {
  const header = headers[SIGNATURE_HEADER];
  const signature = typeof header === 'string' ? header : undefined;
  if (!isSignedBody(signature, { secret, body }, clock.nowMs())) {
    return { status: 401, body: { error: 'wrong_signature' } };
  }
  if (method === 'POST' && url.pathname === '/checks') return desk.open(body);
  const reference = /^\/checks\/([^/]+)$/.exec(url.pathname)?.[1];
  if (method === 'GET' && reference !== undefined) return desk.show(decodeURIComponent(reference));
  return { status: 404, body: { error: 'not_found' } };
}

class CheckDesk {
  behaviour: IdentityBehaviour = 'normal';
  readonly #options: IdentityVendorOptions;
  readonly #checks = new Map<string, Check>();
  readonly #closing = new AbortController();

  constructor(options: IdentityVendorOptions) {
    this.#options = options;
  }

  open(body: string): LocalAnswer {
    const request = readObject(body) ?? {};
    const values = FIELDS.map((field) => request[field]);
    const [reference, , , , , callbackUrl] = values;
    const isWhole = values.every((value) => typeof value === 'string' && value !== '');
    if (!isWhole || typeof reference !== 'string' || typeof callbackUrl !== 'string') {
      return { status: 400, body: { error: 'malformed' } };
    }
    if (!URL.canParse(callbackUrl)) return { status: 400, body: { error: 'malformed' } };
    const known = this.#checks.get(reference);
    if (known !== undefined) {
      return known.body === body
        ? { status: 202, body: { vendorReference: known.vendorReference } }
        : { status: 409, body: { error: 'reference_reused' } };
    }
    const vendorReference = `idv_${randomUUID()}`;
    const isWaiting = this.behaviour === 'slow';
    const check: Check = { reference, vendorReference, callbackUrl, body, isWaiting };
    this.#checks.set(reference, check);
    if (!isWaiting) this.#run(this.#decideAfterAMoment(check, this.behaviour === 'refuses'));
    return { status: 202, body: { vendorReference } };
  }

  show(reference: string): LocalAnswer {
    const check = this.#checks.get(reference);
    if (check === undefined) return { status: 404, body: { error: 'not_found' } };
    const { vendorReference, verdict } = check;
    const status = verdict === undefined ? 'pending' : 'done';
    return { status: 200, body: { reference, vendorReference, status, ...verdict } };
  }

  waiting(): readonly string[] {
    return [...this.#checks.values()].filter((check) => check.isWaiting).map((c) => c.reference);
  }

  release(): void {
    for (const check of this.#checks.values()) {
      if (!check.isWaiting) continue;
      const released: Check = { ...check, isWaiting: false };
      this.#checks.set(check.reference, released);
      this.#run(this.#decide(released, false));
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #decideAfterAMoment(check: Check, isRefused: boolean): Promise<void> {
    await sleep(this.#options.checkMs ?? 1_000, undefined, { signal: this.#closing.signal });
    await this.#decide(check, isRefused);
  }

  async #decide(check: Check, isRefused: boolean): Promise<void> {
    const evidenceId = `evd_${randomUUID()}`;
    const verdict: Verdict = isRefused
      ? { verdict: 'refused', reason: 'document_not_accepted', evidenceId }
      : { verdict: 'verified', evidenceId };
    this.#checks.set(check.reference, { ...check, verdict });
    await this.#deliver(check, verdict);
  }

  async #deliver(check: Check, verdict: Verdict): Promise<void> {
    const { reference, vendorReference, callbackUrl } = check;
    const body = JSON.stringify({ reference, vendorReference, ...verdict });
    for (let delivery = 0; delivery < DELIVERIES; delivery += 1) {
      if (await this.#post(callbackUrl, body)) return;
      const pauseMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** delivery);
      await sleep(pauseMs, undefined, { signal: this.#closing.signal });
    }
    throw new Error(`the verdict on ${reference} could not be delivered`);
  }

  /** Each delivery is signed anew, so that a late one is not too old. Taken = any 2xx. */
  async #post(url: string, body: string): Promise<boolean> {
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

  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#options.onError?.(error);
    });
  }
}
