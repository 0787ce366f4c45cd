/**
 * What the enrollment workflow may do to PostgreSQL. Each activity acts on rows that the API wrote for an authenticated caller and reports a
 * fact or a refusal; none decides what follows.
 */
import type { EnrollmentStore } from '../db/enrollment-store.ts';
import type { EnrollmentSubject } from '../domain/enrollment.ts';

export function createEnrollmentActivities({ store }: { store: EnrollmentStore }) {
  return {
    /** The row and what it has not followed yet; null when there is no such enrollment. */
    readEnrollment: async (subject: EnrollmentSubject) => (await store.read(subject)) ?? null,
    judgeEnrollmentCode: (args: Parameters<EnrollmentStore['judgeCode']>[0]) =>
      store.judgeCode(args),
    resendEnrollmentCode: (args: Parameters<EnrollmentStore['resendCode']>[0]) =>
      store.resendCode(args),
    advanceEnrollment: (request: Parameters<EnrollmentStore['advance']>[0]) =>
      store.advance(request),
    markEnrollmentClosed: (subject: EnrollmentSubject) => store.markClosed(subject),
  };
}

export type EnrollmentActivities = ReturnType<typeof createEnrollmentActivities>;
