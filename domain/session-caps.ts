/**
 * How many sessions a customer may have at once, and who gives way to a new login. A key's earlier session always does (a device has one
 * session, and logging in again is no second one); beyond that the policy says whether the oldest ends or the login is refused.
 */

export interface CountedSession {
  readonly sessionId: string;
  readonly jkt: string;
  /** false: its key belongs to no device of the customer. */
  readonly hasDevice: boolean;
  /** Still good for anything. What is dead already, by its deadline or its epoch, takes nobody's place. */
  readonly isAlive: boolean;
}

export interface SessionCaps {
  readonly maxOfCustomer: number;
  readonly maxWithoutDevice: number;
  readonly refuseWhenFull: number;
}

export type Room =
  | { readonly superseded: readonly string[]; readonly overCap: readonly string[] }
  | { readonly refused: 'session_limit_reached' };

/** `sessions` are the customer's, the oldest first. */
export function makeRoom(
  sessions: readonly CountedSession[],
  login: { readonly jkt: string; readonly hasDevice: boolean },
  caps: SessionCaps,
): Room {
  const own = sessions.filter(({ jkt }) => jkt === login.jkt);
  const superseded = own.map(({ sessionId }) => sessionId);
  // One for one: it adds nothing, so no cap is asked, not even one that was lowered since.
  if (own.some(({ isAlive }) => isAlive)) return { superseded, overCap: [] };
  const others = sessions.filter(({ jkt, isAlive }) => isAlive && jkt !== login.jkt);
  const overCap = new Set<string>();
  if (!login.hasDevice) {
    const strangers = others.filter(({ hasDevice }) => !hasDevice);
    for (const { sessionId } of oldestPast(strangers, caps.maxWithoutDevice - 1))
      overCap.add(sessionId);
  }
  const staying = others.filter(({ sessionId }) => !overCap.has(sessionId));
  for (const { sessionId } of oldestPast(staying, caps.maxOfCustomer - 1)) overCap.add(sessionId);
  if (overCap.size > 0 && caps.refuseWhenFull === 1) return { refused: 'session_limit_reached' };
  return { superseded, overCap: [...overCap] };
}

function oldestPast(
  sessions: readonly CountedSession[],
  staying: number,
): readonly CountedSession[] {
  return sessions.slice(0, Math.max(0, sessions.length - staying));
}
