/**
 * The end of an identification record (issue 7): once the time of the case's own policy is over, its evidence, its decisions and the results of its
 * checks go; that there was a case and how it ended stays, and the audit says when the record went. PostgreSQL refuses to let any go before that
 * (037.do.recovery-records.sql): while the customer is on hold, or has another case open, nothing goes.
 */
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';

/** Answers how many records went. */
export async function sweepRecoveryRecords(tx: Tx, limit: number): Promise<number> {
  const due = await tx<{ tenantId: string; recoveryId: string; customerId: string }[]>`
    select tenant_id, recovery_id, customer_id from recovery
    where tenant_id = latchkey_tenant() and record_until <= latchkey_now() and latchkey_is_record_due(tenant_id, recovery_id)
    order by record_until limit ${limit} for update skip locked`;
  if (due.length === 0) return 0;
  const ids = due.map(({ recoveryId }) => recoveryId);
  for (const table of ['recovery_decision', 'recovery_factor'])
    await tx`delete from ${tx(table)} where tenant_id = latchkey_tenant() and recovery_id = any(${ids})`;
  // The attempt itself says only that there was one.
  await tx`
    update step_attempt
    set vendor_reference = null, evidence_id = null, verdict = null, sealed_detail = null, liveness_confidence = null, match_confidence = null
    where tenant_id = latchkey_tenant() and ceremony_id = any(${ids})`;
  await tx`
    update recovery set record_until = null, record_swept_at = latchkey_now()
    where tenant_id = latchkey_tenant() and recovery_id = any(${ids})`;
  for (const { tenantId, recoveryId, customerId } of due)
    await appendAudit(tx, {
      tenantId,
      actor: { kind: 'system', id: 'sweeper' },
      action: 'recovery.record_swept',
      subject: { kind: 'recovery', id: recoveryId },
      customerId,
      ceremonyId: recoveryId,
    });
  return due.length;
}
