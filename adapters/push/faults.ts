/** What a push service's refusal means for the row that asked: tried again, or never. An error names statuses and reasons, never a token or a body. */
import { LatchkeyError } from '../../domain/errors.ts';

/** Request Timeout, Too Many Requests: the same push may be taken later. Every 5xx too. */
const RETRYABLE_STATUSES = new Set([408, 429]);

export function isRetryable(status: number): boolean {
  return status >= 500 || RETRYABLE_STATUSES.has(status);
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
export function retryAfterSecondsOf(
  header: string | undefined,
  nowMs: number,
): { retryAfterSeconds?: number } {
  if (header === undefined) return {};
  if (/^[0-9]{1,6}$/.test(header)) return { retryAfterSeconds: Number(header) };
  const atMs = Date.parse(header);
  if (Number.isNaN(atMs)) return {};
  return { retryAfterSeconds: Math.max(0, Math.ceil((atMs - nowMs) / 1000)) };
}

export function unavailable(
  cause: unknown,
  options: { retryAfterSeconds?: number } = {},
): LatchkeyError {
  return new LatchkeyError('vendor_unavailable', { cause, ...options });
}

export function refused(status: number, reason: string): LatchkeyError {
  return new LatchkeyError('vendor_refused', { cause: answered(status, reason) });
}

/** For logs. A reason is a word of the vendor's own list; anything longer is somebody else's text. */
export function answered(status: number, reason: string): Error {
  const word = /^[A-Za-z_]{1,64}$/.test(reason) ? reason : 'without a known reason';
  return new Error(`the push service answered ${String(status)} ${word}`);
}
