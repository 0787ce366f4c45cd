/**
 * The final grant of a step-up, judged under the customer's lock: epoch, hold, device, session, passkey and the challenge that was sent last.
 * The API verified the signatures; what was signed is compared here with the rows as they stand now, so that no earlier opening, no
 * other step-up and no cut-off can be overtaken.
 */
import { timingSafeEqual } from 'node:crypto';
import type { AttestationLevel, DeviceStatus } from '../domain/auth-strength.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { isStoppedByFreeze } from '../domain/freeze.ts';
import { appendAudit } from './audit.ts';
import { spendChallenge } from './challenges.ts';
import type { Tx } from './connection.ts';
import { useCredential } from './credentials.ts';
import { customerStops, type LockedCustomer } from './customer-lock.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';
import { openSubmission, type Submission } from './step-submissions.ts';
import { together } from './together.ts';

/** What the API hands in once both signatures were good, as the submission of the step `step_up_approval`. */
export interface VerifiedApproval {
  readonly kind: 'approval';
  readonly credentialId: string;
  readonly signCount: number;
  readonly isBackedUp: boolean;
  /** As the authenticator answered, for the receipt. */
  readonly assertion: {
    readonly response: { readonly clientDataJSON: string } & Readonly<Record<string, unknown>>;
  } & Readonly<Record<string, unknown>>;
  /** Compact JWS of the approval key. */
  readonly approvalSignature: string;
  readonly deviceId: string;
  readonly sessionId: string;
}

/** What goes into the evidence. */
export interface ProvedKeys {
  readonly approval: VerifiedApproval;
  readonly device: ApprovingDevice;
  readonly credential: ApprovingCredential;
}

export interface ApprovingDevice {
  readonly deviceId: string;
  readonly customerId: string;
  readonly status: DeviceStatus;
  readonly name: string;
  readonly platform: string;
  readonly attestationLevel: AttestationLevel;
  readonly approvalJwk: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly trustedAt: Date | null;
}

export interface ApprovingCredential {
  readonly credentialId: string;
  readonly customerId: string;
  readonly webauthnId: string;
  readonly publicKey: Uint8Array;
  readonly aaguid: string;
  readonly attestationFormat: string;
  readonly backupEligible: boolean;
}

interface Judged {
  readonly before: StepUpRecord;
  readonly customer: LockedCustomer | undefined;
}

/**
 * Called under the customer's and the ceremony's lock. `risk_refused`: the passkey's counter did not move forward, a sign of a copy.
 * @throws LatchkeyError revoked, customer_on_hold, customer_frozen, device_not_allowed, session_ended, credential_unknown, approval_invalid,
 * challenge_spent.
 */
export async function judgeApproval(
  tx: Tx,
  { personalData }: StepUpTools,
  { before, customer, submission }: Judged & { readonly submission: Submission | undefined },
): Promise<ProvedKeys | 'risk_refused'> {
  if (submission === undefined) throw new LatchkeyError('approval_invalid');
  const { tenantId, customerId, challenge } = before;
  const [, approval] = await together([
    refuseCutOff(tx, { before, customer }),
    openSubmission<VerifiedApproval>(tx, personalData, tenantId, submission),
  ]);
  const [device, , credential] = await together([
    approvingDevice(tx, before, approval),
    refuseDeadSession(tx, before, approval),
    approvingCredential(tx, before, approval.credentialId),
  ]);
  if (challenge === null || !isForChallenge(approval, before, challenge))
    throw new LatchkeyError('approval_invalid');
  const use = await useCredential(tx, { tenantId, ...approval });
  if (use === 'inactive') throw new LatchkeyError('credential_unknown');
  if (use === 'regressed') {
    await appendAudit(tx, {
      tenantId,
      actor: { kind: 'customer', id: customerId },
      action: 'credential.counter_regressed',
      subject: { kind: 'credential', id: approval.credentialId },
      customerId,
      ceremonyId: before.stepUpId,
      detail: { shown: approval.signCount },
    });
    return 'risk_refused';
  }
  if (!(await spendChallenge(tx, challenge, before.approveByMs)))
    throw new LatchkeyError('challenge_spent');
  return { approval, device, credential };
}

/**
 * That what approved may still approve: before the code counts, and before the requester uses it.
 * @throws LatchkeyError revoked, customer_on_hold, customer_frozen, device_not_allowed, credential_unknown.
 */
export async function judgeStanding(tx: Tx, judged: Judged): Promise<void> {
  const { before } = judged;
  const { approvedDeviceId: deviceId } = before;
  const credentialId = before.approvedCredentialId ?? before.credentialId;
  await together([
    refuseCutOff(tx, judged),
    ...(deviceId === null ? [] : [trustedDevice(tx, before, deviceId)]),
    ...(credentialId === null ? [] : [approvingCredential(tx, before, credentialId)]),
  ]);
}

async function refuseCutOff(tx: Tx, { before, customer }: Judged): Promise<void> {
  if (customer?.status !== 'active' || customer.epoch !== before.epoch)
    throw new LatchkeyError('revoked');
  const { isHeld, isFrozen } = await customerStops(tx, before.tenantId, before.customerId);
  if (isHeld) throw new LatchkeyError('customer_on_hold');
  if (isFrozen && isStoppedByFreeze(before.actionType)) throw new LatchkeyError('customer_frozen');
}

async function approvingDevice(
  tx: Tx,
  before: StepUpRecord,
  { deviceId }: VerifiedApproval,
): Promise<ApprovingDevice> {
  if (before.deviceId !== null && before.deviceId !== deviceId)
    throw new LatchkeyError('device_not_allowed');
  // What was sent to one device is signed on that one.
  if (before.openedDeviceId !== deviceId) throw new LatchkeyError('approval_invalid');
  return await trustedDevice(tx, before, deviceId);
}

async function trustedDevice(
  tx: Tx,
  { tenantId, customerId }: StepUpRecord,
  deviceId: string,
): Promise<ApprovingDevice> {
  const [device] = await tx<ApprovingDevice[]>`
    select device_id, customer_id, status, name, platform, attestation_level, approval_jwk, created_at, trusted_at from device
    where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  if (device?.customerId !== customerId || device.status !== 'trusted')
    throw new LatchkeyError('device_not_allowed');
  return device;
}

/** Sessions end under the customer's lock, so that this reading stands until the grant is committed. */
async function refuseDeadSession(
  tx: Tx,
  { tenantId, customerId, epoch }: StepUpRecord,
  { sessionId, deviceId }: VerifiedApproval,
): Promise<void> {
  const rows = await tx`
    select 1 from session
    where tenant_id = ${tenantId} and session_id = ${sessionId} and customer_id = ${customerId} and device_id = ${deviceId}
      and status = 'live' and epoch = ${epoch}`;
  if (rows.length === 0) throw new LatchkeyError('session_ended');
}

async function approvingCredential(
  tx: Tx,
  { tenantId, customerId }: StepUpRecord,
  credentialId: string,
): Promise<ApprovingCredential> {
  const [credential] = await tx<(ApprovingCredential & { readonly status: string })[]>`
    select credential_id, customer_id, webauthn_id, public_key, aaguid, attestation_format, backup_eligible, status from credential
    where tenant_id = ${tenantId} and credential_id = ${credentialId}`;
  if (credential?.customerId !== customerId || credential.status !== 'active')
    throw new LatchkeyError('credential_unknown');
  return credential;
}

/** Both signed texts name the challenge; the API has verified their signatures, not which opening they answer. */
function isForChallenge(
  { assertion, approvalSignature }: VerifiedApproval,
  { stepUpId }: StepUpRecord,
  challenge: Uint8Array,
): boolean {
  const client = jsonOf(assertion.response.clientDataJSON);
  const signed = jsonOf(approvalSignature.split('.')[1] ?? '');
  return (
    isSame(client['challenge'], challenge) &&
    isSame(signed['challenge'], challenge) &&
    signed['stepUpId'] === stepUpId
  );
}

function jsonOf(base64url: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64url, 'base64url').toString('utf8'));
    // A JSON object's members are unknown, which is all that is read of them.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isSame(given: unknown, challenge: Uint8Array): boolean {
  if (typeof given !== 'string') return false;
  const bytes = Buffer.from(given, 'base64url');
  return bytes.length === challenge.length && timingSafeEqual(bytes, challenge);
}
