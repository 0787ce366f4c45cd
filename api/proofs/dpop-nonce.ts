/**
 * Server nonces for DPoP (RFC 9449 section 8), without memory: a time bucket and its MAC. They bound how long ago a proof can have been
 * made, so that nobody signs months of proofs in advance; they are no secret and prove nothing about who asks.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { KeyManagement } from '../../domain/ports.ts';
import { hmacKey } from './hmac-key.ts';

/** Nonces change this often; each lives for the policy's nonceSeconds after its bucket began. */
const BUCKET_SECONDS = 30;
const TIME_BYTES = 6;
const MAC_BYTES = 16;
const FORM = /^[A-Za-z0-9_-]{30}$/;

export interface DpopNonces {
  /** What every answer carries. */
  current(): string;
  isFresh(nonce: string, nonceSeconds: number): boolean;
}

export function createDpopNonces(kms: KeyManagement, clock: Clock): DpopNonces {
  const make = (bucketSeconds: number): string => {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUIntBE(bucketSeconds, 0, TIME_BYTES);
    const key = hmacKey(kms.secret('dpop-nonce').key);
    const mac = createHmac('sha256', key).update('nonce/1').update(time);
    return Buffer.concat([time, mac.digest().subarray(0, MAC_BYTES)]).toString('base64url');
  };
  let latest: { readonly bucketSeconds: number; readonly nonce: string } | undefined;
  return {
    current: () => {
      const bucketSeconds = bucketOf(clock.nowMs());
      if (latest?.bucketSeconds !== bucketSeconds)
        latest = { bucketSeconds, nonce: make(bucketSeconds) };
      return latest.nonce;
    },
    isFresh: (nonce, nonceSeconds) => {
      if (!FORM.test(nonce)) return false;
      const bucketSeconds = Buffer.from(nonce, 'base64url').readUIntBE(0, TIME_BYTES);
      // As text: a second spelling of the same bytes is no nonce of ours.
      if (!timingSafeEqual(Buffer.from(nonce), Buffer.from(make(bucketSeconds)))) return false;
      const ageSeconds = clock.nowMs() / 1000 - bucketSeconds;
      return ageSeconds >= -BUCKET_SECONDS && ageSeconds < nonceSeconds;
    },
  };
}

function bucketOf(nowMs: number): number {
  const seconds = Math.floor(nowMs / 1000);
  return seconds - (seconds % BUCKET_SECONDS);
}
