/**
 * What a move of a case causes besides the row, but for the binding (recovery-binding.ts): notices to the customer's contacts through the
 * outbox, an escalation, and what stops counting. Each runs inside the move's transaction and calls nobody.
 */
import { EVIDENCE_METHODS, FACTOR_METHODS } from '../domain/factor-ledger.ts';
import type { RecoveryEffect, RecoveryMove, RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { enqueue } from './outbox.ts';
import { raiseRevision, type RecoveryRecord } from './recovery.ts';
import { supersedeAttempts } from './step-attempts.ts';

/** Under the locks of customer and case. */
export async function causeRecoveryEffect(
  tx: Tx,
  before: RecoveryRecord,
  effect: Exclude<RecoveryEffect, 'bind'>,
  { outcome, state }: Pick<RecoveryMove, 'outcome' | 'state'>,
): Promise<void> {
  const { tenantId, customerId, recoveryId } = before;
  switch (effect) {
    case 'notify_opened':
      await notifyCustomer(tx, { tenantId, customerId, recoveryId, template: 'recovery_opened' });
      return;
    case 'notify_cooling':
      await notifyCustomer(tx, { tenantId, customerId, recoveryId, template: 'recovery_cooling' });
      return;
    case 'notify_ready':
      await notifyCustomer(tx, { tenantId, customerId, recoveryId, template: 'recovery_ready' });
      return;
    case 'notify_ended': {
      const template = outcome === 'completed' ? 'recovery_completed' : 'recovery_ended';
      await notifyCustomer(tx, { tenantId, customerId, recoveryId, template });
      return;
    }
    case 'escalate':
      await escalate(tx, before, state === 'held' ? 'held' : 'overdue');
      return;
    case 'void_approvals':
      await voidDecisions(tx, before);
      return;
    case 'void_identity':
      await voidIdentity(tx, before);
      return;
    case 'pin_epoch':
      await tx`
        update ceremony c set epoch = customer.security_epoch from customer
        where c.tenant_id = ${tenantId} and c.ceremony_id = ${before.recoveryId}
          and customer.tenant_id = c.tenant_id and customer.customer_id = c.customer_id`;
  }
}

async function escalate(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  because: 'overdue' | 'held',
): Promise<void> {
  const { count } = await tx`
    update recovery set escalated_at = latchkey_now()
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and escalated_at is null`;
  if (count === 0) return;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: recoveryId },
    action: 'recovery.escalated',
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.recovery_escalated',
      data: { customerId, recoveryId, because },
    },
  });
}

/** Of every kind: what was said of the case was said of what stands no more. */
async function voidDecisions(tx: Tx, { tenantId, recoveryId }: RecoverySubject): Promise<void> {
  await tx`
    update recovery_decision set voided_at = latchkey_now()
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and voided_at is null`;
}

const IDENTITY_METHODS = Object.entries(FACTOR_METHODS)
  .filter(([, { factor }]) => factor === 'identity')
  .map(([method]) => method);

/** The person is proved anew, with as many attempts as at first; a check that is under way ends with what it was for. */
export async function voidIdentity(tx: Tx, subject: RecoverySubject): Promise<void> {
  const { tenantId, recoveryId } = subject;
  await tx`
    update recovery_factor set voided_at = latchkey_now()
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and voided_at is null and method = any(${IDENTITY_METHODS})`;
  await supersedeAttempts(tx, { tenantId, ceremonyId: recoveryId });
  await tx`
    update recovery set identity_from = latchkey_now() where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
  await raiseRevision(tx, subject);
}

/** Whether staff saw it where others look into a camera. */
export function isEvidence(method: string): boolean {
  return EVIDENCE_METHODS.some((evidence) => evidence === method);
}
