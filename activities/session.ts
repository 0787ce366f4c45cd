/** What the session workflow may do to the world: ask the session's row, which expires it when it is due. */
import type { SessionAnswer } from '../domain/session.ts';

export interface SessionSubject {
  readonly tenantId: string;
  readonly sessionId: string;
}

export interface SessionStore {
  /**
   * Expires the row when a limit has passed. When it has ended, or is not there, notes that its workflow closes now. One transaction;
   * harmless to repeat.
   */
  due(subject: SessionSubject): Promise<SessionAnswer>;
}

export function createSessionActivities({ store }: { readonly store: SessionStore }) {
  return {
    askRow: (subject: SessionSubject): Promise<SessionAnswer> => store.due(subject),
  };
}
