/**
 * The two signatures of an approval (SECURITY.md section 5): the passkey's assertion and the JWS of the same device's approval key, both over the
 * challenge that was sent last. A flat staircase of guards, each with a code of its own. It grants nothing: the grant judges the rows again.
 */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { readCompactJws } from '../proofs/compact-jws.ts';
import { importEs256, isSignedBy } from '../proofs/es256.ts';
import type { EcPublicJwk } from '../types.ts';
import { readAssertion, verifyAssertion, type KnownCredential } from './assertion.ts';
import type { VerifiedAssertion } from './assertion.ts';

const APPROVAL_TYPE = 'latchkey-approval+jwt';
const MAX_SIGNATURE_LENGTH = 2048;

/** What both signatures must be over. */
export interface SignedApproval {
  readonly stepUpId: string;
  /** Base64url of 32 bytes, as the app got it. */
  readonly challenge: string;
  /** The tenant's. */
  readonly issuer: string;
}

/**
 * The passkey's half. `credential`: of that customer, or undefined.
 * @throws LatchkeyError credential_invalid, origin_mismatch, relying_party_mismatch, user_verification_missing, challenge_invalid,
 * credential_unknown.
 */
export async function verifyApprovalAssertion(args: {
  readonly assertion: AuthenticationResponseJSON;
  readonly credential: KnownCredential | undefined;
  readonly rpId: string;
  readonly origins: readonly string[];
  readonly signed: Pick<SignedApproval, 'challenge'>;
}): Promise<VerifiedAssertion> {
  const { assertion, credential, rpId, origins, signed } = args;
  const { challenge, origin } = readAssertion(assertion, { rpId, origins });
  // Another opening's, another step-up's, a login's: whatever it is, it was not made for this text.
  if (challenge !== signed.challenge) throw new LatchkeyError('challenge_invalid');
  return await verifyAssertion(assertion, credential, { rpId, origin, challenge }, 'optional');
}

/** The device's half. @throws LatchkeyError approval_invalid; `detail` says which guard. */
export function verifyApprovalSignature(
  signature: string,
  { jwk, signed }: { readonly jwk: EcPublicJwk; readonly signed: SignedApproval },
): void {
  const read = readCompactJws(signature, MAX_SIGNATURE_LENGTH);
  if (read === undefined) throw invalid('form');
  if (read.header['typ'] !== APPROVAL_TYPE) throw invalid('typ');
  if (read.header['alg'] !== 'ES256') throw invalid('alg');
  // One text for one approval: no further member may be signed along.
  const { challenge, issuer, stepUpId } = signed;
  const payload = Buffer.from(canonicalJson({ challenge, iss: issuer, stepUpId }), 'utf8');
  if (read.signed.split('.')[1] !== payload.toString('base64url')) throw invalid('payload');
  if (!isSignedBy(importEs256(jwk), read)) throw invalid('signature');
}

function invalid(detail: string): LatchkeyError {
  return new LatchkeyError('approval_invalid', { detail });
}
