/**
 * Registering a passkey (WebAuthn Level 3 section 7.1): a flat staircase of guards, each with its own code, around the library. Discoverable,
 * user verification required, no attestation asked for. It grants nothing: what it verified is handed to the ceremony.
 */
import { generateRegistrationOptions, verifyRegistrationResponse } from '@simplewebauthn/server';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { decodeAttestationObject } from '@simplewebauthn/server/helpers';
import { LatchkeyError } from '../../domain/errors.ts';
import { readAuthenticatorData, readClientData } from './ceremony-data.ts';

/** COSE: ES256, EdDSA, RS256, in the order of preference. */
const ALGORITHMS = [-7, -8, -257];

export interface RegistrationUser {
  /** The user handle: opaque and pseudonymous, the customer's id. */
  readonly handle: string;
  /** What the passkey's owner sees in his list: his own e-mail address. */
  readonly name: string;
  readonly displayName: string;
}

/** `challenge` is base64url and comes back as it is. */
export async function registrationOptions(args: {
  readonly rpId: string;
  readonly rpName: string;
  readonly challenge: string;
  readonly user: RegistrationUser;
  readonly timeoutSeconds: number;
}): Promise<PublicKeyCredentialCreationOptionsJSON> {
  return await generateRegistrationOptions({
    rpID: args.rpId,
    rpName: args.rpName,
    challenge: bytesOf(args.challenge),
    userID: new TextEncoder().encode(args.user.handle),
    userName: args.user.name,
    userDisplayName: args.user.displayName,
    timeout: args.timeoutSeconds * 1000,
    attestationType: 'none',
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    supportedAlgorithmIDs: ALGORITHMS,
  });
}

export interface VerifiedRegistration<Challenge> {
  readonly challenge: Challenge;
  readonly webauthnId: string;
  readonly publicKey: Uint8Array;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  readonly attestationFormat: string;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
}

/**
 * @throws LatchkeyError origin_mismatch, relying_party_mismatch, user_verification_missing, credential_invalid, and whatever
 * `openChallenge` throws for a challenge that is not ours.
 */
export async function verifyRegistration<Challenge>(args: {
  readonly response: RegistrationResponseJSON;
  readonly rpId: string;
  readonly origins: readonly string[];
  readonly openChallenge: (challenge: string) => Challenge;
}): Promise<VerifiedRegistration<Challenge>> {
  const { response, rpId, origins } = args;
  if (response.id !== response.rawId) throw invalid();
  const clientData = readClientData(response.response.clientDataJSON, {
    type: 'webauthn.create',
    origins,
  });
  const challenge = args.openChallenge(clientData.challenge);
  const attestation = readAttestation(response.response.attestationObject);
  readAuthenticatorData(attestation.authenticatorData, rpId);
  if (response.clientExtensionResults.credProps?.rk === false) throw invalid();

  const registration = await judgedByLibrary(args, clientData);
  return {
    challenge,
    webauthnId: registration.credential.id,
    publicKey: registration.credential.publicKey,
    signCount: registration.credential.counter,
    transports: registration.credential.transports ?? [],
    aaguid: registration.aaguid,
    attestationFormat: registration.fmt,
    isBackupEligible: registration.credentialDeviceType === 'multiDevice',
    isBackedUp: registration.credentialBackedUp,
  };
}

async function judgedByLibrary(
  args: { response: RegistrationResponseJSON; rpId: string },
  clientData: { challenge: string; origin: string },
) {
  try {
    const result = await verifyRegistrationResponse({
      response: args.response,
      expectedChallenge: clientData.challenge,
      expectedOrigin: clientData.origin,
      expectedRPID: args.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    // A failed check often answers false and throws nothing.
    if (result.verified && result.registrationInfo.userVerified) return result.registrationInfo;
  } catch (cause) {
    throw new LatchkeyError('credential_invalid', { cause });
  }
  throw invalid();
}

/**
 * None, or self attestation, which is what a client that was asked for none may send. A certificate chain would have to be held against
 * pinned roots; nobody asked for one.
 */
function readAttestation(encoded: string): { authenticatorData: Uint8Array } {
  const attestation = decoded(encoded);
  const format = attestation.get('fmt');
  const isSelf = format === 'packed' && attestation.get('attStmt').get('x5c') === undefined;
  if (format !== 'none' && !isSelf) throw invalid();
  return { authenticatorData: attestation.get('authData') };
}

function decoded(encoded: string) {
  try {
    const attestation = decodeAttestationObject(bytesOf(encoded));
    if (attestation.get('authData') instanceof Uint8Array) return attestation;
  } catch (cause) {
    throw new LatchkeyError('credential_invalid', { cause });
  }
  throw invalid();
}

/** Over an ArrayBuffer of its own: the decoders write into what they are given. */
function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64url, 'base64url'));
}

function invalid(): LatchkeyError {
  return new LatchkeyError('credential_invalid');
}
