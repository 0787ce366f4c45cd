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
  const { state, missing } = record;
  if (state === 'ended') return null;
  if (state !== 'held' && (await isFraudSignalled(tx, record))) return 'fraud_signalled';
  const said = await standingDecisions(tx, record);
  if (said.isRefused) return 'refused';
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
  /** Different natural persons who approved the case as it stands. */
  readonly approvers: number;
}

async function standingDecisions(
  tx: Tx,
  { tenantId, recoveryId, revision }: RecoveryRecord,
): Promise<Said> {
  const [row] = await tx<Said[]>`
    select coalesce(bool_or(kind = 'refuse'), false) as is_refused, coalesce(bool_or(kind = 'send_back'), false) as is_sent_back,
      (count(distinct lower(employee)) filter (where kind = 'approve' and revision = ${revision}))::integer as approvers
    from recovery_decision where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and voided_at is null`;
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
