/**
 * Facts about an enrollment, found in rows: what a guess was worth, what the vendor said, what an earlier run learnt and could not act on any
 * more. They are reported; the domain says what follows.
 */
import { timingSafeEqual } from 'node:crypto';
import type {
  CodeStep,
  EnrollmentEvent,
  EnrollmentSnapshot,
  EnrollmentSubject,
} from '../domain/enrollment.ts';
import { refusalOf } from '../domain/enrollment.ts';
import { LatchkeyError, type ErrorCode } from '../domain/errors.ts';
import type { OtpCodes } from '../domain/ports.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import {
  IDENTITY_PURPOSE,
  phoneContact,
  sendCode,
  type EnrollmentTools,
  type IdentityDetails,
} from './enrollment-effects.ts';
import { readEnrollment, toSnapshot, type EnrollmentRecord } from './enrollment.ts';
import { judgeGuess, latestAttempt, latestIdentityAttempt, type Guess } from './step-attempts.ts';
import {
  finishSubmission,
  formatOutcome,
  openSubmission,
  parseOutcome,
  takeSubmission,
} from './step-submissions.ts';

export interface CodeJudgement {
  readonly snapshot: EnrollmentSnapshot;
  readonly fact: EnrollmentEvent;
  readonly attemptsLeft: number | null;
}

export interface StepSubmission extends EnrollmentSubject {
  readonly submissionId: string;
  readonly step: CodeStep;
}

/**
 * Judges the code of a submission, once: a repeat answers what was said then.
 * @throws LatchkeyError wrong_step (or how it ended), submission_expired, ceremony_not_found: nothing was counted.
 */
export async function judgeCode(
  tx: Tx,
  tools: EnrollmentTools & { otpCodes: OtpCodes },
  args: StepSubmission,
): Promise<CodeJudgement> {
  const { tenantId, enrollmentId, submissionId, step } = args;
  const subject = { tenantId, ceremonyId: enrollmentId };
  const submission = await takeSubmission(tx, subject, submissionId, [step]);
  const enrollment = await readEnrollment(tx, args);
  if (enrollment === undefined) throw new LatchkeyError('ceremony_not_found');
  const snapshot = toSnapshot(enrollment);
  if (submission.outcome !== null) return { snapshot, ...parseOutcome(submission.outcome) };
  if (enrollment.state !== step) throw refusal(refusalOf(enrollment), enrollment);

  const { code } = await openSubmission<{ code: string }>(
    tx,
    tools.personalData,
    tenantId,
    submission,
  );
  const { attempt } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step });
  const { maxWrong, digits } = enrollment.policy.otp;
  const guess: Guess =
    attempt === undefined
      ? { result: 'expired' }
      : await judgeGuess(tx, {
          tenantId,
          attemptId: attempt.attemptId,
          isRight: isSame(code, tools.otpCodes.codeFor(attempt.attemptId, digits)),
          maxWrong,
        });
  const fact = await factOfGuess(tx, enrollment, guess);
  const attemptsLeft = guess.result === 'wrong' ? guess.attemptsLeft : null;
  await finishSubmission(tx, tenantId, submissionId, formatOutcome(fact, attemptsLeft));
  if (guess.result !== 'matched') {
    await appendAudit(tx, {
      tenantId,
      actor: { kind: 'customer', id: enrollment.customerId },
      action: 'enrollment.code_refused',
      subject: { kind: 'enrollment', id: enrollmentId },
      customerId: enrollment.customerId,
      ceremonyId: enrollmentId,
      detail: { step, result: guess.result, attemptsLeft },
    });
  }
  return { snapshot, fact, attemptsLeft };
}

/**
 * Sends a new code for the step that is due, once a submission.
 * @throws LatchkeyError wrong_step, resend_too_soon, resends_exhausted, submission_expired: nothing was sent.
 */
export async function resendCode(
  tx: Tx,
  tools: EnrollmentTools,
  args: StepSubmission,
): Promise<EnrollmentSnapshot> {
  const { tenantId, submissionId, step } = args;
  const subject = { tenantId, ceremonyId: args.enrollmentId };
  const submission = await takeSubmission(tx, subject, submissionId, [`${step}_resend`]);
  const enrollment = await readEnrollment(tx, args, true);
  if (enrollment === undefined) throw new LatchkeyError('ceremony_not_found');
  if (submission.outcome !== null) return toSnapshot(enrollment);
  if (enrollment.state !== step) throw refusal(refusalOf(enrollment), enrollment);
  await sendCode(tx, tools, enrollment, { step, contactId: await contactOf(tx, enrollment, step) });
  await finishSubmission(tx, tenantId, submissionId, 'accepted');
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: enrollment.customerId },
    action: 'enrollment.code_resent',
    subject: { kind: 'enrollment', id: args.enrollmentId },
    customerId: enrollment.customerId,
    ceremonyId: args.enrollmentId,
    detail: { step },
  });
  return toSnapshot(enrollment);
}

/** A fact that the rows hold and the ceremony has not followed yet: a verdict, or a code matched just before its workflow was lost. */
export async function pendingFact(
  tx: Tx,
  tools: EnrollmentTools,
  enrollment: EnrollmentRecord,
): Promise<EnrollmentEvent | null> {
  const { tenantId, enrollmentId, state } = enrollment;
  if (state === 'identity_check') return await verdictFact(tx, tools, enrollment);
  if (state !== 'phone' && state !== 'email_code') return null;
  const { attempt } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step: state });
  if (attempt?.status === 'matched')
    return await factOfGuess(tx, enrollment, { result: 'matched' });
  return attempt?.status === 'exhausted' ? 'code_exhausted' : null;
}

async function verdictFact(
  tx: Tx,
  { personalData }: EnrollmentTools,
  { tenantId, enrollmentId, customerId }: EnrollmentRecord,
): Promise<EnrollmentEvent | null> {
  const attempt = await latestIdentityAttempt(tx, tenantId, enrollmentId);
  if (attempt === undefined || attempt.verdict === null) return null;
  if (attempt.verdict !== 'verified') return 'identity_refused';
  if (attempt.sealedDetail === null) throw new TypeError('a verified identity has its details');
  const target = { tenantId, customerId, purpose: IDENTITY_PURPOSE };
  // Sealed by openIdentityCheck under that purpose.
  const details = JSON.parse(
    await personalData.open(tx, target, attempt.sealedDetail),
  ) as IdentityDetails;
  const index = personalData.blindIndex(tenantId, 'document', details.documentNumber ?? '');
  const known = await tx`
    select 1 from person join customer using (tenant_id, person_id)
    where person.tenant_id = ${tenantId} and person.identity_index = ${index} and customer.status = 'active'
      and customer.customer_id <> ${customerId}`;
  return known.length > 0 ? 'known_person' : 'identity_verified';
}

/** Only a proved contact tells who else has it: whoever typed the number learns nothing. */
async function factOfGuess(
  tx: Tx,
  { tenantId, customerId, state }: EnrollmentRecord,
  guess: Guess,
): Promise<EnrollmentEvent> {
  if (guess.result !== 'matched') return `code_${guess.result}`;
  const kind = state === 'phone' ? 'phone' : 'email';
  const known = await tx`
    select 1 from contact mine join contact other using (tenant_id, kind, blind_index)
    where mine.tenant_id = ${tenantId} and mine.customer_id = ${customerId} and mine.kind = ${kind}
      and other.status = 'proved' and other.customer_id <> mine.customer_id`;
  if (known.length === 0) return 'code_matched';
  return kind === 'phone' ? 'known_customer' : 'email_taken';
}

async function contactOf(tx: Tx, enrollment: EnrollmentRecord, step: CodeStep): Promise<string> {
  if (step === 'phone') return await phoneContact(tx, enrollment);
  const { tenantId, enrollmentId } = enrollment;
  const { attempt } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step });
  if (attempt === undefined || attempt.contactId === null)
    throw new TypeError('a code goes to the address that was handed in');
  return attempt.contactId;
}

function refusal(code: ErrorCode, { state }: EnrollmentRecord): LatchkeyError {
  return new LatchkeyError(code, { extra: { state } });
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
