/** An event of the catalogue for tests of the ways that events go: its session's id is a label by which the test knows it again. */
import type { EventPayload } from '../../domain/events.ts';

export const labelledEvent = (customerId: string, label: string): EventPayload => ({
  type: 'bank.app.session_revoked',
  data: { customerId, sessionId: label, reason: 'revoked' },
});

/** '' when it is none of those. */
export const labelOf = (payload: EventPayload): string =>
  payload.type === 'bank.app.session_revoked' ? payload.data.sessionId : '';
