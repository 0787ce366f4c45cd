/**
 * The one transaction that moves an enrollment: compare-and-set on (state, seq), what the move causes, audit and events, all or nothing. A
 * repeat of a move that was made answers the row as it stands. Which move follows is the domain's to say, never this file's.
 */
import {
  transition,
  type EnrollmentEvent,
  type EnrollmentMove,
  type EnrollmentSnapshot,
  type EnrollmentState,
  type EnrollmentSubject,
} from '../domain/enrollment.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { appendAudit, type Actor } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { bindPasskey } from './enrollment-binding.ts';
import {
  eraseProspect,
  openIdentityCheck,
  phoneContact,
  sendCode,
  sendEmailCode,
  sendMessage,
  type EnrollmentTools,
} from './enrollment-effects.ts';
import { pendingFact } from './enrollment-facts.ts';
import { readEnrollment, toSnapshot, type EnrollmentRecord } from './enrollment.ts';
import { enqueue } from './outbox.ts';
import {
  finishSubmission,
  takeSubmission,
  type Submission,
  type SubmissionStep,
} from './step-submissions.ts';

export interface AdvanceRequest extends EnrollmentSubject {
  readonly from: { readonly state: EnrollmentState; readonly seq: number };
  readonly event: EnrollmentEvent;
  /** What the workflow expects; what follows is derived here again, from the row and the time under its lock. */
  readonly to: EnrollmentState;
  readonly submissionId: string | null;
}

export interface Advanced {
  /** false: somebody else moved the row first; read what it says now. */
  readonly isMoved: boolean;
  readonly snapshot: EnrollmentSnapshot;
}

/** What lets a customer pass: asked of the rows here, because whoever can write to Temporal can say it too. */
const SHOWN_BY_ROWS: ReadonlySet<EnrollmentEvent> = new Set(['code_matched', 'identity_verified']);

/** A `fact` is what the rows say instead. @throws LatchkeyError for a refusal; then nothing is changed. */
export async function advanceEnrollment(
  tx: Tx,
  tools: EnrollmentTools,
  request: AdvanceRequest,
): Promise<Advanced | { readonly fact: EnrollmentEvent }> {
  const submission =
    request.submissionId === null
      ? undefined
      : await takeSubmission(
          tx,
          { tenantId: request.tenantId, ceremonyId: request.enrollmentId },
          request.submissionId,
          stepsOf(request.event),
        );
  // Customer before ceremony: the lock order. A final grant and an erasure change him.
  if (request.to === 'ended') await lockCustomer(tx, request);
  const before = await readEnrollment(tx, request, true);
  if (before === undefined) throw new LatchkeyError('ceremony_not_found');
  if (before.state !== request.from.state || before.seq !== request.from.seq) {
    const isRepeat = before.seq === request.from.seq + 1 && before.state === request.to;
    return { isMoved: isRepeat, snapshot: toSnapshot(before) };
  }
  if (SHOWN_BY_ROWS.has(request.event)) {
    const fact = await pendingFact(tx, tools, before);
    if (fact === null) throw new LatchkeyError('wrong_step', { extra: { state: before.state } });
    if (fact !== request.event) return { fact };
  }
  const next = transition(before, request.event, before.nowMs);
  if ('refused' in next) throw new LatchkeyError(next.refused, { extra: { state: before.state } });
  if ('stay' in next) return { isMoved: true, snapshot: toSnapshot(before) };
  const { event } = request;
  const actor = actorOf(event, before);
  await applyMove(tx, tools, before, { event, move: next.move, actor }, submission);
  if (submission !== undefined)
    await finishSubmission(tx, request.tenantId, submission.submissionId, 'accepted');
  const after = await readEnrollment(tx, request);
  if (after === undefined) throw new LatchkeyError('ceremony_not_found');
  return { isMoved: true, snapshot: toSnapshot(after) };
}

/** Ends an open enrollment by a call of its own (cancelling, retiring); undefined when there is none. */
export async function endEnrollment(
  tx: Tx,
  tools: EnrollmentTools,
  args: EnrollmentSubject & { event: 'cancelled' | 'start_expired'; actor: Actor },
): Promise<{ refused: ReturnType<typeof refusalIn> } | undefined> {
  await lockCustomer(tx, args);
  const before = await readEnrollment(tx, args, true);
  if (before === undefined) return undefined;
  const next = transition(before, args.event, before.nowMs);
  if (!('move' in next)) return { refused: refusalIn(next) };
  await applyMove(tx, tools, before, { ...args, move: next.move }, undefined);
  await enqueue(tx, {
    tenantId: args.tenantId,
    topic: 'ceremony.signal',
    subject: args.enrollmentId,
    payload: { ceremonyId: args.enrollmentId, kind: 'enrollment', signal: 'cancel' },
  });
  return { refused: undefined };
}

function refusalIn(next: ReturnType<typeof transition>) {
  return 'refused' in next ? next.refused : undefined;
}

async function lockCustomer(tx: Tx, { tenantId, enrollmentId }: EnrollmentSubject): Promise<void> {
  await tx`
    select 1 from customer
    where tenant_id = ${tenantId} and customer_id = (
      select customer_id from ceremony where tenant_id = ${tenantId} and ceremony_id = ${enrollmentId})
    for no key update`;
}

interface MadeMove {
  readonly event: EnrollmentEvent;
  readonly move: EnrollmentMove;
  readonly actor: Actor;
}

async function applyMove(
  tx: Tx,
  tools: EnrollmentTools,
  before: EnrollmentRecord,
  made: MadeMove,
  submission: Submission | undefined,
): Promise<void> {
  await writeMove(tx, before, made);
  await causeEffects(tx, tools, before, made.move, submission);
  await announceEnd(tx, before, made.move);
}

/** The row and its audit. */
async function writeMove(
  tx: Tx,
  before: EnrollmentRecord,
  { event, move, actor }: MadeMove,
): Promise<void> {
  const { tenantId, enrollmentId, customerId } = before;
  await tx`
    update ceremony
    set state = ${move.state}, outcome = ${move.outcome}, reason = ${move.reason}, seq = seq + 1,
        step_deadline = ${dateOf(move.stepDeadlineMs)}, reminder_at = ${dateOf(move.reminderAtMs)},
        ended_at = case when ${move.outcome}::text is null then null else latchkey_now() end
    where tenant_id = ${tenantId} and ceremony_id = ${enrollmentId} and seq = ${before.seq}`;
  const { outcome, reason } = move;
  const fromTo = { from: before.state, to: move.state, outcome, reason };
  noteFact(tx, { kind: 'ceremony_moved', ceremony: 'enrollment', ...fromTo });
  await appendAudit(tx, {
    tenantId,
    actor,
    action: actionOf(event, move),
    subject: { kind: 'enrollment', id: enrollmentId },
    customerId,
    ceremonyId: enrollmentId,
    detail: { event, ...fromTo },
  });
}

async function causeEffects(
  tx: Tx,
  tools: EnrollmentTools,
  before: EnrollmentRecord,
  move: EnrollmentMove,
  submission: Submission | undefined,
): Promise<void> {
  for (const effect of move.effects) {
    switch (effect) {
      case 'send_phone_code':
        await sendCode(tx, tools, before, {
          step: 'phone',
          contactId: await phoneContact(tx, before),
          move,
        });
        break;
      case 'open_identity_check':
        await openIdentityCheck(tx, tools, before, move, submission);
        break;
      case 'send_email_code':
        await sendEmailCode(tx, tools, before, move, submission);
        break;
      case 'send_reminder':
        await sendMessage(tx, before, { kind: 'phone', template: 'enrollment_reminder' });
        break;
      case 'bind_passkey':
        await bindPasskey(tx, tools, before, submission);
        break;
      case 'erase_prospect':
        await eraseProspect(tx, tools, before);
        break;
    }
  }
}

/** Of an enrollment that did not complete; a completed one is told of by what it made. */
async function announceEnd(
  tx: Tx,
  { tenantId, enrollmentId, customerId }: EnrollmentRecord,
  { outcome, reason }: EnrollmentMove,
): Promise<void> {
  if (outcome === null || outcome === 'completed') return;
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.enrollment_ended',
      data: { customerId, enrollmentId, outcome, reason },
    },
  });
}

function actionOf(event: EnrollmentEvent, move: EnrollmentMove): string {
  if (move.outcome === 'completed') return 'enrollment.completed';
  if (move.outcome !== null) return 'enrollment.ended';
  if (event === 'opened') return 'enrollment.opened';
  return event === 'reminder_due' ? 'enrollment.reminded' : 'enrollment.step_done';
}

/** A completed step was the customer's own; a timer and a verdict are driven. */
function actorOf(event: EnrollmentEvent, { customerId, enrollmentId }: EnrollmentRecord): Actor {
  const own: readonly EnrollmentEvent[] = [
    ...(['code_matched', 'identity_submitted', 'email_submitted', 'passkey_bound'] as const),
  ];
  return own.includes(event)
    ? { kind: 'customer', id: customerId }
    : { kind: 'system', id: enrollmentId };
}

/** Which submissions may cause the fact. */
function stepsOf(event: EnrollmentEvent): readonly SubmissionStep[] {
  if (event === 'identity_submitted') return ['identity_check'];
  if (event === 'email_submitted') return ['email'];
  return event === 'passkey_bound' ? ['passkey'] : [];
}

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
