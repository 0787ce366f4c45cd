/**
 * One step of a ceremony, from an authenticated request to its outcome: the submission is written first and is the authority; the workflow is
 * told its id. A repeat under the same Idempotency-Key finds the submission again and attaches to the same update, so that a step is taken
 * once however often it is sent. There is no path around the workflow.
 */
import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { latestAttempt } from '../../db/step-attempts.ts';
import {
  insertSubmission,
  renewSubmission,
  submissionOutcome,
  type SubmissionStep,
} from '../../db/step-submissions.ts';
import type { CeremonyOutcome } from '../../domain/enrollment.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { workflowId, type WorkflowKind } from '../../domain/ids.ts';
import type { Policy } from '../../domain/policy.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Idempotency } from '../idempotency.ts';

export interface StepDependencies extends AppDependencies {
  readonly idempotency: Idempotency;
}

/** What any ceremony's row says. */
export interface CeremonyRecord {
  readonly tenantId: string;
  readonly customerId: string;
  readonly state: string;
  readonly outcome: CeremonyOutcome | null;
  readonly healCount: number;
  readonly policy: Policy;
  readonly nowMs: number;
}

export interface CeremonyStep {
  readonly step: SubmissionStep;
  /** The workflow's update. */
  readonly update: string;
  /** Where the step may be due. */
  readonly states: readonly string[];
}

/** What one kind of ceremony knows of itself. */
export interface Ceremony<Own extends CeremonyRecord, Answer> {
  readonly kind: WorkflowKind;
  /** For whoever asks; for anybody else it does not exist. @throws LatchkeyError */
  readonly own: (tx: Tx, request: FastifyRequest, ceremonyId: string) => Promise<Own>;
  /** Why no step is possible any more, or why not this one. */
  readonly refusal: (record: Own) => LatchkeyError;
  /** The step that a code was sent for, where `step` asks for another one. */
  readonly resends: (
    step: SubmissionStep,
  ) => Parameters<typeof latestAttempt>[1]['step'] | undefined;
  /** Whom an update's id is bound to. */
  readonly actor: (record: Own, request: FastifyRequest) => string;
  /** What is said again to a submission that came to `outcome`; undefined for one that was taken. */
  readonly refusedAs: (outcome: string, record: Own) => LatchkeyError | undefined;
  readonly answer: (request: FastifyRequest, ceremonyId: string) => Promise<Answer>;
}

interface StepArguments {
  readonly ceremonyId: string;
  readonly step: CeremonyStep;
}

/** `prepare` verifies what came and answers what the submission holds; it may refuse, and nothing was written then. */
export async function takeStep<Own extends CeremonyRecord, Answer>(
  deps: StepDependencies,
  ceremony: Ceremony<Own, Answer>,
  request: FastifyRequest,
  args: StepArguments & { readonly prepare: () => object | Promise<object> },
): Promise<Answer> {
  const { database, personalData, newId } = deps;
  const { tenantId } = request.tenant;
  const { ceremonyId, step } = args;
  const finish = (submissionId: string) =>
    driveStep(deps, ceremony, request, { ...args, submissionId });
  return await deps.idempotency.run(request, {
    work: async (claim) => {
      await database.tenant(tenantId, async (tx) => {
        await dueCeremony(tx, ceremony, request, args);
      });
      const payload = await args.prepare();
      const submissionId = newId('submission');
      await database.tenant(tenantId, async (tx) => {
        const record = await dueCeremony(tx, ceremony, request, args);
        await insertSubmission(tx, personalData, {
          tenantId,
          ceremonyId,
          customerId: record.customerId,
          submissionId,
          step: step.step,
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
async function dueCeremony<Own extends CeremonyRecord>(
  tx: Tx,
  ceremony: Ceremony<Own, unknown>,
  request: FastifyRequest,
  { ceremonyId, step }: StepArguments,
): Promise<Own> {
  const record = await ceremony.own(tx, request, ceremonyId);
  if (!step.states.includes(record.state)) throw ceremony.refusal(record);
  const resent = ceremony.resends(step.step);
  if (resent === undefined) return record;
  const { tenantId, policy, nowMs } = record;
  const { attempt, sends } = await latestAttempt(tx, { tenantId, ceremonyId, step: resent });
  if (sends >= policy.otp.maxSends) throw new LatchkeyError('resends_exhausted');
  const waitMs = (attempt?.resendAfterMs ?? 0) - nowMs;
  if (waitMs > 0)
    throw new LatchkeyError('resend_too_soon', { retryAfterSeconds: Math.ceil(waitMs / 1000) });
  return record;
}

async function driveStep<Own extends CeremonyRecord, Answer>(
  deps: StepDependencies,
  ceremony: Ceremony<Own, Answer>,
  request: FastifyRequest,
  args: StepArguments & { readonly submissionId: string },
): Promise<Answer> {
  const { ceremonyId, submissionId, step } = args;
  const standing = await submissionStanding(deps, ceremony, request, args);
  if (!standing.isTaken) {
    const { record, notAfterMs } = standing;
    const id = workflowId(ceremony.kind, record.tenantId, ceremonyId, record.healCount);
    const subject = [record.tenantId, ceremonyId, ceremony.actor(record, request)];
    const isClosed = await update(deps, { id, subject, step }, { submissionId, notAfterMs });
    // Its outcome may have been lost with the workflow's end; the rows have it. A row still open waits for the reconciler.
    if (isClosed && !(await submissionStanding(deps, ceremony, request, args)).isTaken)
      throw new LatchkeyError('temporal_unavailable');
  }
  return await ceremony.answer(request, ceremonyId);
}

type SubmissionStanding<Own> =
  | { readonly isTaken: true }
  | { readonly isTaken: false; readonly record: Own; readonly notAfterMs: number };

/** @throws LatchkeyError what was said to the submission before, or why nothing can come of it any more. */
async function submissionStanding<Own extends CeremonyRecord>(
  { database }: StepDependencies,
  ceremony: Ceremony<Own, unknown>,
  request: FastifyRequest,
  { ceremonyId, submissionId, step }: StepArguments & { readonly submissionId: string },
): Promise<SubmissionStanding<Own>> {
  const { tenantId } = request.tenant;
  return await database.tenant(tenantId, async (tx) => {
    const record = await ceremony.own(tx, request, ceremonyId);
    const outcome = await submissionOutcome(tx, tenantId, submissionId);
    if (outcome !== null) {
      const refused = ceremony.refusedAs(outcome, record);
      if (refused !== undefined) throw refused;
      // Judged right, but the worker died before the move that follows: the same update goes on from there.
      const isFollowed = outcome === 'accepted' || !step.states.includes(record.state);
      if (isFollowed) return { isTaken: true };
    }
    if (record.outcome !== null) throw ceremony.refusal(record);
    return {
      isTaken: false,
      record,
      notAfterMs: await renewSubmission(tx, record, submissionId),
    };
  });
}

interface StepHandle {
  readonly submissionId: string;
  readonly notAfterMs: number;
}

/** Answers true when the workflow was closed already, or closed without answering. */
async function update(
  deps: StepDependencies,
  args: { readonly id: string; readonly subject: readonly string[]; readonly step: CeremonyStep },
  handle: StepHandle,
): Promise<boolean> {
  const { id, step } = args;
  try {
    await deps.temporal.update(id, step.update, [handle], updateId(deps, args, handle));
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
  { subject, step: { update: name } }: { subject: readonly string[]; step: CeremonyStep },
  { submissionId, notAfterMs }: StepHandle,
): string {
  return createHmac('sha256', kms.secret('update-id').key)
    .update(JSON.stringify([...subject, name, submissionId, notAfterMs]))
    .digest('base64url');
}
