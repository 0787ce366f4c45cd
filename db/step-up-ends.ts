/**
 * Ends of a step-up that are calls of their own: the customer refuses, the requester takes it back or asks anew, its time has passed, a
 * cut-off reached it. Each is one transaction, whoever is first wins, and the workflow is rung by the outbox. None needs Temporal.
 */
import { LatchkeyError } from '../domain/errors.ts';
import {
  dueEvent,
  transition,
  type StepUpEvent,
  type StepUpMove,
  type StepUpReason,
  type StepUpRequester,
  type StepUpSubject,
} from '../domain/step-up.ts';
import type { Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { lockCustomer } from './customer-lock.ts';
import { cutOff, type CutOff } from './cut-off.ts';
import { applyStepUpMove, customerOf } from './step-up-moves.ts';
import { isRequester } from './step-up-requester.ts';
import { readStepUp, type StepUpRecord, type StepUpTools } from './step-up.ts';

export type StepUpEnd = StepUpSubject & {
  readonly actor: Actor;
  /** Whose it must be; anybody else's is as good as none. */
  readonly customerId?: string;
  readonly requester?: StepUpRequester;
} & (
    | { readonly event: 'denied'; readonly reason: 'not_me' | 'declined' }
    | { readonly event: 'cancelled' | 'superseded' }
  );

export interface StepUpEnded {
  readonly stepUp: StepUpRecord;
  /** It had ended in that way before. */
  readonly isRepeat: boolean;
  /** What `not me` caused, where the policy says so. */
  readonly cutOff: CutOff | undefined;
}

/**
 * Until it is used, also once it is approved.
 * @throws LatchkeyError step_up_not_found, or how it ended otherwise.
 */
export async function endStepUp(tx: Tx, tools: StepUpTools, end: StepUpEnd): Promise<StepUpEnded> {
  const event = end.event === 'denied' ? end.reason : end.event;
  // Customer before ceremony: the lock order. `Not me` may place a hold.
  if (event === 'not_me') {
    const customerId = await customerOf(tx, end);
    if (customerId !== undefined) await lockCustomer(tx, end.tenantId, customerId);
  }
  const before = await readStepUp(tx, end, true);
  if (before === undefined || !isWhose(before, end)) throw new LatchkeyError('step_up_not_found');
  if (before.state === 'ended' && before.reason === REASONS[event])
    return { stepUp: before, isRepeat: true, cutOff: undefined };
  const next = transition(before, event, before.nowMs);
  if (!('move' in next))
    throw new LatchkeyError('refused' in next ? next.refused : 'conflict', {
      extra: { state: before.state },
    });
  await endWith(tx, before, { event, move: next.move, actor: end.actor });
  const cut = event === 'not_me' ? await holdAfter(tx, tools, before) : undefined;
  if (event === 'not_me') {
    const { tenantId, customerId } = before;
    await notifyCustomer(tx, { tenantId, customerId, template: 'step_up_not_me' });
  }
  return { stepUp: await again(tx, end), isRepeat: false, cutOff: cut };
}

const REASONS = {
  not_me: 'not_me',
  declined: 'declined',
  cancelled: 'by_requester',
  superseded: 'superseded',
} as const satisfies { readonly [E in StepUpEvent]?: StepUpReason };

function isWhose(before: StepUpRecord, { customerId, requester }: StepUpEnd): boolean {
  return (
    (customerId === undefined || before.customerId === customerId) &&
    (requester === undefined || isRequester(before, requester))
  );
}

/** Somebody else asks in the customer's name: by policy everything stops, in the transaction of the refusal. */
async function holdAfter(
  tx: Tx,
  { newId }: StepUpTools,
  { tenantId, customerId, policy }: StepUpRecord,
): Promise<CutOff | undefined> {
  if (policy.stepUp.holdOnNotMe !== 1) return undefined;
  return await cutOff(tx, {
    tenantId,
    customerId,
    revocationId: newId('revocation'),
    holdId: newId('hold'),
    reason: 'not_me',
    actor: { kind: 'customer', id: customerId },
    localTokenSeconds: policy.session.accessTokenSeconds + policy.dpop.skewSeconds,
  });
}

/** Ends it when its time has passed, whether or not a workflow lives. Answers whether it did. */
export async function expireStepUp(
  tx: Tx,
  subject: StepUpSubject,
  actorId = 'sweeper',
): Promise<boolean> {
  const before = await readStepUp(tx, subject, true);
  const event = before === undefined ? undefined : dueEvent(before, before.nowMs);
  if (before === undefined || event === undefined) return false;
  const next = transition(before, event, before.nowMs);
  if (!('move' in next)) return false;
  await endWith(tx, before, { event, move: next.move, actor: { kind: 'system', id: actorId } });
  return true;
}

/** Those whose workflow should have ended them by now. Answers how many. */
export async function expireStepUps(
  tx: Tx,
  args: { readonly tenantId: string; readonly limit: number; readonly graceSeconds: number },
): Promise<number> {
  const { tenantId, limit, graceSeconds } = args;
  const due = await tx<{ ceremonyId: string }[]>`
    with t as materialized (select latchkey_now() - make_interval(secs => ${graceSeconds}) as past)
    select c.ceremony_id from ceremony c, t
    where c.tenant_id = ${tenantId} and c.kind = 'step_up' and c.outcome is null
      and case when c.state = 'approved' then c.step_deadline else c.deadline end <= t.past
    order by c.ceremony_id limit ${limit} for update of c skip locked`;
  let expired = 0;
  for (const { ceremonyId: stepUpId } of due)
    expired += (await expireStepUp(tx, { tenantId, stepUpId })) ? 1 : 0;
  return expired;
}

/** What a newer request of the same requester ends, under the lock of its ceremony; see step-up-create.ts. */
export async function supersedeStepUp(tx: Tx, before: StepUpRecord, actor: Actor): Promise<void> {
  const next = transition(before, 'superseded', before.nowMs);
  if ('move' in next) await endWith(tx, before, { event: 'superseded', move: next.move, actor });
}

/**
 * Those begun under an older epoch, each with audit, event and what it gives back. Called under the customer's lock; the revocation's own
 * workflow wakes theirs. Answers how many.
 */
export async function endRevokedStepUps(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly newEpoch: number;
    readonly revocationId: string;
  },
): Promise<number> {
  const { tenantId, customerId, newEpoch, revocationId } = args;
  const open = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony
    where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'step_up' and outcome is null and epoch < ${newEpoch}
    order by ceremony_id for update`;
  let ended = 0;
  for (const { ceremonyId: stepUpId } of open) {
    const before = await readStepUp(tx, { tenantId, stepUpId });
    if (before === undefined) continue;
    const next = transition(before, 'revoked', before.nowMs);
    if (!('move' in next)) continue;
    const actor = { kind: 'system', id: revocationId } as const;
    await applyStepUpMove(tx, before, { event: 'revoked', move: next.move, actor, revocationId });
    ended += 1;
  }
  return ended;
}

async function endWith(
  tx: Tx,
  before: StepUpRecord,
  made: { readonly event: StepUpEvent; readonly move: StepUpMove; readonly actor: Actor },
): Promise<void> {
  await applyStepUpMove(tx, before, { ...made, isRung: true });
}

async function again(tx: Tx, subject: StepUpSubject): Promise<StepUpRecord> {
  const after = await readStepUp(tx, subject);
  if (after === undefined) throw new LatchkeyError('step_up_not_found');
  return after;
}
