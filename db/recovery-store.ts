/**
 * The recovery workflow's view of PostgreSQL: one method an activity, each one transaction bound to the tenant. Expected refusals are answers,
 * not exceptions, so that no activity is tried again because a customer was too early or wrong. Wired in worker/activities.ts.
 */
import type { RecoveryEvent, RecoverySnapshot, RecoverySubject } from '../domain/recovery.ts';
import { answeringViolations, type Refused } from './answers.ts';
import type { Database } from './connection.ts';
import { livenessAttempts, pendingRecoveryFact } from './recovery-facts.ts';
import {
  closeLivenessAttempt,
  livenessQuestion,
  recordLivenessSession,
  recordLivenessVerdict,
  type LivenessQuestion,
  type LivenessSession,
  type LivenessSubject,
  type LivenessVerdict,
} from './recovery-liveness.ts';
import { advanceRecovery, type RecoveryAdvance, type RecoveryAdvanced } from './recovery-moves.ts';
import { markRecoveryClosed, readRecovery, toSnapshot, type RecoveryTools } from './recovery.ts';

export interface RecoveryReading {
  readonly snapshot: RecoverySnapshot;
  /** What rows say and the case has not followed yet. */
  readonly fact: RecoveryEvent | null;
  readonly isClosed: boolean;
  /** A check of the person that is open and has to be followed at the vendor's. */
  readonly livenessAttemptId: string | null;
}

export type RecoveryStore = ReturnType<typeof createRecoveryStore>;

export function createRecoveryStore(database: Database, tools: RecoveryTools) {
  return {
    read: (subject: RecoverySubject): Promise<RecoveryReading | undefined> =>
      database.tenant(subject.tenantId, async (tx) => {
        const record = await readRecovery(tx, subject);
        if (record === undefined) return undefined;
        const { openAttemptId } = await livenessAttempts(tx, record);
        return {
          snapshot: toSnapshot(record),
          fact: await pendingRecoveryFact(tx, record),
          isClosed: record.outcome !== null,
          livenessAttemptId: record.state === 'identity' ? openAttemptId : null,
        };
      }),

    /** A `fact` is what the rows say instead: the workflow follows that. */
    advance: (
      request: RecoveryAdvance,
    ): Promise<RecoveryAdvanced | Refused | { readonly fact: RecoveryEvent }> =>
      answeringViolations(violationOf, () =>
        database.tenant(request.tenantId, (tx) => advanceRecovery(tx, tools, request)),
      ),

    markClosed: (subject: RecoverySubject): Promise<void> =>
      database.tenant(subject.tenantId, (tx) => markRecoveryClosed(tx, subject)),

    livenessQuestion: (subject: LivenessSubject): Promise<LivenessQuestion | undefined> =>
      database.tenant(subject.tenantId, (tx) => livenessQuestion(tx, subject)),

    recordLivenessSession: (session: LivenessSession): Promise<void> =>
      database.tenant(session.tenantId, (tx) => recordLivenessSession(tx, tools, session)),

    recordLivenessVerdict: async (verdict: LivenessVerdict): Promise<void> => {
      await database.tenant(verdict.tenantId, (tx) => recordLivenessVerdict(tx, tools, verdict));
    },

    closeLivenessAttempt: async (subject: LivenessSubject): Promise<void> => {
      await database.tenant(subject.tenantId, (tx) => closeLivenessAttempt(tx, subject));
    },
  };
}

/** A unique index that the new phone or passkey ran into, by its name. */
function violationOf(error: unknown): Refused | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return undefined;
  switch ('constraint_name' in error ? error.constraint_name : undefined) {
    case 'credential_tenant_id_webauthn_id_key':
      return { refused: 'credential_exists', extra: {} };
    case 'device_session_key':
      return { refused: 'device_key_exists', extra: {} };
    default:
      return undefined;
  }
}
