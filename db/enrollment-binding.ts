/**
 * The final grant of an enrollment: device trusted, passkey active, contacts proved, customer active, in the one transaction that ends the
 * ceremony. It reads the customer under a lock first and compares epoch and status (SECURITY.md section 1), so that no cut-off can be overtaken.
 */
import type { AttestationLevel } from '../domain/auth-strength.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { appendAudit } from './audit.ts';
import { spendChallenge } from './challenges.ts';
import type { Tx } from './connection.ts';
import {
  IDENTITY_PURPOSE,
  sendMessage,
  type EnrollmentTools,
  type IdentityDetails,
} from './enrollment-effects.ts';
import type { EnrollmentRecord } from './enrollment.ts';
import { enqueue } from './outbox.ts';
import { latestIdentityAttempt } from './step-attempts.ts';
import { openSubmission, type Submission } from './step-submissions.ts';

/** What the API verified before it wrote the submission. Bytes are base64url. */
export interface VerifiedPasskey {
  readonly challengeHash: string;
  readonly challengeExpiresAtMs: number;
  readonly webauthnId: string;
  readonly publicKey: string;
  readonly userHandle: string;
  readonly signCount: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  readonly attestationFormat: string;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
  readonly device: { readonly name: string; readonly platform: string };
  readonly sessionJwk: PublicJwk;
  readonly approvalJkt: string;
  readonly approvalJwk: PublicJwk;
}

export type PublicJwk = Readonly<Record<string, string>>;

type BoundPhone = Pick<EnrollmentRecord, 'tenantId' | 'customerId' | 'clientId' | 'jkt'>;

interface BoundPhoneIds {
  readonly deviceId: string;
  readonly credentialId: string;
  readonly attestationLevel: AttestationLevel;
}

/** Called with the customer's row locked and the ceremony moved. @throws LatchkeyError, or a unique violation (see refusalOfViolation). */
export async function bindPasskey(
  tx: Tx,
  { personalData, newId }: EnrollmentTools,
  enrollment: EnrollmentRecord,
  submission: Submission | undefined,
): Promise<void> {
  if (submission === undefined) throw new TypeError('a passkey comes by a submission');
  const { tenantId, enrollmentId, customerId } = enrollment;
  await refuseCutOff(tx, enrollment);
  const passkey = await openSubmission<VerifiedPasskey>(tx, personalData, tenantId, submission);
  if (!(await spendChallenge(tx, bytes(passkey.challengeHash), passkey.challengeExpiresAtMs)))
    throw new LatchkeyError('challenge_spent');

  const deviceId = newId('device');
  await insertBoundPhone(tx, enrollment, passkey, {
    deviceId,
    credentialId: newId('credential'),
    attestationLevel: 'software',
  });
  const personId = await knownPerson(tx, { personalData, newId }, enrollment);
  await tx`
    update contact set status = 'proved', proved_at = latchkey_now()
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'unproved'`;
  await tx`
    update customer set status = 'active', activated_at = latchkey_now(), person_id = ${personId}
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx`
    update ceremony set device_id = ${deviceId} where tenant_id = ${tenantId} and ceremony_id = ${enrollmentId}`;
  await tell(tx, enrollment, deviceId);
}

async function refuseCutOff(tx: Tx, enrollment: EnrollmentRecord): Promise<void> {
  const [customer] = await tx<{ status: string; securityEpoch: number }[]>`
    select status, security_epoch from customer
    where tenant_id = ${enrollment.tenantId} and customer_id = ${enrollment.customerId} for no key update`;
  if (customer?.status !== 'prospect' || customer.securityEpoch !== enrollment.epoch)
    throw new LatchkeyError('revoked');
}

/** A trusted device and its active passkey: the last statements of whoever has judged that they are due. */
export async function insertBoundPhone(
  tx: Tx,
  { tenantId, customerId, clientId, jkt }: BoundPhone,
  passkey: VerifiedPasskey,
  { deviceId, credentialId, attestationLevel }: BoundPhoneIds,
): Promise<void> {
  await tx`
    insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
                        approval_jkt, approval_jwk, attestation_level, trusted_at)
    values (${tenantId}, ${deviceId}, ${customerId}, ${clientId}, 'trusted', ${passkey.device.name}, ${passkey.device.platform},
            ${jkt}, ${tx.json(passkey.sessionJwk)}, ${passkey.approvalJkt}, ${tx.json(passkey.approvalJwk)}, ${attestationLevel}, latchkey_now())`;
  await tx`
    insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count, transports,
                            aaguid, attestation_format, backup_eligible, backed_up, status)
    values (${tenantId}, ${credentialId}, ${customerId}, ${deviceId}, ${passkey.webauthnId}, ${bytes(passkey.publicKey)},
            ${bytes(passkey.userHandle)}, ${passkey.signCount}, ${[...passkey.transports]}, ${passkey.aaguid}, ${passkey.attestationFormat},
            ${passkey.isBackupEligible}, ${passkey.isBackedUp}, 'active')`;
}

/** The person of the proofed document, made when nobody knew him; the document's number itself is forgotten here. */
async function knownPerson(
  tx: Tx,
  { personalData, newId }: EnrollmentTools,
  { tenantId, enrollmentId, customerId }: EnrollmentRecord,
): Promise<string> {
  const attempt = await latestIdentityAttempt(tx, tenantId, enrollmentId);
  if (
    attempt?.verdict !== 'verified' ||
    attempt.sealedDetail === null ||
    attempt.evidenceId === null
  )
    throw new TypeError('a passkey is bound only after a verified identity');
  const target = { tenantId, customerId, purpose: IDENTITY_PURPOSE };
  // Sealed by openIdentityCheck under that purpose.
  const details = JSON.parse(
    await personalData.open(tx, target, attempt.sealedDetail),
  ) as IdentityDetails;
  const { documentNumber, ...kept } = details;
  if (documentNumber === undefined) throw new TypeError('an identity is bound once');
  const index = personalData.blindIndex(tenantId, 'document', documentNumber);
  await tx`
    insert into person (tenant_id, person_id, identity_index, evidence_id)
    values (${tenantId}, ${newId('person')}, ${index}, ${attempt.evidenceId}) on conflict do nothing`;
  const [person] = await tx<{ personId: string }[]>`
    select person_id from person where tenant_id = ${tenantId} and identity_index = ${index}`;
  if (person === undefined) throw new TypeError('a person inserted or found');
  await tx`
    update step_attempt set sealed_detail = ${await personalData.seal(tx, target, JSON.stringify(kept))}
    where tenant_id = ${tenantId} and attempt_id = ${attempt.attemptId}`;
  return person.personId;
}

async function tell(tx: Tx, enrollment: EnrollmentRecord, deviceId: string): Promise<void> {
  const { tenantId, enrollmentId, customerId } = enrollment;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'device.trusted',
    subject: { kind: 'device', id: deviceId },
    customerId,
    ceremonyId: enrollmentId,
    detail: { attestationLevel: 'software' },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.customer_enrolled',
      data: { customerId, deviceId, enrollmentId, clientId: enrollment.clientId },
    },
  });
  await sendMessage(tx, enrollment, { kind: 'phone', template: 'enrollment_completed' });
  await sendMessage(tx, enrollment, { kind: 'email', template: 'enrollment_completed' });
}

export type ProofedIdentity = Pick<IdentityDetails, 'givenName' | 'familyName' | 'birthDate'>;

/** The proofed given name of an active customer, for greeting him; undefined when nothing was proofed. */
export async function proofedGivenName(
  tx: Tx,
  personalData: EnrollmentTools['personalData'],
  subject: { readonly tenantId: string; readonly customerId: string },
): Promise<string | undefined> {
  return (await proofedIdentity(tx, personalData, subject))?.givenName;
}

/** What the identity check proved of an active customer, without the document; undefined when nothing was proofed. */
export async function proofedIdentity(
  tx: Tx,
  personalData: EnrollmentTools['personalData'],
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<ProofedIdentity | undefined> {
  const [row] = await tx<{ sealedDetail: Uint8Array }[]>`
    select a.sealed_detail from step_attempt a join ceremony c using (tenant_id, ceremony_id)
    where a.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.outcome = 'completed'
      and a.method = 'identity_vendor' and a.verdict = 'verified' and a.sealed_detail is not null
    order by a.created_at desc limit 1`;
  if (row === undefined) return undefined;
  const text = await personalData.open(
    tx,
    { tenantId, customerId, purpose: IDENTITY_PURPOSE },
    row.sealedDetail,
  );
  // Sealed by openIdentityCheck or knownPerson under that purpose.
  const { givenName, familyName, birthDate } = JSON.parse(text) as IdentityDetails;
  return { givenName, familyName, birthDate };
}

function bytes(base64url: string): Uint8Array {
  return Buffer.from(base64url, 'base64url');
}
