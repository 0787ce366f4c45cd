/**
 * Whether a session may end, or refuse in the name of its customer, more than itself. Judged again under the customer's lock: what ended or
 * restricted it meanwhile came first and is seen here. A phone reported lost only reads, wherever its passkey is used (SECURITY.md section 6).
 */
import type { Tx } from '../../db/connection.ts';
import { isPasskeyOfReportedDevice } from '../../db/credentials.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import type { CustomerCaller, RequestTenant } from '../types.ts';

/**
 * After touchCustomer() or shareCustomer().
 * @throws LatchkeyError session_ended, customer_on_hold, device_not_allowed
 */
export async function requireFreeHand(
  tx: Tx,
  tenant: RequestTenant,
  { sessionId }: Pick<CustomerCaller, 'sessionId'>,
): Promise<SessionRecord> {
  const { tenantId } = tenant;
  const session = await readSession(tx, tenantId, sessionId);
  if (session === undefined) throw new LatchkeyError('session_ended');
  standingOf(session, tenant);
  // A trusted device proves itself by its own key, whichever of the customer's passkeys was used on it; a key of no device has nothing else.
  const isReported =
    session.device === undefined
      ? await isPasskeyOfReportedDevice(tx, tenantId, session.credentialId)
      : session.device.status === 'restricted';
  // Whoever has the phone would throw its owner out again after every login. It may still end its own session.
  if (isReported) throw new LatchkeyError('device_not_allowed');
  return session;
}
