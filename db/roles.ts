/**
 * Roles of customers, as the bank's own systems name them: Latchkey carries them to services and decides nothing by them. Tokens take them up
 * when they are issued; who introspects is told them as they are.
 */
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';

export interface RolesOfCustomer {
  readonly tenantId: string;
  readonly customerId: string;
  /** All of them: what is not named is taken away. */
  readonly roles: readonly string[];
  /** The machine that says so. */
  readonly clientId: string;
}

/** false: no active customer of that id. */
export async function setRoles(
  tx: Tx,
  { tenantId, customerId, roles, clientId }: RolesOfCustomer,
): Promise<boolean> {
  const { count } = await tx`
    update customer set roles = ${[...roles]}
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'`;
  if (count === 0) return false;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'machine', id: clientId },
    action: 'customer.roles_set',
    subject: { kind: 'customer', id: customerId },
    customerId,
    detail: { roles: roles.join(' ') },
  });
  return true;
}

export async function rolesOf(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<readonly string[] | undefined> {
  const [customer] = await tx<{ roles: string[] }[]>`
    select roles from customer
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'`;
  return customer?.roles;
}
