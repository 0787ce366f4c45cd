/**
 * The customer's row as the gate of final grants (SECURITY.md section 1): whoever grants shares it first, whoever ends touches it first, and
 * what else decides is read only by statements after that. docs/decisions/0006 says why.
 */
import type { Tx } from './connection.ts';

export interface LockedCustomer {
  readonly status: 'prospect' | 'active' | 'erased';
  readonly epoch: number;
  readonly epochRaisedAtMs: number | undefined;
  readonly isFrozen: boolean;
}

/**
 * The first statement of every final grant about a customer. Nothing else may be read in it: its other tables would keep the snapshot from
 * before it waited for a cut-off, and miss the hold that came with the new epoch.
 */
export async function shareCustomer(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<LockedCustomer | undefined> {
  const [row] = await tx<
    {
      status: LockedCustomer['status'];
      securityEpoch: number;
      epochRaisedAt: Date | null;
      isFrozen: boolean;
    }[]
  >`
    select status, security_epoch, epoch_raised_at, coalesce(frozen_until > latchkey_now(), false) as is_frozen from customer
    where tenant_id = ${tenantId} and customer_id = ${customerId} for share`;
  if (row === undefined) return undefined;
  return {
    status: row.status,
    epoch: row.securityEpoch,
    epochRaisedAtMs: row.epochRaisedAt?.getTime(),
    isFrozen: row.isFrozen,
  };
}

export async function hasActiveHold(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<boolean> {
  const rows = await tx`
    select 1 from hold where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'`;
  return rows.length > 0;
}

/** What stands against a grant that is no login: read after shareCustomer(), in one statement. */
export async function customerStops(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<{ readonly isHeld: boolean; readonly isFrozen: boolean }> {
  const [row] = await tx<{ isHeld: boolean; isFrozen: boolean }[]>`
    select coalesce(frozen_until > latchkey_now(), false) as is_frozen,
      exists (select from hold h where h.tenant_id = ${tenantId} and h.customer_id = ${customerId} and h.status = 'active') as is_held
    from customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  return row ?? { isHeld: true, isFrozen: true };
}

/** Makes every final grant in flight wait or be waited for: the first statement of whatever ends sessions. */
export async function touchCustomer(tx: Tx, tenantId: string, customerId: string): Promise<void> {
  await tx`
    update customer set cut_off_seq = cut_off_seq + 1 where tenant_id = ${tenantId} and customer_id = ${customerId}`;
}

/** For whoever decides about a customer without ending anything: like a cut-off it waits for final grants, and makes cut-offs wait. */
export async function lockCustomer(tx: Tx, tenantId: string, customerId: string): Promise<void> {
  await tx`
    select 1 from customer where tenant_id = ${tenantId} and customer_id = ${customerId} for no key update`;
}
