/**
 * Proof of a device's approval key: a compact JWS by that key over the ceremony's challenge and the thumbprint of the session key, so that the
 * two keys and the passkey are bound in one act. Its `typ` keeps it apart from every other signature the device makes.
 */
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';
import { LatchkeyError } from '../../domain/errors.ts';
import { readCompactJws } from '../proofs/compact-jws.ts';
import type { EcPublicJwk } from '../types.ts';

export const APPROVAL_KEY_TYPE = 'latchkey-approval-key+jwt';
const MAX_PROOF_LENGTH = 2048;

/** Answers the key's thumbprint (RFC 7638). @throws LatchkeyError approval_key_invalid, whatever is wrong. */
export async function verifyApprovalKey(args: {
  readonly jwk: EcPublicJwk;
  readonly proof: string;
  readonly challenge: string;
  readonly sessionJkt: string;
}): Promise<string> {
  const { jwk, proof, challenge, sessionJkt } = args;
  const read = readCompactJws(proof, MAX_PROOF_LENGTH);
  if (read === undefined || read.header['typ'] !== APPROVAL_KEY_TYPE) throw invalid();
  if (read.payload['challenge'] !== challenge) throw invalid();
  if (read.payload['sessionJkt'] !== sessionJkt) throw invalid();
  const jkt = await verifiedThumbprint(jwk, proof);
  // One key for both would make every silent proof an approval.
  if (jkt === sessionJkt) throw invalid();
  return jkt;
}

async function verifiedThumbprint(jwk: EcPublicJwk, proof: string): Promise<string> {
  try {
    await compactVerify(proof, await importJWK(jwk, 'ES256'), { algorithms: ['ES256'] });
    return await calculateJwkThumbprint(jwk);
  } catch (cause) {
    throw new LatchkeyError('approval_key_invalid', { cause });
  }
}

function invalid(): LatchkeyError {
  return new LatchkeyError('approval_key_invalid');
}
