/**
 * The life of a session's workflow as a rule: what it does on waking, given what its row says. Sessions are ended by transactions on
 * their row; the workflow only notices, expires what is due, and closes. docs/flows/session.mermaid draws the same table.
 */

export type SessionEndReason =
  | 'expired_idle'
  | 'expired_absolute'
  | 'logged_out'
  | 'ended_by_customer'
  | 'ended_by_staff'
  | 'superseded'
  | 'limit_reached'
  | 'revoked'
  | 'reuse_detected'
  | 'device_suspended'
  | 'device_revoked'
  | 'credential_revoked';

/** What the row answers when its workflow asks: live rows say when to ask again. */
export type SessionAnswer =
  | { readonly state: 'ended' }
  | { readonly state: 'live'; readonly dueAtMs: number };

export type SessionState = 'asleep' | 'asking' | 'waiting' | 'closed';
export type SessionEvent =
  | 'start_delay_over'
  | 'woken'
  | 'row_live'
  | 'row_ended'
  | 'deadline_reached';

const NEXT: { readonly [S in SessionState]: { readonly [E in SessionEvent]?: SessionState } } = {
  asleep: { start_delay_over: 'asking', woken: 'asking' },
  asking: { row_live: 'waiting', row_ended: 'closed' },
  waiting: { deadline_reached: 'asking', woken: 'asking' },
  closed: {},
};

/** The next state, or undefined when the event cannot happen there. */
export function sessionTransition(
  state: SessionState,
  event: SessionEvent,
): SessionState | undefined {
  return NEXT[state][event];
}
