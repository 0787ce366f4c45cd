/** What a move of a step-up tells the world: one event of the catalogue a move that matters, and the call to a requester who asked for one. */
import type { Tx } from './connection.ts';
import { enqueue } from './outbox.ts';
import type { StepUpMove } from '../domain/step-up.ts';
import type { StepUpRecord } from './step-up.ts';

type Told = Pick<
  StepUpRecord,
  'tenantId' | 'stepUpId' | 'customerId' | 'requester' | 'actionType' | 'required'
>;

export async function announceRequest(tx: Tx, stepUp: Told): Promise<void> {
  await enqueue(tx, {
    tenantId: stepUp.tenantId,
    topic: 'event',
    subject: stepUp.customerId,
    payload: {
      type: 'bank.app.step_up_requested',
      data: { ...dataOf(stepUp), required: stepUp.required },
    },
  });
}

/** Moves between steps are nobody's business. */
export async function announceMove(
  tx: Tx,
  stepUp: Told,
  { move, revocationId }: { move: StepUpMove; revocationId?: string | undefined },
): Promise<void> {
  const { tenantId, customerId, required } = stepUp;
  const { state, outcome, reason } = move;
  const row = { tenantId, topic: 'event', subject: customerId } as const;
  const data = dataOf(stepUp);
  if (state === 'approved') {
    const payload = {
      type: 'bank.app.step_up_approved',
      data: { ...data, acr: required },
    } as const;
    await enqueue(tx, { ...row, payload });
  } else if (outcome === 'completed') {
    const payload = {
      type: 'bank.app.step_up_consumed',
      data: { ...data, acr: required },
    } as const;
    await enqueue(tx, { ...row, payload });
  } else if (outcome === 'denied' && reason !== null) {
    await enqueue(tx, {
      ...row,
      payload: { type: 'bank.app.step_up_denied', data: { ...data, reason } },
    });
  } else if (outcome !== null) {
    const revocation = revocationId === undefined ? {} : { revocationId };
    await enqueue(tx, {
      ...row,
      payload: {
        type: 'bank.app.step_up_ended',
        data: { ...data, outcome, reason, ...revocation },
      },
    });
  }
}

/** Staff and logins look for themselves. */
export async function callBack(tx: Tx, { tenantId, stepUpId, requester }: Told): Promise<void> {
  if (requester.kind !== 'client') return;
  await enqueue(tx, { tenantId, topic: 'callback.send', subject: stepUpId, payload: { stepUpId } });
}

function dataOf({ customerId, stepUpId, requester, actionType }: Told) {
  return {
    customerId,
    stepUpId,
    requesterKind: requester.kind,
    requesterId: requester.id,
    actionType,
  };
}
