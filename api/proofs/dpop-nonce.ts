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
/** Of the buckets that may be fresh: an hour's. */
const MAX_REMEMBERED = 120;

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
  const remembered = new Map<number, string>();
  /** Asked for buckets near the present alone, so that strangers do not choose what is remembered. */
  const nonceOf = (bucketSeconds: number): string => {
    const found = remembered.get(bucketSeconds);
    if (found !== undefined) return found;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const made = make(bucketSeconds);
    remembered.set(bucketSeconds, made);
    return made;
  };
  return {
    current: () => nonceOf(bucketOf(clock.nowMs())),
    isFresh: (nonce, nonceSeconds) => {
      if (!FORM.test(nonce)) return false;
      const bucketSeconds = Buffer.from(nonce, 'base64url').readUIntBE(0, TIME_BYTES);
      const ageSeconds = clock.nowMs() / 1000 - bucketSeconds;
      if (bucketSeconds % BUCKET_SECONDS !== 0) return false;
      if (ageSeconds < -BUCKET_SECONDS || ageSeconds >= nonceSeconds) return false;
      // As text: a second spelling of the same bytes is no nonce of ours.
      return timingSafeEqual(Buffer.from(nonce), Buffer.from(nonceOf(bucketSeconds)));
    },
  };
}

function bucketOf(nowMs: number): number {
  const seconds = Math.floor(nowMs / 1000);
  return seconds - (seconds % BUCKET_SECONDS);
}
