/** What a move of a step-up tells the world: one event of the catalogue a move that matters, and the call to a requester who asked for one. */
import type { NewOutboxRow } from './outbox.ts';
import type { StepUpMove } from '../domain/step-up.ts';
import type { StepUpRecord } from './step-up.ts';

type Told = Pick<
  StepUpRecord,
  'tenantId' | 'stepUpId' | 'customerId' | 'requester' | 'actionType' | 'required'
>;

export function requestEvent(stepUp: Told): NewOutboxRow {
  return {
    tenantId: stepUp.tenantId,
    topic: 'event',
    subject: stepUp.customerId,
    payload: {
      type: 'bank.app.step_up_requested',
      data: { ...dataOf(stepUp), required: stepUp.required },
    },
  };
}

/** Moves between steps are nobody's business. */
export function moveEvents(
  stepUp: Told,
  { move, revocationId }: { move: StepUpMove; revocationId?: string | undefined },
): readonly NewOutboxRow[] {
  const { tenantId, customerId, required } = stepUp;
  const { state, outcome, reason } = move;
  const row = { tenantId, topic: 'event', subject: customerId } as const;
  const data = dataOf(stepUp);
  if (state === 'approved') {
    const payload = {
      type: 'bank.app.step_up_approved',
      data: { ...data, acr: required },
    } as const;
    return [{ ...row, payload }];
  }
  if (outcome === 'completed') {
    const payload = {
      type: 'bank.app.step_up_consumed',
      data: { ...data, acr: required },
    } as const;
    return [{ ...row, payload }];
  }
  if (outcome === 'denied' && reason !== null) {
    return [{ ...row, payload: { type: 'bank.app.step_up_denied', data: { ...data, reason } } }];
  }
  if (outcome === null) return [];
  const revocation = revocationId === undefined ? {} : { revocationId };
  const payload = {
    type: 'bank.app.step_up_ended',
    data: { ...data, outcome, reason, ...revocation },
  } as const;
  return [{ ...row, payload }];
}

/** Staff and logins look for themselves. */
export function callsBack({ tenantId, stepUpId, requester }: Told): readonly NewOutboxRow[] {
  if (requester.kind !== 'client') return [];
  return [{ tenantId, topic: 'callback.send', subject: stepUpId, payload: { stepUpId } }];
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
