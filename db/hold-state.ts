/**
 * A hold as it stands, as one hash: the hold itself, the epoch and cut-offs it stands for, and every row that its release would reinstate or that
 * proves the customer. Whoever approves a release approves this state and no other; read it under the customer's lock.
 */
import type { Tx } from './connection.ts';

export interface HoldState {
  readonly status: 'active' | 'released';
  readonly hash: Uint8Array;
}

export async function readHoldState(
  tx: Tx,
  tenantId: string,
  holdId: string,
): Promise<HoldState | undefined> {
  // jsonb writes its members in an order of its own, always the same; times are numbers, or they would follow the connection's zone.
  const [row] = await tx<HoldState[]>`
    select h.status, sha256(convert_to(jsonb_build_object(
      'hold', jsonb_build_array(h.hold_id, h.status, h.reason, h.placed_by, h.revocation_id, extract(epoch from h.placed_at)),
      'customer', jsonb_build_array(c.customer_id, c.status, c.security_epoch),
      'cutOffs', (select jsonb_agg(r.revocation_id order by r.revocation_id) from revocation r
        where r.tenant_id = h.tenant_id and r.customer_id = h.customer_id and r.effective_at >= h.placed_at),
      'devices', (select jsonb_agg(jsonb_build_array(d.device_id, d.status, d.suspended_from, d.suspended_by) order by d.device_id)
        from device d where d.tenant_id = h.tenant_id and d.customer_id = h.customer_id),
      'credentials', (select jsonb_agg(jsonb_build_array(k.credential_id, k.status, k.suspended_by) order by k.credential_id)
        from credential k where k.tenant_id = h.tenant_id and k.customer_id = h.customer_id),
      'contacts', (select jsonb_agg(jsonb_build_array(n.contact_id, n.status) order by n.contact_id)
        from contact n where n.tenant_id = h.tenant_id and n.customer_id = h.customer_id)
      )::text, 'UTF8')) as hash
    from hold h join customer c using (tenant_id, customer_id)
    where h.tenant_id = ${tenantId} and h.hold_id = ${holdId}`;
  return row;
}
