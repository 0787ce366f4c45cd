/** The identification record of a recovery as one signed file, for auditors and supervisors. Each reading stands in the audit. */
import { appendAudit } from '../../db/audit.ts';
import { recoveryRecordOf, signRecoveryRecord } from '../../db/recovery-record.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { RecoveryParams } from '../schemas/staff-recoveries.ts';
import { RecoveryRecordView } from '../schemas/recovery-record.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

export function registerStaffRecoveryRecordRoutes(
  app: LatchkeyApp,
  { database, receiptSigner }: ApiServices,
): void {
  const config = {
    operationId: 'getRecoveryRecord',
    problems: ['recovery_not_found', 'vendor_unavailable'],
  } as const;
  const schema = {
    summary: 'Get the identification record of a recovery',
    description:
      'Which proofs, who, when, with what result and under which policy, signed by the bank’s receipt key. Each reading is noted.',
    tags: ['staff'],
    params: RecoveryParams,
    response: { 200: RecoveryRecordView },
  };
  app.get('/staff/recoveries/:recoveryId/record', { config, schema }, async (request, reply) => {
    const { tenantId, issuer } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { recoveryId } = request.params;
    const record = await database.tenant(tenantId, async (tx) => {
      const found = await recoveryRecordOf(tx, { tenantId, recoveryId }, issuer);
      if (found === undefined) throw new LatchkeyError('recovery_not_found');
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'staff', id: staffId },
        action: 'staff.recovery_record_read',
        subject: { kind: 'recovery', id: recoveryId },
        customerId: found.customer,
      });
      return found;
    });
    if (receiptSigner === undefined) throw new LatchkeyError('vendor_unavailable');
    const signed = await signRecoveryRecord({ database, signer: receiptSigner }, record);
    return await reply
      .header('content-disposition', `attachment; filename="${recoveryId}.json"`)
      .send({ ...signed, evidence: [...signed.evidence], decisions: [...signed.decisions] });
  });
}
