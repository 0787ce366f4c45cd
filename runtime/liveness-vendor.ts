/**
 * A small liveness vendor for a developer's machine: takes signed sessions, looks at nobody, and reports what it was told to by a signed webhook
 * until that is taken; it can be asked, too. It holds no picture, and must never decide anything for Latchkey.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { readObject, startLocalServer } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { SignedDelivery } from './signed-delivery.ts';
import { isSignedBody, SIGNATURE_HEADER } from './vendor-signature.ts';

/**
 * How the next session ends. late: passed, told only when the session is over · duplicate: passed, told twice · wrong_case: passed, told for
 * another case · silent: passed once released.
 */
export const LIVENESS_ENDS = [
  'pass',
  'fail',
  'low_confidence',
  'injection_suspected',
  'time_out',
  'late',
  'duplicate',
  'wrong_case',
  'silent',
] as const;
export type LivenessEnd = (typeof LIVENESS_ENDS)[number];

const SURE = { livenessConfidence: 99, matchConfidence: 98 };
/** By then whoever asks has been told that the session is over. */
const LATE_BY_MS = 2_000;
const OTHER_CASE = 'cer_another';

const FIELDS = ['reference', 'caseId', 'newJkt', 'referenceImageId', 'callbackUrl'] as const;

export interface LivenessVendorOptions {
  /** 0 means a free one. */
  readonly port: number;
  readonly secret: string;
  readonly clock: Clock;
  /** How long somebody looks into the camera. */
  readonly checkMs?: number;
  readonly onError?: (error: unknown) => void;
}

export interface LivenessVendor {
  readonly url: string;
  /** pass, when nobody has said otherwise. */
  nextEnd(): LivenessEnd;
  /** Of one session; the following pass again. */
  setNextEnd(end: LivenessEnd): void;
  /** References of the sessions that wait for their release. */
  waiting(): readonly string[];
  /** Lets every waiting session pass. */
  release(): void;
  stop(): Promise<void>;
}

interface Session {
  readonly reference: string;
  readonly vendorSession: string;
  readonly caseId: string;
  readonly newJkt: string;
  readonly callbackUrl: string;
  /** The request as it came, to tell a repetition from a reuse of the reference. */
  readonly body: string;
  readonly expiresAtMs: number;
  isWaiting: boolean;
  result?: Readonly<Record<string, unknown>>;
}

/** Listens. @throws Error naming the holder of a taken port. */
export async function startLivenessVendor(options: LivenessVendorOptions): Promise<LivenessVendor> {
  const desk = new SessionDesk(options);
  const http = await startLocalServer({
    name: 'the liveness vendor',
    port: options.port,
    onError: options.onError ?? (() => undefined),
    handle: (request) => Promise.resolve(route(request, desk, options)),
  });
  return {
    url: http.url,
    nextEnd: () => desk.nextEnd,
    setNextEnd: (end) => {
      desk.nextEnd = end;
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
  { method, url, target, headers, body }: LocalRequest,
  desk: SessionDesk,
  { secret, clock }: LivenessVendorOptions,
): LocalAnswer {
  const header = headers[SIGNATURE_HEADER];
  const signature = typeof header === 'string' ? header : undefined;
  const signed = method === 'GET' ? target : body;
  if (!isSignedBody(signature, { secret, body: signed }, clock.nowMs()))
    return { status: 401, body: { error: 'wrong_signature' } };
  if (method === 'POST' && url.pathname === '/sessions') return desk.open(body);
  const session = /^\/sessions\/([^/]+)$/.exec(url.pathname)?.[1];
  if (method === 'GET' && session !== undefined) return desk.show(decodeURIComponent(session));
  return { status: 404, body: { error: 'not_found' } };
}

class SessionDesk {
  nextEnd: LivenessEnd = 'pass';
  readonly #options: LivenessVendorOptions;
  /** By reference. */
  readonly #sessions = new Map<string, Session>();
  readonly #delivery: SignedDelivery;

  constructor(options: LivenessVendorOptions) {
    this.#options = options;
    this.#delivery = new SignedDelivery(options);
  }

  open(body: string): LocalAnswer {
    const request = readObject(body) ?? {};
    const [reference, caseId, newJkt, imageId, callbackUrl] = FIELDS.map((field) => {
      const value = request[field];
      return typeof value === 'string' ? value : '';
    });
    const seconds = request['expiresInSeconds'];
    if (!reference || !caseId || !newJkt || !imageId || !callbackUrl)
      return { status: 400, body: { error: 'malformed' } };
    if (!URL.canParse(callbackUrl) || typeof seconds !== 'number' || seconds <= 0)
      return { status: 400, body: { error: 'malformed' } };
    const known = this.#sessions.get(reference);
    if (known !== undefined)
      return known.body === body
        ? { status: 202, body: started(known) }
        : { status: 409, body: { error: 'reference_reused' } };
    const end = this.nextEnd;
    this.nextEnd = 'pass';
    const session: Session = {
      reference,
      caseId,
      newJkt,
      callbackUrl,
      body,
      vendorSession: `lvs_${randomUUID()}`,
      expiresAtMs: this.#options.clock.nowMs() + seconds * 1000,
      isWaiting: end === 'silent',
    };
    this.#sessions.set(reference, session);
    if (!session.isWaiting) this.#delivery.run(this.#end(session, end));
    return { status: 202, body: started(session) };
  }

  show(vendorSession: string): LocalAnswer {
    const session = [...this.#sessions.values()].find((one) => one.vendorSession === vendorSession);
    if (session === undefined) return { status: 404, body: { error: 'not_found' } };
    const { result, expiresAtMs } = session;
    const isOver = this.#options.clock.nowMs() >= expiresAtMs;
    const isLate = Date.parse(String(result?.['at'])) >= expiresAtMs;
    if (result !== undefined && !isLate)
      return { status: 200, body: { status: 'done', ...result } };
    return { status: 200, body: { status: isOver ? 'expired' : 'pending' } };
  }

  waiting(): readonly string[] {
    return [...this.#sessions.values()].filter((one) => one.isWaiting).map((one) => one.reference);
  }

  release(): void {
    for (const session of this.#sessions.values()) {
      if (!session.isWaiting) continue;
      session.isWaiting = false;
      this.#delivery.run(this.#tell(session, 'pass'));
    }
  }

  close(): void {
    this.#delivery.close();
  }

  async #end(session: Session, end: LivenessEnd): Promise<void> {
    const { clock, checkMs = 1_000 } = this.#options;
    const pauseMs = end === 'late' ? session.expiresAtMs - clock.nowMs() + LATE_BY_MS : checkMs;
    await this.#delivery.pause(pauseMs);
    await this.#tell(session, end);
    if (end === 'duplicate') await this.#deliver(session);
  }

  async #tell(session: Session, end: LivenessEnd): Promise<void> {
    const { reference, vendorSession, newJkt } = session;
    session.result = {
      reference,
      vendorSession,
      caseId: end === 'wrong_case' ? OTHER_CASE : session.caseId,
      newJkt,
      ...findingOf(end),
      evidenceId: `evd_${randomUUID()}`,
      at: new Date(this.#options.clock.nowMs()).toISOString(),
    };
    // One nobody can place is told once: whoever refuses it does so for good.
    if (end === 'wrong_case')
      await this.#delivery.once(session.callbackUrl, JSON.stringify(session.result));
    else await this.#deliver(session);
  }

  #deliver({ reference, callbackUrl, result }: Session): Promise<void> {
    const what = `the result of ${reference}`;
    return this.#delivery.untilTaken(callbackUrl, JSON.stringify(result), what);
  }
}

function started({ vendorSession, expiresAtMs }: Session) {
  const expiresAt = new Date(expiresAtMs).toISOString();
  return { vendorSession, clientParameters: { session: vendorSession }, expiresAt };
}

function findingOf(end: LivenessEnd) {
  switch (end) {
    case 'fail':
      return { outcome: 'failed', livenessConfidence: 97, matchConfidence: 3 };
    case 'low_confidence':
      return { outcome: 'low_confidence', livenessConfidence: 61, matchConfidence: 72 };
    case 'injection_suspected':
      return { outcome: 'injection_suspected', livenessConfidence: 4, matchConfidence: null };
    case 'time_out':
      return { outcome: 'timed_out', livenessConfidence: 0, matchConfidence: null };
    case 'pass':
    case 'late':
    case 'duplicate':
    case 'wrong_case':
    case 'silent':
      return { outcome: 'passed', ...SURE };
  }
}
