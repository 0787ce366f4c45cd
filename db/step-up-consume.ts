/**
 * The use of an approval, once: by who asked, for exactly the action that was approved, under its epoch and within its time. It is a final
 * grant (SECURITY.md section 1): the customer's row is shared before anything is judged. A repeat is told the old fact.
 */
import { canonicalAction, type Action } from '../domain/action.ts';
import { LatchkeyError } from '../domain/errors.ts';
import {
  transition,
  type StepUpRequester,
  type StepUpStrength,
  type StepUpSubject,
} from '../domain/step-up.ts';
import type { Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { judgeStanding } from './step-up-approval.ts';
import { applyStepUpMove, movedRecord, shareCustomerOf } from './step-up-moves.ts';
import { isRequester } from './step-up-requester.ts';
import { openRequest } from './step-up-sealed.ts';
import { readStepUp, type StepUpRecord, type StepUpTools } from './step-up.ts';
import { resultOf, together } from './together.ts';

export interface StepUpUse extends StepUpSubject {
  readonly requester: StepUpRequester;
  readonly action: Action;
}

export interface StepUpUsed {
  readonly consumedAtMs: number;
  readonly approvedAtMs: number;
  readonly acr: StepUpStrength;
  readonly isRepeat: boolean;
  /** The first cut-off after it was used, for a repeat that comes after one; else null. */
  readonly revokedSinceMs: number | null;
  readonly receiptId: string | null;
  readonly stepUp: StepUpRecord;
}

/**
 * @throws LatchkeyError step_up_not_found (also for another requester's), action_mismatch, step_up_not_approved, step_up_delayed,
 * step_up_expired, step_up_ended, revoked, customer_on_hold, customer_frozen, device_not_allowed, credential_unknown; then nothing is changed.
 */
export async function consumeStepUp(
  tx: Tx,
  tools: Pick<StepUpTools, 'personalData'>,
  use: StepUpUse,
): Promise<StepUpUsed> {
  const customer = await shareCustomerOf(tx, use);
  const before = await readStepUp(tx, use, true);
  if (before === undefined || !isRequester(before, use.requester))
    throw new LatchkeyError('step_up_not_found');
  // Read together; judged in this order.
  const [{ canonical }, standing] = await together([
    openRequest(tx, tools, before),
    settled(judgeStanding(tx, { before, customer })),
  ]);
  if (canonicalAction(use.action) !== canonical) throw new LatchkeyError('action_mismatch');
  if (before.outcome === 'completed') return await usedBefore(tx, before);
  const next = transition(before, 'consumed', before.nowMs);
  if (!('move' in next)) throw refusal(before, 'refused' in next ? next.refused : 'conflict');
  resultOf(standing);
  const { move } = next;
  await applyStepUpMove(tx, before, {
    event: 'consumed',
    move,
    actor: actorOf(before),
    isRung: true,
  });
  const after = {
    ...movedRecord(before, move),
    consumedAtMs: before.nowMs,
    endedAtMs: before.nowMs,
  };
  return { ...factsOf(after), isRepeat: false, revokedSinceMs: null };
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([work]);
  return result;
}

async function usedBefore(tx: Tx, stepUp: StepUpRecord): Promise<StepUpUsed> {
  const [cut] = await tx<{ effectiveAt: Date }[]>`
    select effective_at from revocation
    where tenant_id = ${stepUp.tenantId} and customer_id = ${stepUp.customerId} and new_epoch > ${stepUp.epoch}
    order by new_epoch limit 1`;
  return {
    ...factsOf(stepUp),
    isRepeat: true,
    revokedSinceMs: cut?.effectiveAt.getTime() ?? null,
  };
}

function factsOf(stepUp: StepUpRecord) {
  const { consumedAtMs, approvedAtMs, required, receiptId } = stepUp;
  if (consumedAtMs === null || approvedAtMs === null)
    throw new TypeError('what was used had been approved');
  return { consumedAtMs, approvedAtMs, acr: required, receiptId, stepUp };
}

function refusal(
  { state, consumableAtMs, nowMs }: StepUpRecord,
  code: LatchkeyError['code'],
): LatchkeyError {
  if (code !== 'step_up_delayed' || consumableAtMs === null)
    return new LatchkeyError(code, { extra: { state } });
  const retryAfterSeconds = Math.max(1, Math.ceil((consumableAtMs - nowMs) / 1000));
  return new LatchkeyError(code, { retryAfterSeconds, extra: { retryAfterSeconds } });
}

/** How the requester stands in the audit. */
export function actorOf({
  requester,
  customerId,
}: Pick<StepUpRecord, 'requester' | 'customerId'>): Actor {
  switch (requester.kind) {
    case 'client':
      return { kind: 'machine', id: requester.id };
    case 'staff':
      return { kind: 'staff', id: requester.id };
    case 'login':
      return { kind: 'customer', id: customerId };
  }
}
