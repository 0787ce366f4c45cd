/**
 * The generic signed call to and from suppliers: JSON over HTTP under `latchkey-signature: t=<unix seconds>,v1=<hex HMAC-SHA-256(secret,
 * t + "." + raw body)>`. It must never follow a redirect (the signed body would travel on), wait without limit, or quote a body in an error.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { SignatureVerifier } from '../domain/ports.ts';

export const SIGNATURE_HEADER = 'latchkey-signature';
const TOLERANCE_SECONDS = 5 * 60;
const CALL_TIMEOUT_MS = 5000;
const ANSWER_LIMIT_BYTES = 64 * 1024;
const FORM = /^t=([0-9]{1,12}),v1=([0-9a-f]{64})$/;
/** Request Timeout, Too Early, Too Many Requests: the same call may succeed later. Every 5xx too. */
const RETRYABLE_STATUSES = new Set([408, 425, 429]);

/** The value of the signature header for a body that leaves at `nowMs`. */
export function signBody(secret: string, rawBody: string, nowMs: number): string {
  const seconds = String(Math.floor(nowMs / 1000));
  return `t=${seconds},v1=${digest(secret, seconds, rawBody).toString('hex')}`;
}

/** Accepts signatures made up to five minutes before or after our clock, compared in constant time. */
export function createSignatureVerifier({
  secret,
  clock,
}: {
  secret: string;
  clock: Clock;
}): SignatureVerifier {
  return {
    isSigned: (header, rawBody) => {
      const [, seconds, signature] = FORM.exec(header ?? '') ?? [];
      if (seconds === undefined || signature === undefined) return false;
      if (Math.abs(clock.nowMs() / 1000 - Number(seconds)) > TOLERANCE_SECONDS) return false;
      return timingSafeEqual(Buffer.from(signature, 'hex'), digest(secret, seconds, rawBody));
    },
  };
}

function digest(secret: string, seconds: string, rawBody: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.`).update(rawBody).digest();
}

export interface SignedCallOptions {
  readonly secret: string;
  readonly clock: Clock;
  /** Five seconds when left out; tests shorten it. */
  readonly timeoutMs?: number;
}

/**
 * Answers the supplier's JSON, or undefined for an empty answer.
 * @throws LatchkeyError vendor_unavailable when it may be tried again (no answer, 408, 425, 429, 5xx), vendor_refused when not.
 */
export async function postSigned(
  url: string,
  content: Readonly<Record<string, string | number>>,
  { secret, clock, timeoutMs = CALL_TIMEOUT_MS }: SignedCallOptions,
): Promise<unknown> {
  const body = JSON.stringify(content);
  return judged(
    await call(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        [SIGNATURE_HEADER]: signBody(secret, body, clock.nowMs()),
      },
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    }),
  );
}

/**
 * The same to read. There is no body, so the path with its query is signed in its place: a signature opens one door. undefined: the supplier
 * knows no such thing, or no more (404, 410).
 * @throws LatchkeyError as postSigned
 */
export async function getSigned(
  url: string,
  { secret, clock, timeoutMs = CALL_TIMEOUT_MS }: SignedCallOptions,
): Promise<unknown> {
  const { pathname, search } = new URL(url);
  const answer = await call(url, {
    headers: {
      accept: 'application/json',
      [SIGNATURE_HEADER]: signBody(secret, `${pathname}${search}`, clock.nowMs()),
    },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  });
  return answer.status === 404 || answer.status === 410 ? undefined : judged(answer);
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

function judged({ status, text, retryAfter }: Answer): unknown {
  if (status >= 200 && status < 300) return parsed(text);
  if (status >= 500 || RETRYABLE_STATUSES.has(status)) {
    throw new LatchkeyError('vendor_unavailable', retryAfterOf(retryAfter));
  }
  throw new LatchkeyError('vendor_refused', {
    cause: new Error(`the supplier answered ${String(status)}`),
  });
}

async function call(url: string, init: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, init);
    return {
      status: response.status,
      text: await readLimited(response),
      retryAfter: response.headers.get('retry-after'),
    };
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause;
    throw new LatchkeyError('vendor_unavailable', { cause });
  }
}

async function readLimited(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > ANSWER_LIMIT_BYTES)
      throw new LatchkeyError('vendor_refused', { cause: new Error('the answer is too long') });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new LatchkeyError('vendor_refused', { cause: new Error('the answer is not JSON') });
  }
}

function retryAfterOf(header: string | null): { retryAfterSeconds?: number } {
  return header !== null && /^[0-9]{1,4}$/.test(header)
    ? { retryAfterSeconds: Number(header) }
    : {};
}
