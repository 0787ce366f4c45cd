/**
 * Challenges without memory: a MAC over who asked, for what and until when, so that asking for one writes nothing (SECURITY.md section 3).
 * The verifier makes the context again from what it knows; nothing that a challenge says about itself is believed before its MAC. Expiry
 * and single use are judged by PostgreSQL, in the transaction that grants: db/challenges.ts.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement } from '../../domain/ports.ts';
import { hmacKey } from './hmac-key.ts';

export type ChallengePurpose = 'login' | 'passkey_registration';

/** Everything that a challenge is good for; the same on both sides, or it does not open. */
export interface ChallengeContext {
  readonly purpose: ChallengePurpose;
  readonly tenantId: string;
  readonly rpId: string;
  readonly clientId: string;
  /** Thumbprint of the DPoP key that asked. */
  readonly jkt: string;
  readonly ceremonyId?: string | undefined;
  readonly customerId?: string | undefined;
}

export interface OpenedChallenge {
  /** What db/challenges.ts spends. */
  readonly hash: Uint8Array;
  readonly issuedAtMs: number;
  /** Judged by the database's clock, never here. */
  readonly expiresAtMs: number;
}

const VERSION = 1;
const TIME_BYTES = 6;
const RANDOM_BYTES = 16;
const MAC_BYTES = 32;
/** version, issued, expires, random, length of the key id. */
const FIXED_BYTES = 1 + 2 * TIME_BYTES + RANDOM_BYTES + 1;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;

/** Base64url, as WebAuthn takes it. */
export function issueChallenge(
  { kms, clock }: { readonly kms: KeyManagement; readonly clock: Clock },
  context: ChallengeContext,
  ttlSeconds: number,
): string {
  const { kekId, key } = kms.secret('challenge');
  const issuedAtMs = clock.nowMs();
  const times = Buffer.alloc(2 * TIME_BYTES);
  times.writeUIntBE(issuedAtMs, 0, TIME_BYTES);
  times.writeUIntBE(issuedAtMs + ttlSeconds * 1000, TIME_BYTES, TIME_BYTES);
  const body = Buffer.concat([
    Buffer.of(VERSION),
    times,
    randomBytes(RANDOM_BYTES),
    Buffer.of(kekId.length),
    Buffer.from(kekId, 'ascii'),
  ]);
  return Buffer.concat([body, macOf(key, body, context)]).toString('base64url');
}

/** @throws LatchkeyError challenge_invalid: not ours, changed, made for somebody or something else. */
export function openChallenge(
  kms: KeyManagement,
  context: ChallengeContext,
  challenge: string,
): OpenedChallenge {
  const bytes = Buffer.from(challenge, 'base64url');
  if (bytes.toString('base64url') !== challenge) throw invalid();
  if (bytes.length < FIXED_BYTES + MAC_BYTES || bytes[0] !== VERSION) throw invalid();
  const body = bytes.subarray(0, bytes.length - MAC_BYTES);
  const keyId = body.toString('latin1', FIXED_BYTES);
  if (keyId.length !== body[FIXED_BYTES - 1] || !KEY_ID.test(keyId)) throw invalid();
  const mac = macOf(keyOf(kms, keyId), body, context);
  if (!timingSafeEqual(mac, bytes.subarray(body.length))) throw invalid();
  return {
    hash: createHash('sha256').update(bytes).digest(),
    issuedAtMs: body.readUIntBE(1, TIME_BYTES),
    expiresAtMs: body.readUIntBE(1 + TIME_BYTES, TIME_BYTES),
  };
}

function keyOf(kms: KeyManagement, keyId: string): Uint8Array {
  try {
    return kms.secret('challenge', keyId).key;
  } catch {
    // A key that was never ours or is long gone: the same answer as any other stranger.
    throw invalid();
  }
}

function macOf(key: Uint8Array, body: Uint8Array, context: ChallengeContext): Buffer {
  const { purpose, tenantId, rpId, clientId, jkt, ceremonyId, customerId } = context;
  // A JSON array keeps the parts apart whatever they contain.
  const parts = [purpose, tenantId, rpId, clientId, jkt, ceremonyId ?? null, customerId ?? null];
  return createHmac('sha256', hmacKey(key))
    .update('latchkey/challenge/1\0')
    .update(JSON.stringify(parts))
    .update('\0')
    .update(body)
    .digest();
}

function invalid(): LatchkeyError {
  return new LatchkeyError('challenge_invalid');
}
