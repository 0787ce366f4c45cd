/**
 * A session ended by staff: the row first, as a logout ends it (end, audit, event and wake-up in one transaction that touched the customer's row),
 * and a notice to the customer, who did not do it himself.
 */
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { touchCustomer } from './customer-lock.ts';
import { endSessions, readEnd, type EndedSession } from './session-ends.ts';

/** Answers how the session ended, whoever was first; undefined: there is no such session. */
export async function endSessionByStaff(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly sessionId: string;
    readonly staffId: string;
    /** Why, as a code. */
    readonly because: string;
  },
): Promise<EndedSession | undefined> {
  const { tenantId, sessionId, staffId, because } = args;
  const [found] = await tx<{ customerId: string }[]>`
    select customer_id from session where tenant_id = ${tenantId} and session_id = ${sessionId}`;
  if (found === undefined) return undefined;
  const { customerId } = found;
  await touchCustomer(tx, tenantId, customerId);
  const ended = await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { only: sessionId },
    reason: 'ended_by_staff',
    because,
    actor: { kind: 'staff', id: staffId },
  });
  if (ended.length > 0)
    await notifyCustomer(tx, { tenantId, customerId, template: 'session_ended' });
  return await readEnd(tx, tenantId, sessionId);
}
