/** What a verified call is worth at the desk: the caller proved himself in the app a short while ago, and nothing has taken that back since. */
import type { Tx } from './connection.ts';

/** A call counts for so long after the caller approved it in the app. */
const CALL_COUNTS_MINUTES = 60;

export interface ProvedCall {
  /** The phone it was approved on. */
  readonly deviceId: string;
  readonly isDeviceReported: boolean;
}

/**
 * Undefined: nobody's, another customer's, too old, or taken back: by the customer ("not me"), by whoever called, or by a cut-off. One that nobody used
 * ends by its time and counts all the same.
 */
export async function provedCall(
  tx: Tx,
  call: { readonly tenantId: string; readonly customerId: string; readonly callId: string },
): Promise<ProvedCall | undefined> {
  const { tenantId, customerId, callId } = call;
  const [row] = await tx<ProvedCall[]>`
    select d.device_id, d.reported_at is not null as is_device_reported
    from step_up s
    join ceremony c on c.tenant_id = s.tenant_id and c.ceremony_id = s.step_up_id
    join customer u on u.tenant_id = s.tenant_id and u.customer_id = s.customer_id and u.security_epoch = c.epoch
    join device d on d.tenant_id = s.tenant_id and d.device_id = s.approved_device_id
    where s.tenant_id = ${tenantId} and s.step_up_id = ${callId} and s.customer_id = ${customerId} and s.requester_kind = 'staff'
      and s.action_type = 'verified_call' and s.approved_at > latchkey_now() - make_interval(mins => ${CALL_COUNTS_MINUTES})
      and (c.outcome is null or c.outcome in ('completed', 'expired'))`;
  return row;
}
