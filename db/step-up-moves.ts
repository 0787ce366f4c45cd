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
import { appendAudit } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { shareCustomer, type LockedCustomer } from './customer-lock.ts';
import { judgeApproval, judgeStanding, type ProvedKeys } from './step-up-approval.ts';
import { pendingStepUpFact } from './step-up-codes.ts';
import { cause, type Proof } from './step-up-effects.ts';
import { announceMove } from './step-up-events.ts';
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
function movedRecord(before: StepUpRecord, move: StepUpMove): StepUpRecord {
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
}

/** Under the ceremony's lock, so that its statements may go out together: none waits for another's but for the audit row's id. */
export async function applyStepUpMove(
  tx: Tx,
  before: StepUpRecord,
  made: MadeStepUpMove,
  proof?: Proof,
): Promise<void> {
  const auditId = writeMove(tx, before, made);
  const effects = made.move.effects.map((effect) => cause(tx, before, { effect, proof, auditId }));
  await together([auditId, ...effects, announceMove(tx, before, made)]);
}

/** The rows and their audit, one after the other without a wait between; answers the audit row's id. */
async function writeMove(
  tx: Tx,
  before: StepUpRecord,
  { event, move, actor, revocationId }: MadeStepUpMove,
): Promise<string> {
  const { tenantId, stepUpId, customerId } = before;
  const { outcome, reason } = move;
  const ceremony = tx`
    update ceremony
    set state = ${move.state}, outcome = ${outcome}, reason = ${reason}, seq = seq + 1,
        step_deadline = ${outcome === null ? dateOf(move.consumeByMs) : null},
        ended_at = case when ${outcome}::text is null then null else ${new Date(before.nowMs)}::timestamptz end,
        revocation_id = ${revocationId ?? null}
    where tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and seq = ${before.seq}`;
  const stepUp =
    move.state === 'approved' || outcome === 'completed'
      ? tx`
    update step_up
    set approved_at = coalesce(approved_at, ${new Date(before.nowMs)}), consumable_at = ${dateOf(move.consumableAtMs)},
        consume_by = ${dateOf(move.consumeByMs)},
        consumed_at = case when ${outcome}::text is null then null else ${new Date(before.nowMs)}::timestamptz end
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`
      : Promise.resolve();
  const fromTo = { from: before.state, to: move.state, outcome, reason };
  noteFact(tx, { kind: 'ceremony_moved', ceremony: 'step_up', ...fromTo });
  const audit = appendAudit(tx, {
    tenantId,
    actor,
    action: actionOf(event, move),
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
    detail: { event, ...fromTo, required: before.required, revocationId: revocationId ?? null },
  });
  const [, , auditId] = await together([ceremony, stepUp, audit]);
  return auditId;
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
