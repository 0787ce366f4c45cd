/**
 * The owner who changes what protects his account, as he stands under the customer's lock: what ended, restricted or froze his session meanwhile
 * either came first and is seen here, or waits.
 */
import type { Tx } from '../../db/connection.ts';
import { touchCustomer } from '../../db/customer-lock.ts';
import type { Changer } from '../../db/device-changes.ts';
import { readSession } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import type { CustomerCaller, RequestTenant } from '../types.ts';

const PROTECTS = 'profile:write';

/** @throws LatchkeyError session_ended, customer_on_hold, device_not_allowed, customer_frozen, insufficient_scope */
export async function standingOwner(
  tx: Tx,
  tenant: RequestTenant,
  caller: CustomerCaller,
  { whileFrozen = false }: { readonly whileFrozen?: boolean } = {},
): Promise<Extract<Changer, { kind: 'owner' }>> {
  const { customerId, sessionId } = caller;
  await touchCustomer(tx, tenant.tenantId, customerId);
  const session = await readSession(tx, tenant.tenantId, sessionId);
  if (session === undefined) throw new LatchkeyError('session_ended');
  const { scopes, withheld } = standingOf(session, tenant);
  const isFrozen = withheld.includes(PROTECTS);
  if (isFrozen && !whileFrozen) throw new LatchkeyError('customer_frozen');
  if (!isFrozen && !scopes.includes(PROTECTS)) throw new LatchkeyError('insufficient_scope');
  const { credentialId } = session;
  return { kind: 'owner', customerId, deviceId: session.deviceId ?? undefined, credentialId };
}
