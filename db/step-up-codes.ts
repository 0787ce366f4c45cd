/**
 * The second channel of a step-up: a code to the customer's proved number, in a message that names what it is for. It goes out only once the
 * keys were good (a login has shown its passkey before), is judged in one statement, and lives no longer than the time to approve.
 */
import { timingSafeEqual } from 'node:crypto';
import { LatchkeyError } from '../domain/errors.ts';
import type { OtpCodes } from '../domain/ports.ts';
import {
  refusalOf,
  type StepUpEvent,
  type StepUpSnapshot,
  type StepUpSubject,
} from '../domain/step-up.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { readStepUp, toStepUpSnapshot, type StepUpRecord, type StepUpTools } from './step-up.ts';
import { enqueue } from './outbox.ts';
import { refuseManyGuesses } from './step-up-guesses.ts';
import { judgeGuess, latestAttempt, openCodeAttempt, type Guess } from './step-attempts.ts';
import {
  finishSubmission,
  openSubmission,
  takeSubmission,
  type SubmissionStep,
} from './step-submissions.ts';

/** The step of its attempts. */
export const STEP_UP_CODE = 'step_up';

export interface StepUpCodeJudgement {
  readonly snapshot: StepUpSnapshot;
  readonly fact: StepUpEvent;
  readonly attemptsLeft: number | null;
}

export interface StepUpCodeSubmission extends StepUpSubject {
  readonly submissionId: string;
}

/**
 * Opens a new code and sends it.
 * @throws LatchkeyError resend_too_soon, resends_exhausted; approval_invalid when there is no proved number.
 */
export async function sendStepUpCode(
  tx: Tx,
  { newId }: Pick<StepUpTools, 'newId'>,
  stepUp: StepUpRecord,
): Promise<void> {
  const { tenantId, stepUpId, customerId, policy, locale, nowMs } = stepUp;
  const key = { tenantId, ceremonyId: stepUpId, step: STEP_UP_CODE } as const;
  const { attempt, sends } = await latestAttempt(tx, key);
  if (sends >= policy.otp.maxSends) throw new LatchkeyError('resends_exhausted');
  if (attempt !== undefined && attempt.resendAfterMs > nowMs) {
    const retryAfterSeconds = Math.ceil((attempt.resendAfterMs - nowMs) / 1000);
    throw new LatchkeyError('resend_too_soon', { retryAfterSeconds, extra: { retryAfterSeconds } });
  }
  const contactId = await provedPhone(tx, stepUp);
  if (contactId === undefined) throw new LatchkeyError('approval_invalid');
  const attemptId = newId('attempt');
  await openCodeAttempt(tx, {
    ...key,
    attemptId,
    contactId,
    limits: policy.otp,
    lastMomentMs: stepUp.approveByMs,
  });
  await enqueue(tx, {
    tenantId,
    topic: 'message.sms',
    subject: contactId,
    payload: { customerId, contactId, template: 'step_up_code', attemptId, locale, stepUpId },
  });
}

async function provedPhone(
  tx: Tx,
  { tenantId, customerId }: Pick<StepUpRecord, 'tenantId' | 'customerId'>,
): Promise<string | undefined> {
  const [row] = await tx<{ contactId: string }[]>`
    select contact_id from contact
    where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'phone' and status = 'proved'
    order by proved_at desc limit 1`;
  return row?.contactId;
}

/**
 * Judges the code of a submission, once: a repeat answers what was said then.
 * @throws LatchkeyError wrong_step (or how it ended), submission_expired, step_up_not_found, too_many_requests: nothing was counted.
 */
export async function judgeStepUpCode(
  tx: Tx,
  tools: StepUpTools & { readonly otpCodes: OtpCodes },
  args: StepUpCodeSubmission,
): Promise<StepUpCodeJudgement> {
  const { tenantId, stepUpId, submissionId } = args;
  const { submission, stepUp } = await taken(tx, args, STEP_UP_CODE);
  const snapshot = toStepUpSnapshot(stepUp);
  if (submission.outcome !== null) return { snapshot, ...parseOutcome(submission.outcome) };
  refuseElsewhere(stepUp);
  const { code } = await openSubmission<{ code: string }>(
    tx,
    tools.personalData,
    tenantId,
    submission,
  );
  const key = { tenantId, ceremonyId: stepUpId, step: STEP_UP_CODE } as const;
  const { attempt } = await latestAttempt(tx, key);
  if (attempt?.status === 'open') await refuseManyGuesses(tx, stepUp);
  const { maxWrong, digits } = stepUp.policy.otp;
  const guess: Guess =
    attempt === undefined
      ? { result: 'expired' }
      : await judgeGuess(tx, {
          tenantId,
          attemptId: attempt.attemptId,
          isRight: isSame(code, tools.otpCodes.codeFor(attempt.attemptId, digits)),
          maxWrong,
        });
  const fact: StepUpEvent = `code_${guess.result}`;
  const attemptsLeft = guess.result === 'wrong' ? guess.attemptsLeft : null;
  const outcome = attemptsLeft === null ? fact : `${fact}:${String(attemptsLeft)}`;
  await finishSubmission(tx, tenantId, submissionId, outcome);
  if (guess.result !== 'matched')
    await audit(tx, stepUp, 'step_up.code_refused', { result: guess.result, attemptsLeft });
  return { snapshot, fact, attemptsLeft };
}

/**
 * Sends a new code, once a submission.
 * @throws LatchkeyError wrong_step, resend_too_soon, resends_exhausted, submission_expired: nothing was sent.
 */
export async function resendStepUpCode(
  tx: Tx,
  tools: StepUpTools,
  args: StepUpCodeSubmission,
): Promise<StepUpSnapshot> {
  const { submission, stepUp } = await taken(tx, args, 'step_up_resend', true);
  if (submission.outcome !== null) return toStepUpSnapshot(stepUp);
  refuseElsewhere(stepUp);
  await sendStepUpCode(tx, tools, stepUp);
  await finishSubmission(tx, args.tenantId, args.submissionId, 'accepted');
  await audit(tx, stepUp, 'step_up.code_resent', {});
  return toStepUpSnapshot(stepUp);
}

/** A fact that the rows hold and the ceremony has not followed yet: its workflow was lost just after the guess. */
export async function pendingStepUpFact(
  tx: Tx,
  { tenantId, stepUpId, state }: StepUpRecord,
): Promise<'code_matched' | 'code_exhausted' | null> {
  if (state !== 'second_factor') return null;
  const key = { tenantId, ceremonyId: stepUpId, step: STEP_UP_CODE } as const;
  const { attempt } = await latestAttempt(tx, key);
  if (attempt?.status === 'matched') return 'code_matched';
  return attempt?.status === 'exhausted' ? 'code_exhausted' : null;
}

/** Where the last code went, for showing it masked; undefined before one was sent. */
export async function stepUpCodeSentTo(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, customerId }: Pick<StepUpRecord, 'tenantId' | 'customerId'>,
): Promise<string | undefined> {
  const contactId = await provedPhone(tx, { tenantId, customerId });
  if (contactId === undefined) return undefined;
  const [row] = await tx<{ sealedValue: Uint8Array }[]>`
    select sealed_value from contact where tenant_id = ${tenantId} and contact_id = ${contactId}`;
  if (row === undefined) return undefined;
  return await personalData.open(
    tx,
    { tenantId, customerId, purpose: 'contact.phone' },
    row.sealedValue,
  );
}

async function taken(
  tx: Tx,
  { tenantId, stepUpId, submissionId }: StepUpCodeSubmission,
  step: SubmissionStep,
  isLocked = false,
) {
  const subject = { tenantId, ceremonyId: stepUpId };
  const submission = await takeSubmission(tx, subject, submissionId, [step]);
  const stepUp = await readStepUp(tx, { tenantId, stepUpId }, isLocked);
  if (stepUp === undefined) throw new LatchkeyError('step_up_not_found');
  return { submission, stepUp };
}

function refuseElsewhere(stepUp: StepUpRecord): void {
  const { state, nowMs, approveByMs } = stepUp;
  if (state !== 'second_factor') throw new LatchkeyError(refusalOf(stepUp), { extra: { state } });
  if (nowMs >= approveByMs) throw new LatchkeyError('step_up_expired', { extra: { state } });
}

async function audit(
  tx: Tx,
  { tenantId, stepUpId, customerId }: StepUpRecord,
  action: string,
  detail: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action,
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
    detail,
  });
}

function parseOutcome(outcome: string): { fact: StepUpEvent; attemptsLeft: number | null } {
  const [fact, left] = outcome.split(':');
  // Written by judgeStepUpCode.
  return { fact: fact as StepUpEvent, attemptsLeft: left === undefined ? null : Number(left) };
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
