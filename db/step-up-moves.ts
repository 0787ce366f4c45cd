/**
 * The one transaction that moves a step-up: compare-and-set on (state, seq), what the move causes, audit and events, all or nothing. What
 * proves is taken from rows the API wrote, never from what a message to a workflow says. Lock order: customer → ceremony → day's total.
 */
import type { Risk } from '../domain/ports.ts';
import {
  transition,
  type StepUpEvent,
  type StepUpMove,
  type StepUpSnapshot,
  type StepUpState,
  type StepUpSubject,
} from '../domain/step-up.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { Actor } from './audit.ts';
import { insertAudit } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { shareCustomer, type LockedCustomer } from './customer-lock.ts';
import { insertOutboxRows, type NewOutboxRow } from './outbox.ts';
import { judgeApproval, judgeStanding, type ProvedKeys } from './step-up-approval.ts';
import { pendingStepUpFact } from './step-up-codes.ts';
import { cause, evidenceOf, messagesOf, type Proof } from './step-up-effects.ts';
import { moveEvents } from './step-up-events.ts';
import { insertEvidence, type NewEvidence } from './step-up-evidence.ts';
import { readStepUp, toStepUpSnapshot, type StepUpRecord, type StepUpTools } from './step-up.ts';
import { finishSubmission, takeSubmission } from './step-submissions.ts';
import { together } from './together.ts';

/** What Temporal may report. Every other fact is a call of its own. */
const DRIVEN = [
  'opened',
  'keys_proved',
  'code_matched',
  'code_exhausted',
  'risk_refused',
  'deadline_passed',
] as const satisfies readonly StepUpEvent[];
export type DrivenStepUpEvent = (typeof DRIVEN)[number];

export interface StepUpAdvance extends StepUpSubject {
  readonly from: { readonly state: StepUpState; readonly seq: number };
  readonly event: DrivenStepUpEvent;
  /** What the workflow expects; what follows is derived here again, from the rows and the time under their lock. */
  readonly to: StepUpState;
  /** Of the approval, for `keys_proved` and the `risk_refused` that it may run into. */
  readonly submissionId: string | null;
  /** What the engine said of this approval; kept with the evidence. */
  readonly risk?: Risk;
}

export interface StepUpAdvanced {
  /** false: somebody else moved the row first; read what it says now. */
  readonly isMoved: boolean;
  readonly snapshot: StepUpSnapshot;
}

/**
 * A `fact` is what the rows say instead: follow that.
 * @throws LatchkeyError for a refusal; then nothing is changed.
 */
export async function advanceStepUp(
  tx: Tx,
  tools: StepUpTools,
  request: StepUpAdvance,
): Promise<StepUpAdvanced | { readonly fact: StepUpEvent }> {
  const { tenantId, stepUpId, event, submissionId } = request;
  if (!DRIVEN.includes(event)) throw new LatchkeyError('wrong_step');
  const submission =
    submissionId === null
      ? undefined
      : await takeSubmission(tx, { tenantId, ceremonyId: stepUpId }, submissionId, [
          'step_up_approval',
        ]);
  const customer = isGrant(event)
    ? await shareCustomerOf(tx, request, submission?.customerId)
    : undefined;
  const before = await readStepUp(tx, request, true);
  if (before === undefined) throw new LatchkeyError('step_up_not_found');
  if (before.state !== request.from.state || before.seq !== request.from.seq) {
    const isRepeat = before.seq === request.from.seq + 1 && before.state === request.to;
    return { isMoved: isRepeat, snapshot: toStepUpSnapshot(before) };
  }
  const next = transition(before, event, before.nowMs);
  if ('refused' in next) throw new LatchkeyError(next.refused, { extra: { state: before.state } });
  if ('stay' in next) return { isMoved: true, snapshot: toStepUpSnapshot(before) };
  if (event === 'code_matched' || event === 'code_exhausted') {
    const fact = await pendingStepUpFact(tx, before);
    if (fact === null) throw new LatchkeyError('wrong_step', { extra: { state: before.state } });
    if (fact !== event) return { fact };
  }
  let keys: ProvedKeys | undefined;
  if (event === 'keys_proved') {
    const judged = await judgeApproval(tx, tools, { before, customer, submission });
    if (judged === 'risk_refused') return { fact: judged };
    keys = judged;
  } else if (event === 'code_matched') {
    await judgeStanding(tx, { before, customer });
  }
  const actor = actorOf(event, before);
  const proof = { tools, keys, risk: request.risk };
  await together([
    applyStepUpMove(tx, before, { event, move: next.move, actor }, proof),
    submission === undefined
      ? Promise.resolve()
      : finishSubmission(tx, tenantId, submission.submissionId, 'accepted'),
  ]);
  return { isMoved: true, snapshot: toStepUpSnapshot(movedRecord(before, next.move)) };
}

/** What its rows say after the move, which this transaction alone can make: it holds their lock. */
export function movedRecord(before: StepUpRecord, move: StepUpMove): StepUpRecord {
  const { state, outcome, reason, consumableAtMs, consumeByMs } = move;
  return { ...before, state, outcome, reason, consumableAtMs, consumeByMs, seq: before.seq + 1 };
}

function isGrant(event: StepUpEvent): boolean {
  return event === 'keys_proved' || event === 'code_matched';
}

/** The first statement of a final grant (SECURITY.md section 1). The id of the customer never changes, so it may be read before. */
export async function shareCustomerOf(
  tx: Tx,
  { tenantId, stepUpId }: StepUpSubject,
  knownId?: string,
): Promise<LockedCustomer | undefined> {
  const customerId = knownId ?? (await customerOf(tx, { tenantId, stepUpId }));
  return customerId === undefined ? undefined : await shareCustomer(tx, tenantId, customerId);
}

export async function customerOf(
  tx: Tx,
  { tenantId, stepUpId }: StepUpSubject,
): Promise<string | undefined> {
  const [row] = await tx<{ customerId: string }[]>`
    select customer_id from step_up where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  return row?.customerId;
}

export interface MadeStepUpMove {
  readonly event: StepUpEvent;
  readonly move: StepUpMove;
  readonly actor: Actor;
  /** Of a cut-off that reached it. */
  readonly revocationId?: string;
  /** Its row moves by a call: the workflow must look. */
  readonly isRung?: boolean;
}

/** Under the ceremony's lock: the rows, their audit, its evidence and what the relay delivers are one statement. */
export async function applyStepUpMove(
  tx: Tx,
  before: StepUpRecord,
  made: MadeStepUpMove,
  proof?: Proof,
): Promise<void> {
  const { effects } = made.move;
  const evidence = await evidenceOf(tx, before, effects, proof);
  await together([
    writeMove(tx, before, made, evidence),
    ...effects.map((effect) => cause(tx, before, effect, proof)),
  ]);
}

async function writeMove(
  tx: Tx,
  before: StepUpRecord,
  made: MadeStepUpMove,
  evidence: NewEvidence | undefined,
): Promise<void> {
  const { event, move, actor, revocationId } = made;
  const { tenantId, stepUpId, customerId } = before;
  const { outcome, reason } = move;
  const messages = [
    ...move.effects.flatMap((effect) => messagesOf(before, effect)),
    ...moveEvents(before, made),
    ...(made.isRung === true ? [bellOf(before)] : []),
  ];
  const fromTo = { from: before.state, to: move.state, outcome, reason };
  noteFact(tx, { kind: 'ceremony_moved', ceremony: 'step_up', ...fromTo });
  const audit = insertAudit(tx, {
    tenantId,
    actor,
    action: actionOf(event, move),
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
    detail: { event, ...fromTo, required: before.required, revocationId: revocationId ?? null },
  });
  await tx`
    with moved as (
      update ceremony
      set state = ${move.state}, outcome = ${outcome}, reason = ${reason}, seq = seq + 1,
          step_deadline = ${outcome === null ? dateOf(move.consumeByMs) : null},
          ended_at = case when ${outcome}::text is null then null else ${new Date(before.nowMs)}::timestamptz end,
          revocation_id = ${revocationId ?? null}
      where tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and seq = ${before.seq})
    ${updateStepUp(tx, before, move, evidence)}
    ${messages.length === 0 ? tx`` : tx`, told as (${insertOutboxRows(tx, messages)})`},
    audited as (${audit} returning audit_id)
    ${evidence === undefined ? tx`` : tx`, proved as (${insertEvidence(tx, before, evidence)})`}
    select audit_id from audited`;
}

/** One update: a statement may change a row once. */
function updateStepUp(
  tx: Tx,
  { tenantId, stepUpId, nowMs }: StepUpRecord,
  { state, outcome, consumableAtMs, consumeByMs }: StepUpMove,
  evidence: NewEvidence | undefined,
) {
  const now = new Date(nowMs);
  const isGranted = state === 'approved' || outcome === 'completed';
  const keys = evidence?.approvedWith;
  if (!isGranted && keys === undefined) return tx``;
  const granted = tx`
    approved_at = coalesce(approved_at, ${now}), consumable_at = ${dateOf(consumableAtMs)}, consume_by = ${dateOf(consumeByMs)},
    consumed_at = case when ${outcome}::text is null then null else ${now}::timestamptz end`;
  const proved =
    keys === undefined
      ? tx``
      : tx`approved_device_id = ${keys.deviceId}, approved_session_id = ${keys.sessionId}, approved_credential = ${keys.credentialId},
          risk = ${keys.risk}, proved_at = ${now}`;
  return tx`, granted as (
    update step_up set ${isGranted ? granted : tx``} ${isGranted && keys !== undefined ? tx`,` : tx``} ${proved}
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId})`;
}

function bellOf({ tenantId, stepUpId }: StepUpSubject): NewOutboxRow {
  const payload = { ceremonyId: stepUpId, kind: 'step_up', signal: 'cancel' } as const;
  return { tenantId, topic: 'ceremony.signal', subject: stepUpId, payload };
}

function actionOf(event: StepUpEvent, { state, outcome }: StepUpMove): string {
  if (outcome === 'completed') return 'step_up.consumed';
  if (outcome === 'denied') return 'step_up.denied';
  if (outcome !== null) return 'step_up.ended';
  if (state === 'approved') return 'step_up.approved';
  return event === 'opened' ? 'step_up.opened' : 'step_up.keys_proved';
}

/** What the customer proved was his own; a timer and a verdict are driven. */
function actorOf(event: DrivenStepUpEvent, { customerId, stepUpId }: StepUpRecord): Actor {
  return isGrant(event) || event === 'code_exhausted'
    ? { kind: 'customer', id: customerId }
    : { kind: 'system', id: stepUpId };
}

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
