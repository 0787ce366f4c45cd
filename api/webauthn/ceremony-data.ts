/**
 * What every WebAuthn answer says about itself, checked in the specification's order so that each failure has a name of its own
 * (WebAuthn Level 3 sections 7.1 and 7.2). Nothing here is proved yet: the signature or attestation over it is checked afterwards.
 */
import { createHash } from 'node:crypto';
import { decodeClientDataJSON, parseAuthenticatorData } from '@simplewebauthn/server/helpers';
import { LatchkeyError } from '../../domain/errors.ts';

export interface ClientData {
  /** Base64url, as it was issued. */
  readonly challenge: string;
  readonly origin: string;
}

/** @throws LatchkeyError credential_invalid, origin_mismatch (another origin, or any frame within another page). */
export function readClientData(
  clientDataJson: string,
  expected: {
    readonly type: 'webauthn.get' | 'webauthn.create';
    readonly origins: readonly string[];
  },
): ClientData {
  const data = decoded(() => decodeClientDataJSON(clientDataJson));
  if (data.type !== expected.type || typeof data.challenge !== 'string') throw invalid();
  if (!expected.origins.includes(data.origin)) throw new LatchkeyError('origin_mismatch');
  // Presence alone is refused: the library looks at neither in a registration, and at topOrigin only where crossOrigin is true.
  if ((data.crossOrigin ?? false) !== false || data.topOrigin !== undefined)
    throw new LatchkeyError('origin_mismatch', {
      detail: 'The passkey was used inside another page.',
    });
  return { challenge: data.challenge, origin: data.origin };
}

export interface AuthenticatorData {
  readonly signCount: number;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
}

/** @throws LatchkeyError credential_invalid, relying_party_mismatch, user_verification_missing. */
export function readAuthenticatorData(bytes: Uint8Array, rpId: string): AuthenticatorData {
  // A copy over an ArrayBuffer of its own: the parser writes into what it is given.
  const { rpIdHash, flags, counter } = decoded(() => parseAuthenticatorData(new Uint8Array(bytes)));
  if (!createHash('sha256').update(rpId).digest().equals(rpIdHash))
    throw new LatchkeyError('relying_party_mismatch');
  if (!flags.up || !flags.uv) throw new LatchkeyError('user_verification_missing');
  return { signCount: counter, isBackupEligible: flags.be, isBackedUp: flags.bs };
}

function decoded<T>(decode: () => T): T {
  try {
    const value = decode();
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Below: what does not decode is as invalid as what decodes to nothing.
  }
  throw invalid();
}

function invalid(): LatchkeyError {
  return new LatchkeyError('credential_invalid');
}
