/**
 * From a passkey's answer and an approval key's proof to what an enrollment or a recovery may bind. Everything is verified here, against a challenge
 * that only this key was given for this ceremony; the grant itself, and spending the challenge, is the workflow's transaction.
 */
import type { VerifiedPasskey } from '../../db/enrollment-binding.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement } from '../../domain/ports.ts';
import { openChallenge, type ChallengeContext } from '../proofs/challenges.ts';
import type { BindPasskeyBody } from '../schemas/enrollments.ts';
import type { EcPublicJwk, RequestTenant } from '../types.ts';
import { verifyApprovalKey } from '../webauthn/approval-key.ts';
import { verifyRegistration } from '../webauthn/registration.ts';

/** The ceremony that ends with a passkey, and the phone that it is for. */
export interface RegisteringPhone {
  readonly tenantId: string;
  readonly ceremonyId: string;
  readonly customerId: string;
  readonly clientId: string;
  readonly jkt: string;
  /** Of the database. */
  readonly nowMs: number;
}

/** What the challenge of that ceremony is good for: the same on both sides. */
export function registrationContext(
  { rpId }: Pick<RequestTenant, 'rpId'>,
  { tenantId, ceremonyId, customerId, clientId, jkt }: RegisteringPhone,
): ChallengeContext {
  const purpose = 'passkey_registration';
  return { purpose, tenantId, rpId, clientId, jkt, customerId, ceremonyId };
}

/** @throws LatchkeyError with a code of its own for each thing that can be wrong. */
export async function preparePasskey(args: {
  readonly kms: KeyManagement;
  readonly rpId: string;
  /** The tenant's and the client's, native app ids among them. */
  readonly origins: readonly string[];
  readonly record: RegisteringPhone;
  readonly sessionJwk: EcPublicJwk;
  readonly body: BindPasskeyBody;
}): Promise<VerifiedPasskey> {
  const { kms, rpId, origins, record, body } = args;
  const context = registrationContext({ rpId }, record);
  const { challenge, ...passkey } = await verifyRegistration({
    response: body.credential,
    rpId,
    origins,
    openChallenge: (encoded) => ({ encoded, opened: openChallenge(kms, context, encoded) }),
  });
  // By the database's clock; the grant looks once more.
  if (challenge.opened.expiresAtMs <= record.nowMs) throw new LatchkeyError('challenge_invalid');
  const approvalJkt = await verifyApprovalKey({
    jwk: body.approvalKey.jwk,
    proof: body.approvalKey.proof,
    challenge: challenge.encoded,
    sessionJkt: record.jkt,
  });
  return {
    ...passkey,
    publicKey: base64url(passkey.publicKey),
    userHandle: base64url(Buffer.from(record.customerId, 'utf8')),
    challengeHash: base64url(challenge.opened.hash),
    challengeExpiresAtMs: challenge.opened.expiresAtMs,
    device: { name: body.device.name.trim(), platform: body.device.platform },
    sessionJwk: publicMembers(args.sessionJwk),
    approvalJkt,
    approvalJwk: publicMembers(body.approvalKey.jwk),
  };
}

function publicMembers({ kty, crv, x, y }: EcPublicJwk): VerifiedPasskey['sessionJwk'] {
  return { kty, crv, x, y };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
