/**
 * Time that the demo lets pass: rows are moved back as if they had been written earlier, because nobody at a stage waits a day. For `npm start` and its
 * tests alone; no route of the API leads here, and it must never change anything but times.
 */
import type { RecoverySubject } from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import { ringRecovery } from './recovery.ts';

/** More than any policy calls recent. */
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** As if the customer had enrolled a year earlier. false: there is none. */
export async function ageCustomer(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<boolean> {
  const { count } = await tx`
    update contact set created_at = created_at - make_interval(secs => ${YEAR_SECONDS}), proved_at = proved_at - make_interval(secs => ${YEAR_SECONDS})
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await tx`
    update device set created_at = created_at - make_interval(secs => ${YEAR_SECONDS}), trusted_at = trusted_at - make_interval(secs => ${YEAR_SECONDS})
    where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  return count > 0;
}

/** As if the time to object had begun earlier: it is over now, or only the part of it that nobody shortens. false: it does not run. */
export async function passCoolingOff(
  tx: Tx,
  subject: RecoverySubject,
  part: 'whole' | 'floor' = 'whole',
): Promise<boolean> {
  const { tenantId, recoveryId } = subject;
  const { count } = await tx`
    update recovery
    set cooling_from = cooling_from - make_interval(secs => case when ${part === 'whole'} then cooling_seconds else cooling_floor_seconds end + 1)
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and exists (
      select from ceremony where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and state = 'cooling')`;
  if (count > 0) await ringRecovery(tx, subject);
  return count > 0;
}
