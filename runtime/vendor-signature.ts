/**
 * The signature of the generic signed-HTTP vendor call, as a vendor computes and checks it:
 * `latchkey-signature: t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, t + "." + raw body)>`. Independent of the adapters, so
 * that each side proves the other; it must never compare in variable time.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const SIGNATURE_HEADER = 'latchkey-signature';
const TOLERANCE_SECONDS = 300;
const FORM = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/;

export interface SignedBody {
  readonly secret: string;
  readonly body: string;
}

/** The header's value for a body that leaves now. */
export function signBody({ secret, body }: SignedBody, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  return `t=${seconds},v1=${digest(secret, seconds, body).toString('hex')}`;
}

/** Whether the header was made with our secret over exactly this body, at most five minutes ago or ahead. */
export function isSignedBody(
  header: string | undefined,
  { secret, body }: SignedBody,
  nowMs: number,
): boolean {
  const [, time, signature] = FORM.exec(header ?? '') ?? [];
  if (time === undefined || signature === undefined) return false;
  const seconds = Number(time);
  if (Math.abs(nowMs / 1000 - seconds) > TOLERANCE_SECONDS) return false;
  return timingSafeEqual(Buffer.from(signature, 'hex'), digest(secret, seconds, body));
}

function digest(secret: string, seconds: number, body: string): Buffer {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest();
}
