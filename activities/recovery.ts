/**
 * What the recovery workflow may do to PostgreSQL. Each activity acts on rows that the API wrote for an authenticated caller and reports a
 * fact or a refusal; none decides what follows.
 */
import type { RecoveryStore } from '../db/recovery-store.ts';
import type { RecoverySubject } from '../domain/recovery.ts';

export function createRecoveryActivities({ store }: { store: RecoveryStore }) {
  return {
    /** The row and what it has not followed yet; null when there is no such case. */
    readRecovery: async (subject: RecoverySubject) => (await store.read(subject)) ?? null,
    advanceRecovery: (request: Parameters<RecoveryStore['advance']>[0]) => store.advance(request),
    markRecoveryClosed: (subject: RecoverySubject) => store.markClosed(subject),
  };
}

export type RecoveryActivities = ReturnType<typeof createRecoveryActivities>;
