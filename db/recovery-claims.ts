/**
 * Who of the staff works on a case: one at a time. Of two who claim at once one gets it. A claim gives no right; it keeps two people from doing the
 * same work.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { refuseOwnAccount, staffMember } from './recovery-people.ts';
import { readRecovery, type RecoveryRecord } from './recovery.ts';

/** Also who has it already. @throws LatchkeyError recovery_not_found, ceremony_ended, own_account, case_taken */
export async function claimRecovery(
  tx: Tx,
  { subject, staffId }: { readonly subject: RecoverySubject; readonly staffId: string },
): Promise<void> {
  const record = await lockForWork(tx, subject, staffId);
  if (record.claimedBy === staffId) return;
  if (record.claimedBy !== null) throw new LatchkeyError('case_taken');
  await giveTo(tx, record, staffId);
  await audit(tx, record, { action: 'recovery.claimed', staffId });
}

/**
 * To a colleague, or back to the queue (`to` null), by whoever has it; a supervisor may take it from anybody (`isSupervisor`).
 * @throws LatchkeyError recovery_not_found, ceremony_ended, own_account, case_taken, staff_role_missing
 */
export async function handOverRecovery(
  tx: Tx,
  args: {
    readonly subject: RecoverySubject;
    readonly staffId: string;
    readonly to: string | null;
    readonly isSupervisor: boolean;
  },
): Promise<void> {
  const { subject, staffId, to } = args;
  const record = await lockForWork(tx, subject, to ?? staffId);
  if (record.claimedBy !== staffId && !args.isSupervisor) throw new LatchkeyError('case_taken');
  if (record.claimedBy === to) return;
  await giveTo(tx, record, to);
  await audit(tx, record, { action: 'recovery.handed_over', staffId, to });
}

async function lockForWork(
  tx: Tx,
  subject: RecoverySubject,
  staffId: string,
): Promise<RecoveryRecord> {
  const record = await readRecovery(tx, subject, true);
  if (record === undefined) throw new LatchkeyError('recovery_not_found');
  if (record.outcome !== null) throw new LatchkeyError('ceremony_ended');
  const { employee } = await staffMember(tx, subject.tenantId, staffId);
  await refuseOwnAccount(tx, record, employee);
  return record;
}

async function giveTo(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
  staffId: string | null,
): Promise<void> {
  await tx`
    update recovery set claimed_by = ${staffId}, claimed_at = case when ${staffId}::text is null then null else latchkey_now() end
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
}

async function audit(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  { action, staffId, to }: { action: string; staffId: string; to?: string | null },
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action,
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    ...(to === undefined ? {} : { detail: { to } }),
  });
}
