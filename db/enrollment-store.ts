/**
 * The enrollment workflow's view of PostgreSQL: one method an activity, each one transaction bound to the tenant. Expected refusals are
 * answers, not exceptions, so that no activity is tried again because a customer was too early or wrong. Wired in worker/activities.ts.
 */
import type {
  EnrollmentEvent,
  EnrollmentSnapshot,
  EnrollmentSubject,
} from '../domain/enrollment.ts';
import type { OtpCodes } from '../domain/ports.ts';
import { answering, answeringViolations, type Refused } from './answers.ts';
import type { Database } from './connection.ts';
import {
  IDENTITY_PURPOSE,
  type EnrollmentTools,
  type IdentityDetails,
} from './enrollment-effects.ts';
import {
  judgeCode,
  pendingFact,
  resendCode,
  type CodeJudgement,
  type StepSubmission,
} from './enrollment-facts.ts';
import { advanceEnrollment, type Advanced, type AdvanceRequest } from './enrollment-moves.ts';
import { markEnrollmentClosed, readEnrollment, toSnapshot } from './enrollment.ts';
import { latestIdentityAttempt, recordVendorReference } from './step-attempts.ts';

export interface EnrollmentReading {
  readonly snapshot: EnrollmentSnapshot;
  /** What rows say and the ceremony has not followed yet. */
  readonly fact: EnrollmentEvent | null;
}

/** What the vendor is asked; undefined when nobody waits for an answer any more. */
export interface IdentityQuestion extends Required<IdentityDetails> {
  readonly attemptId: string;
}

export type EnrollmentStore = ReturnType<typeof createEnrollmentStore>;

export function createEnrollmentStore(
  database: Database,
  tools: EnrollmentTools & { readonly otpCodes: OtpCodes },
) {
  return {
    read: (subject: EnrollmentSubject): Promise<EnrollmentReading | undefined> =>
      database.tenant(subject.tenantId, async (tx) => {
        const record = await readEnrollment(tx, subject);
        if (record === undefined) return undefined;
        return { snapshot: toSnapshot(record), fact: await pendingFact(tx, tools, record) };
      }),

    judgeCode: (args: StepSubmission): Promise<CodeJudgement | Refused> =>
      answering(() => database.tenant(args.tenantId, (tx) => judgeCode(tx, tools, args))),

    resendCode: (
      args: StepSubmission,
    ): Promise<{ readonly snapshot: EnrollmentSnapshot } | Refused> =>
      answering(() =>
        database.tenant(args.tenantId, async (tx) => ({
          snapshot: await resendCode(tx, tools, args),
        })),
      ),

    /** A `fact` is what the move ran into: somebody else has been enrolled meanwhile. */
    advance: (
      request: AdvanceRequest,
    ): Promise<Advanced | Refused | { readonly fact: EnrollmentEvent }> =>
      answeringViolations(violationOf, () =>
        database.tenant(request.tenantId, (tx) => advanceEnrollment(tx, tools, request)),
      ),

    markClosed: (subject: EnrollmentSubject): Promise<void> =>
      database.tenant(subject.tenantId, (tx) => markEnrollmentClosed(tx, subject)),

    identityQuestion: (subject: EnrollmentSubject): Promise<IdentityQuestion | undefined> =>
      database.tenant(subject.tenantId, async (tx) => {
        const { tenantId, enrollmentId } = subject;
        const record = await readEnrollment(tx, subject);
        const attempt = await latestIdentityAttempt(tx, tenantId, enrollmentId);
        if (record?.state !== 'identity_check' || attempt?.status !== 'open') return undefined;
        if (attempt.sealedDetail === null) return undefined;
        const text = await tools.personalData.open(
          tx,
          { tenantId, customerId: record.customerId, purpose: IDENTITY_PURPOSE },
          attempt.sealedDetail,
        );
        // Sealed by openIdentityCheck with every member, and not yet reduced while the check is open.
        return {
          ...(JSON.parse(text) as Required<IdentityDetails>),
          attemptId: attempt.attemptId,
        };
      }),

    recordVendorReference: (args: {
      tenantId: string;
      attemptId: string;
      vendorReference: string;
    }): Promise<void> => database.tenant(args.tenantId, (tx) => recordVendorReference(tx, args)),
  };
}

/** A unique index that two grants ran into, by its name. */
function violationOf(error: unknown): Refused | { readonly fact: EnrollmentEvent } | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return undefined;
  switch ('constraint_name' in error ? error.constraint_name : undefined) {
    case 'credential_tenant_id_webauthn_id_key':
      return { refused: 'credential_exists', extra: {} };
    case 'device_session_key':
      return { refused: 'device_key_exists', extra: {} };
    case 'contact_proved':
      return { fact: 'known_customer' };
    case 'customer_person':
      return { fact: 'known_person' };
    default:
      return undefined;
  }
}
