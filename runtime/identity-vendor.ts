/**
 * A small identity-verification vendor for a developer's machine: takes signed checks, answers later by a signed webhook, retries
 * until that is taken. How it behaves is set from outside. It must never decide anything for Latchkey: it only reports a verdict.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { readObject, startLocalServer } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { SignedDelivery } from './signed-delivery.ts';
import { isSignedBody, SIGNATURE_HEADER } from './vendor-signature.ts';

/** normal: verified after a moment · slow: waits until released · refuses: refused after a moment. */
export type IdentityBehaviour = 'normal' | 'slow' | 'refuses';
export const IDENTITY_BEHAVIOURS: readonly IdentityBehaviour[] = ['normal', 'slow', 'refuses'];

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
  readonly #delivery: SignedDelivery;

  constructor(options: IdentityVendorOptions) {
    this.#options = options;
    this.#delivery = new SignedDelivery(options);
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
    if (!isWaiting)
      this.#delivery.run(this.#decideAfterAMoment(check, this.behaviour === 'refuses'));
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
      this.#delivery.run(this.#decide(released, false));
    }
  }

  close(): void {
    this.#delivery.close();
  }

  async #decideAfterAMoment(check: Check, isRefused: boolean): Promise<void> {
    await this.#delivery.pause(this.#options.checkMs ?? 1_000);
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

  #deliver(check: Check, verdict: Verdict): Promise<void> {
    const { reference, vendorReference, callbackUrl } = check;
    const body = JSON.stringify({ reference, vendorReference, ...verdict });
    return this.#delivery.untilTaken(callbackUrl, body, `the verdict on ${reference}`);
  }
}
