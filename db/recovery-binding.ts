/**
 * The final grant of a recovery: a new phone and its passkey under a new epoch, everything old revoked, limits lowered, in the one transaction
 * that ends the case. It judges epoch, hold, ledger, approvals, time to object and key once more under the customer's lock: nothing that a
 * workflow believes gives anybody a key (SECURITY.md sections 1 and 6).
 */
import type { AttestationLevel } from '../domain/auth-strength.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { appendAudit } from './audit.ts';
import { spendChallenge } from './challenges.ts';
import type { Tx } from './connection.ts';
import { hasActiveHold } from './customer-lock.ts';
import { insertBoundPhone, type VerifiedPasskey } from './enrollment-binding.ts';
import { enqueue } from './outbox.ts';
import { approversOf } from './recovery-facts.ts';
import type { RecoveryRecord, RecoveryTools } from './recovery.ts';
import { openSubmission, type Submission } from './step-submissions.ts';

/** What the API verified before it wrote the submission. */
export interface VerifiedRecoveryPasskey extends VerifiedPasskey {
  /** Of the key that sent it: the thumbprint of `sessionJwk`. */
  readonly sessionJkt: string;
  readonly attestationLevel: AttestationLevel;
}

/**
 * Called with customer and case locked, the move written. `before` is the case as it was in `rebind`.
 * @throws LatchkeyError, or a unique violation (refusalOfRecoveryViolation in recovery-store.ts); then nothing is changed.
 */
export async function bindRecoveredPhone(
  tx: Tx,
  { personalData, newId }: RecoveryTools,
  before: RecoveryRecord,
  submission: Submission | undefined,
): Promise<void> {
  if (submission === undefined) throw new LatchkeyError('wrong_step');
  const { tenantId, customerId, policy } = before;
  const epoch = await refuseCutOff(tx, before);
  await refuseUnproved(tx, before);
  const passkey = await openSubmission<VerifiedRecoveryPasskey>(
    tx,
    personalData,
    tenantId,
    submission,
  );
  const { clientId, jkt } = before;
  if (clientId === null || jkt === null || passkey.sessionJkt !== jkt)
    throw new LatchkeyError('dpop_key_mismatch');
  await refuseWeaker(tx, before, passkey.attestationLevel);
  const hash = Buffer.from(passkey.challengeHash, 'base64url');
  if (!(await spendChallenge(tx, hash, passkey.challengeExpiresAtMs)))
    throw new LatchkeyError('challenge_spent');

  const revocationId = newId('revocation');
  await revokeEverythingOld(tx, before, { revocationId, newEpoch: epoch + 1 });
  const [deviceId, credentialId] = [newId('device'), newId('credential')];
  await insertBoundPhone(tx, { tenantId, customerId, clientId, jkt }, passkey, {
    deviceId,
    credentialId,
    attestationLevel: passkey.attestationLevel,
  });
  await tx`
    update ceremony set device_id = ${deviceId} where tenant_id = ${tenantId} and ceremony_id = ${before.recoveryId}`;
  await tx`
    update recovery
    set new_device_id = ${deviceId}, new_credential_id = ${credentialId}, revocation_id = ${revocationId},
        limited_until = latchkey_now() + make_interval(secs => ${policy.recovery.limitedSeconds})
    where tenant_id = ${tenantId} and recovery_id = ${before.recoveryId}`;
  await tell(tx, before, {
    deviceId,
    revocationId,
    clientId,
    attestation: passkey.attestationLevel,
  });
}

/** Answers the epoch that the case and the customer have in common. */
async function refuseCutOff(
  tx: Tx,
  { tenantId, customerId, epoch }: RecoveryRecord,
): Promise<number> {
  const [customer] = await tx<{ status: string; securityEpoch: number }[]>`
    select status, security_epoch from customer
    where tenant_id = ${tenantId} and customer_id = ${customerId} for update`;
  if (customer?.status !== 'active' || customer.securityEpoch !== epoch)
    throw new LatchkeyError('revoked');
  if (await hasActiveHold(tx, tenantId, customerId)) throw new LatchkeyError('customer_on_hold');
  return epoch;
}

async function refuseUnproved(tx: Tx, before: RecoveryRecord): Promise<void> {
  const { missing, people, times, coolingFromMs, coolingShortenedAtMs, nowMs } = before;
  if (missing.length > 0) throw new LatchkeyError('factors_missing');
  if ((await approversOf(tx, before)) < people) throw new LatchkeyError('approval_void');
  const shortest = coolingShortenedAtMs === null ? times.coolingMs : times.coolingFloorMs;
  const waitedMs = coolingFromMs === null ? -1 : (coolingShortenedAtMs ?? nowMs) - coolingFromMs;
  if (waitedMs < shortest) throw new LatchkeyError('cooling_off');
}

/** No recovery ends below the assurance that the account had. */
async function refuseWeaker(
  tx: Tx,
  { tenantId, customerId }: RecoveryRecord,
  level: AttestationLevel,
): Promise<void> {
  if (level === 'hardware') return;
  const better = await tx`
    select 1 from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} and attestation_level = 'hardware' and trusted_at is not null`;
  if (better.length > 0) throw new LatchkeyError('device_too_weak');
}

/** Devices and passkeys here; sessions, step-ups and their workflows by the revocation, which finds them dead by their epoch. No hold. */
async function revokeEverythingOld(
  tx: Tx,
  { tenantId, customerId, recoveryId, policy }: RecoveryRecord,
  { revocationId, newEpoch }: { readonly revocationId: string; readonly newEpoch: number },
): Promise<void> {
  // Without `epoch_raised_at`: every passkey that could have answered an older challenge is revoked below, and the new one logs in next.
  await tx`
    update customer set security_epoch = ${newEpoch}, cut_off_seq = cut_off_seq + 1
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  const devices = await tx`
    update device set status = 'revoked', ended_at = latchkey_now(), suspended_from = null, suspended_by = null
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'revoked'`;
  const credentials = await tx`
    update credential set status = 'revoked', suspended_by = null
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'revoked'`;
  const localTokenSeconds = policy.session.accessTokenSeconds + policy.dpop.skewSeconds;
  await tx`
    insert into revocation
      (tenant_id, revocation_id, customer_id, status, reason, requested_by, old_epoch, new_epoch, effective_at, last_token_dies_at,
       devices, credentials)
    select ${tenantId}, ${revocationId}, ${customerId}, 'running', 'recovered', ${recoveryId}, ${newEpoch - 1}::integer,
      ${newEpoch}::integer, t.now, t.now + make_interval(secs => ${localTokenSeconds}), ${devices.count}::integer,
      ${credentials.count}::integer
    from (select latchkey_now() as now offset 0) t`;
  await enqueue(tx, {
    tenantId,
    topic: 'revocation.start',
    subject: revocationId,
    payload: { revocationId },
  });
}

async function tell(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  bound: {
    readonly deviceId: string;
    readonly revocationId: string;
    readonly clientId: string;
    readonly attestation: AttestationLevel;
  },
): Promise<void> {
  const { deviceId, revocationId, clientId, attestation } = bound;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'device.trusted',
    subject: { kind: 'device', id: deviceId },
    customerId,
    ceremonyId: recoveryId,
    detail: { attestationLevel: attestation, revocationId },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.customer_recovered',
      data: { customerId, recoveryId, deviceId, clientId, revocationId },
    },
  });
}
