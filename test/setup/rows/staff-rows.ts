/** Members of staff written straight into the table, for tests that begin after their login. */
import type postgres from 'postgres';
import { newId } from '../../../adapters/random.ts';
import type { Tx } from '../../../db/connection.ts';
import type { StaffRole } from '../../../domain/staff.ts';

export interface SeededStaff {
  readonly staffId: string;
  readonly employeeId: string;
}

/** One account. Two accounts with one employee id are one person. */
export async function insertStaff(
  sql: Tx | postgres.Sql,
  tenantId: string,
  seed: { readonly roles: readonly StaffRole[]; readonly employeeId?: string },
): Promise<SeededStaff> {
  const staffId = newId('staff');
  const employeeId = seed.employeeId ?? `E-${staffId.slice(-12)}`;
  await sql`insert into staff (tenant_id, staff_id, issuer, subject, employee_id, name, roles, created_at, last_login_at)
    values (${tenantId}, ${staffId}, 'https://staff.example', ${staffId}, ${employeeId}, ${`Somebody ${employeeId}`}, ${[...seed.roles]},
      latchkey_now(), latchkey_now())`;
  return { staffId, employeeId };
}

/** What a later login at the staff's identity provider brings. */
export async function setRoles(
  sql: Tx | postgres.Sql,
  { staffId }: SeededStaff,
  roles: readonly StaffRole[],
): Promise<void> {
  await sql`update staff set roles = ${[...roles]} where staff_id = ${staffId}`;
}
