/**
 * The one fact that the rows of a case hold and its workflow has not followed yet, the first that applies. Whoever lets a case go on asks here,
 * because whoever can write to Temporal can say anything. It reads, and decides nothing.
 */
import type { RecoveryEvent } from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import type { RecoveryRecord } from './recovery.ts';

/** Under the case's lock where somebody acts on it. */
export async function pendingRecoveryFact(
  tx: Tx,
  record: RecoveryRecord,
): Promise<RecoveryEvent | null> {
  const { state, missing, nowMs, deadlineMs, stepDeadlineMs } = record;
  if (state === 'ended') return null;
  if (state !== 'held' && (await isFraudSignalled(tx, record))) return 'fraud_signalled';
  const said = await standingDecisions(tx, record);
  if (said.isRefused) return 'refused';
  // What would go on is refused from then on: whoever waited for it would never see the end that the clock brings.
  if (nowMs >= Math.min(deadlineMs, stepDeadlineMs ?? Infinity)) return null;
  switch (state) {
    case 'contact':
    case 'identity': {
      const due = missing[0] === 'second_contact' ? 'contact' : missing[0];
      if (due !== state) return 'factor_recorded';
      if (state === 'identity' && (await isExhausted(tx, record))) return 'liveness_exhausted';
      return null;
    }
    case 'review':
      if (said.isSentBack) return 'sent_back';
      return missing.length === 0 && said.approvers >= record.people ? 'approved' : null;
    case 'cooling':
      return said.isSentBack ? 'sent_back' : null;
    case 'starting':
    case 'rebind':
    case 'held':
      return null;
  }
}

/** A cut-off that the case has not followed, or a hold that stands. */
async function isFraudSignalled(
  tx: Tx,
  { tenantId, customerId, epoch }: RecoveryRecord,
): Promise<boolean> {
  const rows = await tx`
    select 1 from customer c
    where c.tenant_id = ${tenantId} and c.customer_id = ${customerId}
      and (c.security_epoch > ${epoch} or exists (
        select from hold h where h.tenant_id = c.tenant_id and h.customer_id = c.customer_id and h.status = 'active'))`;
  return rows.length > 0;
}

interface Said {
  readonly isRefused: boolean;
  readonly isSentBack: boolean;
  /** Different natural persons who approved the case as it stands and prepared nothing of it. */
  readonly approvers: number;
}

/** Who prepared the case counts for nothing here either, as hasPrepared of recovery-people.ts says, whatever wrote the row. */
async function standingDecisions(
  tx: Tx,
  { tenantId, recoveryId, revision }: RecoveryRecord,
): Promise<Said> {
  const [row] = await tx<Said[]>`
    select coalesce(bool_or(d.kind = 'refuse'), false) as is_refused, coalesce(bool_or(d.kind = 'send_back'), false) as is_sent_back,
      (count(distinct lower(d.employee)) filter (where d.kind = 'approve' and d.revision = ${revision}
        and not exists (
          select from recovery_factor f
          where f.tenant_id = d.tenant_id and f.recovery_id = d.recovery_id and f.recorded_by_kind = 'staff'
            and (f.recorded_by = d.staff_id or latchkey_same_person(f.recorded_employee, d.employee)))
        and not exists (
          select from recovery r join staff s on s.tenant_id = r.tenant_id and s.staff_id = r.opened_by
          where r.tenant_id = d.tenant_id and r.recovery_id = d.recovery_id and r.opened_by_kind = 'staff'
            and (s.staff_id = d.staff_id or latchkey_same_person(s.employee_id, d.employee)))))::integer as approvers
    from recovery_decision d where d.tenant_id = ${tenantId} and d.recovery_id = ${recoveryId} and d.voided_at is null`;
  if (row === undefined) throw new TypeError('an aggregate answers one row');
  return row;
}

/** How many different people have approved the case as it stands. */
export async function approversOf(tx: Tx, record: RecoveryRecord): Promise<number> {
  return (await standingDecisions(tx, record)).approvers;
}

async function isExhausted(tx: Tx, record: RecoveryRecord): Promise<boolean> {
  const { openAttemptId, begun } = await livenessAttempts(tx, record);
  return openAttemptId === null && begun >= record.policy.recovery.maxLivenessAttempts;
}

/** Those since the person had last to be proved anew. */
export async function livenessAttempts(
  tx: Tx,
  { tenantId, recoveryId, identityFromMs }: RecoveryRecord,
): Promise<{ readonly openAttemptId: string | null; readonly begun: number }> {
  const from = new Date(identityFromMs ?? 0);
  const [row] = await tx<{ openAttemptId: string | null; begun: number }[]>`
    select max(attempt_id) filter (where status = 'open') as open_attempt_id, count(*)::integer as begun
    from step_attempt
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and method = 'liveness_vendor' and created_at > ${from}`;
  if (row === undefined) throw new TypeError('an aggregate answers one row');
  return row;
}
