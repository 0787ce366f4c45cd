/** The answer of every enrollment operation, made from PostgreSQL's rows alone: the same for a known and an unknown number. */
import type { Tx } from '../../db/connection.ts';
import { standingOf, type EnrollmentStanding, type SentCode } from '../../db/enrollment-view.ts';
import { readEnrollment, type EnrollmentRecord } from '../../db/enrollment.ts';
import {
  ENROLLMENT_REASONS,
  nextSteps,
  refusalOf,
  type EnrollmentReason,
  type EnrollmentSubject,
} from '../../domain/enrollment.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { maskEmail, maskPhone } from './contacts.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { EnrollmentView } from '../schemas/enrollments.ts';

/** As the row stands now. */
export async function answerEnrollment(
  { database, personalData }: Pick<AppDependencies, 'database' | 'personalData'>,
  subject: EnrollmentSubject,
): Promise<EnrollmentView> {
  return await database.tenant(subject.tenantId, async (tx) => {
    const record = await readEnrollment(tx, subject);
    if (record === undefined) throw new LatchkeyError('ceremony_not_found');
    return await viewIn(tx, personalData, record);
  });
}

export async function viewIn(
  tx: Tx,
  personalData: AppDependencies['personalData'],
  record: EnrollmentRecord,
): Promise<EnrollmentView> {
  return viewOf(await standingOf(tx, personalData, record));
}

/** Why no step is possible any more, or why not this one; says which state it is in, so that an app can catch up. */
export function stepRefusal(record: EnrollmentRecord): LatchkeyError {
  const { state, outcome } = record;
  return new LatchkeyError(refusalOf(record), {
    extra: { state, ...(outcome === null ? {} : { outcome }) },
  });
}

function viewOf({ record, code }: EnrollmentStanding): EnrollmentView {
  const { outcome, stepDeadlineMs } = record;
  const reason = reasonOf(record.reason);
  const steps = nextSteps(reason);
  const isCompleted = outcome === 'completed' && record.deviceId !== null;
  return {
    enrollmentId: record.enrollmentId,
    state: record.state,
    ...(outcome === null ? {} : { outcome }),
    ...(reason === null ? {} : { reason }),
    ...(steps === undefined ? {} : { nextSteps: [...steps] }),
    ...(isCompleted ? { customerId: record.customerId, deviceId: record.deviceId ?? '' } : {}),
    locale: record.locale,
    createdAt: iso(record.createdAtMs),
    expiresAt: iso(record.deadlineMs),
    ...(stepDeadlineMs === null ? {} : { stepExpiresAt: iso(stepDeadlineMs) }),
    ...(code === undefined ? {} : { code: codeView(record, code) }),
  };
}

function codeView(
  { policy }: EnrollmentRecord,
  { kind, to, attempt, sends }: SentCode,
): NonNullable<EnrollmentView['code']> {
  const isOpen = attempt.status === 'open';
  return {
    sentTo: kind === 'phone' ? maskPhone(to) : maskEmail(to),
    digits: policy.otp.digits,
    expiresAt: iso(attempt.expiresAtMs),
    resendAt: iso(attempt.resendAfterMs),
    attemptsLeft: isOpen ? Math.max(policy.otp.maxWrong - attempt.wrongCount, 0) : 0,
    resendsLeft: Math.max(policy.otp.maxSends - sends, 0),
  };
}

function reasonOf(reason: string | null): EnrollmentReason | null {
  return ENROLLMENT_REASONS.find((known) => known === reason) ?? null;
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
