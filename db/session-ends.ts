/** How a session ended, and who ends one of his own: a row that had ended already is answered as it ended, whoever was first. */
import type { SessionEndReason } from '../domain/session.ts';
import type { Tx } from './connection.ts';
import { touchCustomer } from './customer-lock.ts';
import { endSessions } from './sessions.ts';

export interface EndedSession {
  readonly sessionId: string;
  readonly customerId: string;
  readonly endReason: SessionEndReason;
  readonly endedAtMs: number;
}

export async function readEnd(
  tx: Tx,
  tenantId: string,
  sessionId: string,
): Promise<EndedSession | undefined> {
  const [row] = await tx<(Omit<EndedSession, 'endedAtMs'> & { readonly endedAt: Date })[]>`
    select session_id, customer_id, end_reason, ended_at from session
    where tenant_id = ${tenantId} and session_id = ${sessionId} and status = 'ended'`;
  if (row === undefined) return undefined;
  const { endedAt, ...end } = row;
  return { ...end, endedAtMs: endedAt.getTime() };
}

/** undefined: the customer has no such session. */
export async function endOwnSession(
  tx: Tx,
  args: { readonly tenantId: string; readonly customerId: string; readonly sessionId: string },
): Promise<EndedSession | undefined> {
  const { tenantId, customerId, sessionId } = args;
  await touchCustomer(tx, tenantId, customerId);
  await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { only: sessionId },
    reason: 'ended_by_customer',
    actor: { kind: 'customer', id: customerId },
  });
  return await readOwnEnd(tx, args);
}

export async function readOwnEnd(
  tx: Tx,
  args: { readonly tenantId: string; readonly customerId: string; readonly sessionId: string },
): Promise<EndedSession | undefined> {
  const end = await readEnd(tx, args.tenantId, args.sessionId);
  return end?.customerId === args.customerId ? end : undefined;
}
