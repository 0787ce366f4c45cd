/**
 * Who of the bank's people may do what in a case: natural persons are compared, by employee id, never accounts. Of a customer the bank's employee
 * id is not known here: what is compared is what there is, the customer's and the person's id as a directory might spell them. The bank's
 * own list of staff who are customers is not asked: nothing here knows it.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import type { RecoveryRecord } from './recovery.ts';

/** @throws LatchkeyError staff_role_missing: there is no such member of staff */
export async function staffMember(
  tx: Tx,
  tenantId: string,
  staffId: string,
): Promise<{ readonly employee: string }> {
  const [row] = await tx<{ employee: string }[]>`
    select employee_id as employee from staff where tenant_id = ${tenantId} and staff_id = ${staffId}`;
  if (row === undefined) throw new LatchkeyError('staff_role_missing');
  return row;
}

/** @throws LatchkeyError own_account */
export async function refuseOwnAccount(
  tx: Tx,
  customer: Pick<RecoveryRecord, 'tenantId' | 'customerId'>,
  employee: string,
): Promise<void> {
  if (await isOwnAccount(tx, customer, employee)) throw new LatchkeyError('own_account');
}

/** As far as the rows tell. */
export async function isOwnAccount(
  tx: Tx,
  { tenantId, customerId }: Pick<RecoveryRecord, 'tenantId' | 'customerId'>,
  employee: string,
): Promise<boolean> {
  const own = await tx`
    select 1 from customer
    where tenant_id = ${tenantId} and customer_id = ${customerId}
      and (latchkey_same_person(${employee}, customer_id) or latchkey_same_person(${employee}, person_id))`;
  return own.length > 0;
}

/** Opened the case or put something on its record: that person never approves it. */
export async function hasPrepared(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
  { staffId, employee }: { readonly staffId: string; readonly employee: string },
): Promise<boolean> {
  const rows = await tx`
    select 1 from recovery_factor
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and recorded_by_kind = 'staff'
      and (recorded_by = ${staffId} or latchkey_same_person(recorded_employee, ${employee}))
    union all
    select 1 from recovery r join staff s on s.tenant_id = r.tenant_id and s.staff_id = r.opened_by
    where r.tenant_id = ${tenantId} and r.recovery_id = ${recoveryId} and r.opened_by_kind = 'staff'
      and (s.staff_id = ${staffId} or latchkey_same_person(s.employee_id, ${employee}))`;
  return rows.length > 0;
}
