/**
 * Follows one liveness check to its end: begins the vendor's session, then asks how it went until there is a verdict, the session is over, or
 * nobody waits any more. The vendor's signed webhook may be first: both write through the same door, once. No picture passes through here.
 */
import type { RecoveryStore } from '../db/recovery-store.ts';
import type { LivenessChecker } from '../domain/ports.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import type { Heartbeat } from './revocation.ts';

/** How often a vendor that does not tell by itself is asked. */
const POLL_MS = 2_000;
/** A session lasts as long as the vendor says; this is what it is asked for. */
const SESSION_SECONDS = 10 * 60;
/** A verdict may come a little after its session is over. */
const GRACE_MS = 15_000;

export function createLivenessActivities(deps: {
  readonly store: Pick<
    RecoveryStore,
    'livenessQuestion' | 'recordLivenessSession' | 'recordLivenessVerdict' | 'closeLivenessAttempt'
  >;
  readonly checker: LivenessChecker;
  readonly vendorId: string;
  /** Where the vendor calls back for that tenant. */
  readonly callbackUrl: (tenantId: string) => Promise<string>;
  readonly heartbeat: Heartbeat;
  readonly nowMs: () => number;
}) {
  const { store, checker, heartbeat } = deps;

  async function begin(
    subject: LivenessSubject,
    check: { readonly caseId: string; readonly newJkt: string; readonly referenceImageId: string },
  ): Promise<void> {
    const started = await checker.startSession({
      ...check,
      reference: subject.attemptId,
      callbackUrl: await deps.callbackUrl(subject.tenantId),
      expiresInSeconds: SESSION_SECONDS,
    });
    await store.recordLivenessSession({ ...subject, ...started });
  }

  return {
    /** Safe to repeat: the vendor knows the attempt's id as the reference. */
    followLiveness: async (subject: LivenessSubject): Promise<void> => {
      const { tenantId, attemptId } = subject;
      for (;;) {
        const question = await store.livenessQuestion(subject);
        if (question === undefined) return;
        const { caseId, newJkt, referenceImageId, vendorSession, expiresAtMs } = question;
        if (referenceImageId === null) {
          // Nobody to compare with: the way by evidence stays.
          await store.closeLivenessAttempt(subject);
          return;
        }
        const check = { caseId, newJkt, referenceImageId };
        if (vendorSession === null) {
          await begin(subject, check);
          continue;
        }
        const reading = await checker.readResult({ ...check, reference: attemptId, vendorSession });
        if (reading.status === 'done') {
          const { verdict } = reading;
          await store.recordLivenessVerdict({
            tenantId,
            attemptId,
            ...verdict,
            vendorId: deps.vendorId,
          });
          return;
        }
        const isOver = expiresAtMs !== null && deps.nowMs() >= expiresAtMs + GRACE_MS;
        if (reading.status === 'expired' || isOver) {
          await store.closeLivenessAttempt(subject);
          return;
        }
        heartbeat.beat(attemptId);
        await heartbeat.pause(POLL_MS);
      }
    },
  };
}

interface LivenessSubject extends RecoverySubject {
  readonly attemptId: string;
}

export type LivenessActivities = ReturnType<typeof createLivenessActivities>;
