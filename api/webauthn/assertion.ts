/**
 * The edge around @simplewebauthn/server for logins and approvals (SECURITY.md section 3): a staircase of guards, each with its own code, and a
 * signature check that costs the same whether or not the passkey is known. It writes nothing and grants nothing; the counter is judged
 * where it is kept, by compare-and-set.
 */
import { generateKeyPairSync } from 'node:crypto';
import { verifyAuthenticationResponse } from '@simplewebauthn/server';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { LatchkeyError } from '../../domain/errors.ts';
import { readAuthenticatorData, readClientData } from './ceremony-data.ts';

/** The part of a credential's row that verifies. */
export interface KnownCredential {
  readonly webauthnId: string;
  readonly publicKey: Uint8Array;
  readonly userHandle: Uint8Array;
}

export interface VerifiedAssertion {
  readonly signCount: number;
  readonly isBackedUp: boolean;
}

/** What an answer says before anybody knows whose it is. */
export function readAssertion(
  response: AuthenticationResponseJSON,
  expected: { readonly rpId: string; readonly origins: readonly string[] },
): { readonly challenge: string; readonly origin: string } {
  if (response.id !== response.rawId) throw new LatchkeyError('credential_invalid');
  const clientData = readClientData(response.response.clientDataJSON, {
    type: 'webauthn.get',
    origins: expected.origins,
  });
  readAuthenticatorData(
    Buffer.from(response.response.authenticatorData, 'base64url'),
    expected.rpId,
  );
  return clientData;
}

/** @throws LatchkeyError credential_unknown, credential_invalid. Call readAssertion() and open the challenge first. */
export async function verifyAssertion(
  response: AuthenticationResponseJSON,
  credential: KnownCredential | undefined,
  expected: { readonly rpId: string; readonly origin: string; readonly challenge: string },
  /** Authenticators may leave it out where they were told which passkeys are meant (WebAuthn Level 3 section 7.2, step 6). */
  userHandleIs: 'required' | 'optional' = 'required',
): Promise<VerifiedAssertion> {
  const isVerified = await isSignedBy(credential?.publicKey ?? STRANGER, response, expected);
  if (credential === undefined) throw new LatchkeyError('credential_unknown');
  const { userHandle, authenticatorData } = response.response;
  const isOwner =
    userHandle === undefined
      ? userHandleIs === 'optional'
      : Buffer.from(credential.userHandle).equals(Buffer.from(userHandle, 'base64url'));
  if (!isVerified || !isOwner) throw new LatchkeyError('credential_invalid');
  return readAuthenticatorData(Buffer.from(authenticatorData, 'base64url'), expected.rpId);
}

async function isSignedBy(
  publicKey: Uint8Array,
  response: AuthenticationResponseJSON,
  expected: { readonly rpId: string; readonly origin: string; readonly challenge: string },
): Promise<boolean> {
  try {
    const { verified } = await verifyAuthenticationResponse({
      response,
      expectedType: 'webauthn.get',
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: expected.rpId,
      requireUserVerification: true,
      // Counter 0 lets every counter pass here: db/credentials.ts compares and sets, and a regress is a sign of risk, no refusal.
      credential: { id: response.id, publicKey: new Uint8Array(publicKey), counter: 0 },
    });
    return verified;
  } catch {
    // The library throws for what it cannot read; its messages are never matched.
    return false;
  }
}

/** Nobody's key, made anew by each process: what unknown passkeys are checked against, at the same cost. */
const STRANGER = coseP256();

function coseP256(): Uint8Array {
  const { x = '', y = '' } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
  }).publicKey.export({ format: 'jwk' });
  return Buffer.concat([
    // RFC 9053 section 7.1.1: kty EC2, alg ES256, crv P-256, x, y.
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
}
