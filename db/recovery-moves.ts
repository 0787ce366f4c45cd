/**
 * The one transaction that moves a case: compare-and-set on (state, seq), what the move causes, audit and events, all or nothing. What lets a
 * case go on is asked of the rows here, never taken from what a message to a workflow says. Lock order: customer → device → ceremony.
 */
import { LatchkeyError } from '../domain/errors.ts';
import {
  transition,
  type RecoveryEvent,
  type RecoveryMove,
  type RecoverySnapshot,
  type RecoveryState,
  type RecoverySubject,
} from '../domain/recovery.ts';
import { appendAudit, type Actor } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { lockCustomer } from './customer-lock.ts';
import { enqueue } from './outbox.ts';
import { bindRecoveredPhone } from './recovery-binding.ts';
import { causeRecoveryEffect } from './recovery-effects.ts';
import { pendingRecoveryFact } from './recovery-facts.ts';
import {
  customerOfRecovery,
  readRecovery,
  ringRecovery,
  toSnapshot,
  type RecoveryRecord,
  type RecoveryTools,
} from './recovery.ts';
import { finishSubmission, takeSubmission } from './step-submissions.ts';

/** What Temporal may report. Every other fact is a call of its own. */
const DRIVEN: ReadonlySet<RecoveryEvent> = new Set<RecoveryEvent>([
  'opened',
  'factor_recorded',
  'liveness_exhausted',
  'approved',
  'sent_back',
  'refused',
  'fraud_signalled',
  'cooling_over',
  'rebound',
  'review_overdue',
  'step_expired',
  'deadline_passed',
]);

/** Of these, what the rows must say. The rest is a matter of the database's time, or shown by a submission. */
const SHOWN_BY_ROWS: ReadonlySet<RecoveryEvent> = new Set<RecoveryEvent>([
  'factor_recorded',
  'liveness_exhausted',
  'approved',
  'sent_back',
  'refused',
  'fraud_signalled',
]);

export interface RecoveryAdvance extends RecoverySubject {
  readonly from: { readonly state: RecoveryState; readonly seq: number };
  readonly event: RecoveryEvent;
  /** What the workflow expects; what follows is derived here again, from the rows and the time under their lock. */
  readonly to: RecoveryState;
  /** Of the passkey, for `rebound`. */
  readonly submissionId: string | null;
}

export interface RecoveryAdvanced {
  /** false: somebody else moved the row first; read what it says now. */
  readonly isMoved: boolean;
  readonly snapshot: RecoverySnapshot;
}

/** A `fact` is what the rows say instead. @throws LatchkeyError for a refusal; then nothing is changed. */
export async function advanceRecovery(
  tx: Tx,
  tools: RecoveryTools,
  request: RecoveryAdvance,
): Promise<RecoveryAdvanced | { readonly fact: RecoveryEvent }> {
  const { tenantId, recoveryId, event, submissionId } = request;
  if (!DRIVEN.has(event)) throw new LatchkeyError('wrong_step');
  const submission =
    submissionId === null
      ? undefined
      : await takeSubmission(tx, { tenantId, ceremonyId: recoveryId }, submissionId, [
          'recovery_passkey',
        ]);
  const before = await lockRecovery(tx, request);
  if (before === undefined) throw new LatchkeyError('ceremony_not_found');
  if (before.state !== request.from.state || before.seq !== request.from.seq) {
    return { isMoved: isRepeat(before, request), snapshot: toSnapshot(before) };
  }
  const fact = await pendingRecoveryFact(tx, before);
  // A signal of fraud, a refusal and a return come before everything that would go on, the end of the time to object too.
  const isStop = fact === 'fraud_signalled' || fact === 'refused' || fact === 'sent_back';
  if (fact !== null && fact !== event && (isStop || SHOWN_BY_ROWS.has(event))) return { fact };
  if (fact === null && SHOWN_BY_ROWS.has(event))
    throw new LatchkeyError('wrong_step', { extra: { state: before.state } });
  const next = transition(before, event, before.nowMs);
  if ('refused' in next) throw new LatchkeyError(next.refused, { extra: { state: before.state } });
  if ('stay' in next) return { isMoved: true, snapshot: toSnapshot(before) };
  const made = { event, move: next.move, actor: actorOf(event, before) };
  await applyRecoveryMove(tx, before, made, () =>
    bindRecoveredPhone(tx, tools, before, submission),
  );
  if (submission !== undefined)
    await finishSubmission(tx, tenantId, submission.submissionId, 'accepted');
  return { isMoved: true, snapshot: toSnapshot(await again(tx, request)) };
}

/** The very move was made before. An end that somebody else made at that moment is none: only a binding completes. */
function isRepeat(
  { state, seq, outcome }: RecoveryRecord,
  { from, to, event }: RecoveryAdvance,
): boolean {
  const isSameEnd = (event === 'rebound') === (outcome === 'completed');
  return seq === from.seq + 1 && state === to && isSameEnd;
}

/** Stops, releases and what the owner does: calls of their own, that count while Temporal is away. */
export type RecoveryStop = Extract<
  RecoveryEvent,
  | 'vetoed'
  | 'veto_doubted'
  | 'refused'
  | 'cancelled'
  | 'fraud_signalled'
  | 'released'
  | 'cooling_shortened'
  | 'start_expired'
>;

export interface RecoveryMoveRequest {
  readonly subject: RecoverySubject;
  readonly event: RecoveryStop;
  readonly actor: Actor;
  /** As the caller saw it; anything else is refused as `conflict`. */
  readonly from?: { readonly state: RecoveryState; readonly seq: number } | undefined;
  /** Picked, or an id: for the audit. */
  readonly because?: string | undefined;
}

/**
 * Moves the case at once and rings its workflow. Takes the customer's row and then the case's.
 * @throws LatchkeyError recovery_not_found, conflict, customer_on_hold (a release while a hold stands), or why it is not due.
 */
export async function moveRecovery(tx: Tx, request: RecoveryMoveRequest): Promise<RecoveryRecord> {
  const { subject, event, actor, from, because } = request;
  const before = await lockRecovery(tx, subject);
  if (before === undefined) throw new LatchkeyError('recovery_not_found');
  if (from !== undefined && (from.state !== before.state || from.seq !== before.seq))
    throw new LatchkeyError('conflict');
  const next = transition(before, event, before.nowMs);
  if ('refused' in next) throw new LatchkeyError(next.refused, { extra: { state: before.state } });
  if ('stay' in next) return before;
  await applyRecoveryMove(tx, before, { event, move: next.move, actor, because }, notByACall);
  await ringRecovery(tx, subject);
  return await again(tx, subject);
}

/** Customer before ceremony. The id of the customer never changes, so it may be read before. */
export async function lockRecovery(
  tx: Tx,
  subject: RecoverySubject,
): Promise<RecoveryRecord | undefined> {
  const customerId = await customerOfRecovery(tx, subject);
  if (customerId === undefined) return undefined;
  await lockCustomer(tx, subject.tenantId, customerId);
  return await readRecovery(tx, subject, true);
}

async function again(tx: Tx, subject: RecoverySubject): Promise<RecoveryRecord> {
  const after = await readRecovery(tx, subject);
  if (after === undefined) throw new LatchkeyError('recovery_not_found');
  return after;
}

interface MadeRecoveryMove {
  readonly event: RecoveryEvent;
  readonly move: RecoveryMove;
  readonly actor: Actor;
  readonly because?: string | undefined;
}

/** Only what the workflow reports binds a phone. */
function notByACall(): never {
  throw new TypeError('a phone is bound by its own step alone');
}

/** Under the locks of customer and case. */
async function applyRecoveryMove(
  tx: Tx,
  before: RecoveryRecord,
  made: MadeRecoveryMove,
  bind: () => Promise<void>,
): Promise<void> {
  await writeMove(tx, before, made);
  for (const effect of made.move.effects) {
    if (effect === 'bind') await bind();
    else await causeRecoveryEffect(tx, before, effect, made.move);
  }
  await announceEnd(tx, before, made.move);
}

async function writeMove(
  tx: Tx,
  before: RecoveryRecord,
  { event, move, actor, because }: MadeRecoveryMove,
): Promise<void> {
  const { tenantId, recoveryId, customerId } = before;
  const { state, outcome, reason } = move;
  const now = new Date(before.nowMs);
  await tx`
    update ceremony
    set state = ${state}, outcome = ${outcome}, reason = ${reason}, seq = seq + 1, deadline = ${new Date(move.deadlineMs)},
        step_deadline = ${dateOf(move.stepDeadlineMs)},
        ended_at = case when ${outcome}::text is null then null else ${now}::timestamptz end
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and seq = ${before.seq}`;
  // What was waited stays written down for the binding, which asks again; whatever goes back begins to wait anew.
  const keepsCooling = state === 'rebind' || state === 'ended';
  const shortenedAt = event === 'cooling_shortened' ? before.nowMs : before.coolingShortenedAtMs;
  await tx`
    update recovery
    set review_due_at = ${dateOf(move.reviewDueMs)}, held_at = ${dateOf(move.heldAtMs)},
        cooling_from = ${dateOf(keepsCooling ? before.coolingFromMs : move.coolingFromMs)},
        cooling_shortened_at = ${dateOf(keepsCooling ? shortenedAt : null)},
        record_until = case when ${outcome}::text is null then null else ${now}::timestamptz + make_interval(secs => ${before.policy.recovery.recordSeconds}) end
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
  const fromTo = { from: before.state, to: state, outcome, reason };
  noteFact(tx, { kind: 'ceremony_moved', ceremony: 'recovery', ...fromTo });
  await appendAudit(tx, {
    tenantId,
    actor,
    action: actionOf(event, move),
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: { event, ...fromTo, ...(because === undefined ? {} : { because }) },
  });
}

function actionOf(event: RecoveryEvent, { state, outcome }: RecoveryMove): string {
  if (outcome === 'completed') return 'recovery.completed';
  if (outcome !== null) return 'recovery.ended';
  if (state === 'held') return 'recovery.held';
  return ACTIONS[event] ?? 'recovery.step_done';
}

const ACTIONS: { readonly [E in RecoveryEvent]?: string } = {
  released: 'recovery.released',
  review_overdue: 'recovery.overdue',
  sent_back: 'recovery.sent_back',
};

/** The passkey was the customer's own; everything else that the workflow reports is driven. */
function actorOf(event: RecoveryEvent, { customerId, recoveryId }: RecoveryRecord): Actor {
  return event === 'rebound'
    ? { kind: 'customer', id: customerId }
    : { kind: 'system', id: recoveryId };
}

async function announceEnd(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  { outcome, reason }: RecoveryMove,
): Promise<void> {
  if (outcome === null || reason === null) return;
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.recovery_ended',
      data: { customerId, recoveryId, outcome, reason },
    },
  });
}

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
