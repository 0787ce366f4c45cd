/**
 * What an authenticated caller handed in for one step, sealed under the customer's key. It is the authority of a step: an activity acts on
 * a submission the API wrote, never on what a message to a workflow says. Used once; its outcome is remembered so that a repeat is told the same.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { EnrollmentEvent } from '../domain/enrollment.ts';
import type { Policy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';
import type { PersonalData } from './personal-data.ts';

export type EnrollmentSubmissionStep =
  | 'phone'
  | 'phone_resend'
  | 'identity_check'
  | 'email'
  | 'email_code'
  | 'email_code_resend'
  | 'passkey';
export type StepUpSubmissionStep = 'step_up_approval' | 'step_up' | 'step_up_resend';
export type SubmissionStep = EnrollmentSubmissionStep | StepUpSubmissionStep | 'recovery_passkey';

export interface Submission {
  readonly submissionId: string;
  readonly customerId: string;
  readonly step: string;
  readonly outcome: string | null;
  readonly sealedPayload: Uint8Array | null;
}

/** Answers the moment after which no activity may act on it. */
export async function insertSubmission(
  tx: Tx,
  personalData: PersonalData,
  args: {
    tenantId: string;
    ceremonyId: string;
    customerId: string;
    submissionId: string;
    step: SubmissionStep;
    payload: object;
    notAfterSeconds: number;
  },
): Promise<{ notAfterMs: number }> {
  const { tenantId, customerId } = args;
  const sealed = await personalData.seal(
    tx,
    { tenantId, customerId, purpose: purposeOf(args.step) },
    JSON.stringify(args.payload),
  );
  const [row] = await tx<{ notAfter: Date }[]>`
    insert into step_submission (tenant_id, submission_id, ceremony_id, step, sealed_payload, created_at, not_after)
    select ${tenantId}, ${args.submissionId}, ${args.ceremonyId}, ${args.step}, ${sealed}, t.now,
           t.now + make_interval(secs => ${args.notAfterSeconds})
    from (select latchkey_now() as now offset 0) t
    returning not_after`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  return { notAfterMs: row.notAfter.getTime() };
}

/**
 * Locks the submission for the step that acts on it.
 * @throws LatchkeyError submission_expired when it is unused and too old, ceremony_not_found when it is no submission for this step.
 */
export async function takeSubmission(
  tx: Tx,
  subject: { readonly tenantId: string; readonly ceremonyId: string },
  submissionId: string,
  steps: readonly SubmissionStep[],
): Promise<Submission> {
  const [row] = await tx<(Submission & { isLate: boolean })[]>`
    select s.submission_id, c.customer_id, s.step, s.outcome, s.sealed_payload, s.not_after <= latchkey_now() as is_late
    from step_submission s join ceremony c using (tenant_id, ceremony_id)
    where s.tenant_id = ${subject.tenantId} and s.ceremony_id = ${subject.ceremonyId} and s.submission_id = ${submissionId}
    for update of s`;
  if (row === undefined || !steps.some((step) => step === row.step))
    throw new LatchkeyError('ceremony_not_found');
  if (row.outcome === null && row.isLate) throw new LatchkeyError('submission_expired');
  return row;
}

/** The payload of an unused submission; the caller knows the shape that the API wrote for that step. */
export async function openSubmission<Payload extends object>(
  tx: Tx,
  personalData: PersonalData,
  tenantId: string,
  submission: Submission,
): Promise<Payload> {
  if (submission.sealedPayload === null) throw new LatchkeyError('submission_expired');
  const text = await personalData.open(
    tx,
    { tenantId, customerId: submission.customerId, purpose: purposeOf(submission.step) },
    submission.sealedPayload,
  );
  // Sealed by insertSubmission under a purpose of that step, so it has the step's shape.
  return JSON.parse(text) as Payload;
}

export async function finishSubmission(
  tx: Tx,
  tenantId: string,
  submissionId: string,
  outcome: string,
): Promise<void> {
  await tx`
    update step_submission set sealed_payload = null, outcome = ${outcome}, used_at = latchkey_now()
    where tenant_id = ${tenantId} and submission_id = ${submissionId} and used_at is null`;
}

/** null while it is unused; locked until the transaction ends, so that it stays so. */
export async function submissionOutcome(
  tx: Tx,
  tenantId: string,
  submissionId: string,
): Promise<string | null> {
  const [row] = await tx<{ outcome: string | null }[]>`
    select outcome from step_submission
    where tenant_id = ${tenantId} and submission_id = ${submissionId} for update`;
  if (row === undefined) throw new TypeError('a submission that was never written');
  return row.outcome;
}

/**
 * Gives an unused submission that has become too old a new term, because its caller sent the same request again. Answers its end; within a
 * term, and once it was used, the answer stays the same.
 */
export async function renewSubmission(
  tx: Tx,
  { tenantId, policy }: { tenantId: string; policy: Policy },
  submissionId: string,
): Promise<number> {
  const [row] = await tx<{ notAfter: Date }[]>`
    update step_submission
    set not_after = case when used_at is not null or not_after > latchkey_now() then not_after
                         else latchkey_now() + make_interval(secs => ${policy.submission.notAfterSeconds}) end
    where tenant_id = ${tenantId} and submission_id = ${submissionId}
    returning not_after`;
  if (row === undefined) throw new TypeError('a submission that was never written');
  return row.notAfter.getTime();
}

/** What a guess came to, as the row keeps it; a step that was followed keeps `accepted`. */
export function formatOutcome(fact: EnrollmentEvent, attemptsLeft: number | null): string {
  return attemptsLeft === null ? fact : `${fact}:${String(attemptsLeft)}`;
}

/** Of a guess. */
export function parseOutcome(outcome: string): {
  fact: EnrollmentEvent;
  attemptsLeft: number | null;
} {
  const [fact, left] = outcome.split(':');
  // Written by formatOutcome.
  return { fact: fact as EnrollmentEvent, attemptsLeft: left === undefined ? null : Number(left) };
}

function purposeOf(step: string): string {
  return `submission.${step}`;
}
