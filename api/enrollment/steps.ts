/**
 * One step of an enrollment, from an authenticated request to its outcome: the submission is written first and is the authority; the workflow is
 * told its id. A repeat under the same Idempotency-Key finds the submission again and attaches to the same update, so that a step is taken
 * once however often it is sent. There is no path around the workflow.
 */
import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { enrollmentOfKey } from '../../db/enrollment-view.ts';
import type { EnrollmentRecord } from '../../db/enrollment.ts';
import { latestAttempt } from '../../db/step-attempts.ts';
import {
  insertSubmission,
  parseOutcome,
  renewSubmission,
  submissionOutcome,
  type SubmissionStep,
} from '../../db/step-submissions.ts';
import { REFUSED_GUESSES } from '../../domain/enrollment.ts';
import type { CodeStep, EnrollmentState, EnrollmentSubject } from '../../domain/enrollment.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { workflowId } from '../../domain/ids.ts';
import type { AppDependencies } from '../dependencies.ts';
import { answerEnrollment, stepRefusal } from './answers.ts';
import type { Idempotency } from '../idempotency.ts';
import type { EnrollmentView } from '../schemas/enrollments.ts';
import { callerOf } from '../types.ts';

export interface Step {
  readonly step: SubmissionStep;
  /** The workflow's update. */
  readonly update: string;
  /** Where the step may be due. */
  readonly states: readonly EnrollmentState[];
}

export const STEPS = {
  submitPhoneCode: { step: 'phone', update: 'submitPhoneCode', states: ['phone'] },
  resendPhoneCode: { step: 'phone_resend', update: 'resendPhoneCode', states: ['phone'] },
  submitIdentity: { step: 'identity_check', update: 'identityDetails', states: ['identity'] },
  submitEmail: { step: 'email', update: 'submitEmail', states: ['email', 'email_code'] },
  submitEmailCode: { step: 'email_code', update: 'submitEmailCode', states: ['email_code'] },
  resendEmailCode: { step: 'email_code_resend', update: 'resendEmailCode', states: ['email_code'] },
  bindPasskey: { step: 'passkey', update: 'bindPasskey', states: ['passkey'] },
} as const satisfies Record<string, Step>;

export interface StepDependencies extends AppDependencies {
  readonly idempotency: Idempotency;
}

/** Of the asking key; for any other it does not exist. @throws LatchkeyError ceremony_not_found */
export async function ownEnrollment(
  tx: Tx,
  request: FastifyRequest,
  enrollmentId: string,
): Promise<EnrollmentRecord> {
  const { jkt } = callerOf(request, 'key');
  const { tenantId } = request.tenant;
  const record = await enrollmentOfKey(tx, { tenantId, enrollmentId, jkt });
  if (record === undefined) throw new LatchkeyError('ceremony_not_found');
  return record;
}

/** `prepare` verifies what came and answers what the submission holds; it may refuse, and nothing was written then. */
export async function takeStep(
  deps: StepDependencies,
  request: FastifyRequest,
  args: {
    readonly enrollmentId: string;
    readonly step: Step;
    readonly prepare: () => object | Promise<object>;
  },
): Promise<EnrollmentView> {
  const { database, personalData, newId } = deps;
  const { tenantId } = request.tenant;
  const subject: EnrollmentSubject = { tenantId, enrollmentId: args.enrollmentId };
  const finish = (submissionId: string) => driveStep(deps, request, { ...args, submissionId });
  return await deps.idempotency.run(request, {
    work: async (claim) => {
      await database.tenant(tenantId, async (tx) => {
        await dueEnrollment(tx, request, args);
      });
      const payload = await args.prepare();
      const submissionId = newId('submission');
      await database.tenant(tenantId, async (tx) => {
        const record = await dueEnrollment(tx, request, args);
        await insertSubmission(tx, personalData, {
          tenantId,
          ceremonyId: subject.enrollmentId,
          customerId: record.customerId,
          submissionId,
          step: args.step.step,
          payload,
          notAfterSeconds: record.policy.submission.notAfterSeconds,
        });
        await claim.settle(tx, submissionId);
      });
      return { reference: submissionId, answer: await finish(submissionId) };
    },
    replay: finish,
  });
}

/** @throws LatchkeyError for a step that is not due: no update is spent on it. */
async function dueEnrollment(
  tx: Tx,
  request: FastifyRequest,
  { enrollmentId, step }: { enrollmentId: string; step: Step },
): Promise<EnrollmentRecord> {
  const record = await ownEnrollment(tx, request, enrollmentId);
  if (!step.states.includes(record.state)) throw stepRefusal(record);
  if (step.step === 'phone_resend') await refuseEarlyResend(tx, record, 'phone');
  if (step.step === 'email_code_resend') await refuseEarlyResend(tx, record, 'email_code');
  return record;
}

async function refuseEarlyResend(tx: Tx, record: EnrollmentRecord, step: CodeStep): Promise<void> {
  const { tenantId, enrollmentId, policy, nowMs } = record;
  const { attempt, sends } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step });
  if (sends >= policy.otp.maxSends) throw new LatchkeyError('resends_exhausted');
  const waitMs = (attempt?.resendAfterMs ?? 0) - nowMs;
  if (waitMs > 0)
    throw new LatchkeyError('resend_too_soon', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
}

async function driveStep(
  deps: StepDependencies,
  request: FastifyRequest,
  args: { enrollmentId: string; step: Step; submissionId: string },
): Promise<EnrollmentView> {
  const { tenantId } = request.tenant;
  const { enrollmentId, submissionId } = args;
  const standing = await submissionStanding(deps, request, args);
  if (!standing.isTaken) {
    const { record, notAfterMs } = standing;
    const isClosed = await update(deps, record, args.step, { submissionId, notAfterMs });
    // Its outcome may have been lost with the workflow's end; the rows have it. A row still open waits for the reconciler.
    if (isClosed && !(await submissionStanding(deps, request, args)).isTaken)
      throw new LatchkeyError('temporal_unavailable');
  }
  return await answerEnrollment(deps, { tenantId, enrollmentId });
}

type SubmissionStanding =
  | { readonly isTaken: true }
  | { readonly isTaken: false; readonly record: EnrollmentRecord; readonly notAfterMs: number };

/** @throws LatchkeyError what was said to the submission before, or why nothing can come of it any more. */
async function submissionStanding(
  { database }: StepDependencies,
  request: FastifyRequest,
  { enrollmentId, submissionId, step }: { enrollmentId: string; submissionId: string; step: Step },
): Promise<SubmissionStanding> {
  const { tenantId } = request.tenant;
  return await database.tenant(tenantId, async (tx) => {
    const record = await ownEnrollment(tx, request, enrollmentId);
    const outcome = await submissionOutcome(tx, tenantId, submissionId);
    if (outcome !== null) {
      refuseAsBefore(outcome, record);
      // Judged right, but the worker died before the move that follows: the same update goes on from there.
      const isFollowed = outcome === 'accepted' || record.state !== step.step;
      if (isFollowed) return { isTaken: true };
    }
    if (record.outcome !== null) throw stepRefusal(record);
    return {
      isTaken: false,
      record,
      notAfterMs: await renewSubmission(tx, record, submissionId),
    };
  });
}

/** Answers true when the workflow was closed already, or closed without answering. */
async function update(
  deps: StepDependencies,
  record: EnrollmentRecord,
  step: Step,
  handle: { submissionId: string; notAfterMs: number },
): Promise<boolean> {
  const { tenantId, enrollmentId, healCount } = record;
  const id = workflowId('enrollment', tenantId, enrollmentId, healCount);
  try {
    await deps.temporal.update(id, step.update, [handle], updateId(deps, record, step, handle));
    return false;
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    if (error.code === 'ceremony_ended') return true;
    throw withRetryAfter(error);
  }
}

/** A refusal of the workflow brings its wait as an extra member. */
function withRetryAfter(error: LatchkeyError): LatchkeyError {
  const { retryAfterSeconds, ...extra } = error.extra;
  if (typeof retryAfterSeconds !== 'number') return error;
  return new LatchkeyError(error.code, { retryAfterSeconds, extra, cause: error });
}

/** One id for one submission and term of it: whoever repeats the request attaches, whoever makes another one does not. */
function updateId(
  { kms }: StepDependencies,
  { tenantId, enrollmentId, jkt }: EnrollmentRecord,
  { update: name }: Step,
  { submissionId, notAfterMs }: { submissionId: string; notAfterMs: number },
): string {
  return createHmac('sha256', kms.secret('update-id').key)
    .update(JSON.stringify([tenantId, enrollmentId, jkt, name, submissionId, notAfterMs]))
    .digest('base64url');
}

/** What was said to a submission is said again. */
function refuseAsBefore(outcome: string, { state }: EnrollmentRecord): void {
  if (outcome === 'accepted') return;
  const { fact, attemptsLeft } = parseOutcome(outcome);
  const code = REFUSED_GUESSES[fact];
  if (code === undefined) return;
  throw new LatchkeyError(code, {
    extra: { state, ...(attemptsLeft === null ? {} : { attemptsLeft }) },
  });
}
