/** How a step-up stands, for who asked for it. Nothing of the customer but what the requester has said itself. */
import type { StepUpRecord } from '../../db/step-up.ts';
import { statusOf } from '../../domain/step-up-status.ts';
import { isoTime } from '../iso-time.ts';
import type { StepUpView } from '../schemas/step-ups.ts';

export function requesterView(record: StepUpRecord): StepUpView {
  const { stepUpId, actionType, required, reason, risk, receiptId } = record;
  const isApproved = record.approvedAtMs !== null;
  return {
    stepUpId,
    status: statusOf(record),
    ...(reason === null ? {} : { reason }),
    type: actionType,
    required,
    createdAt: isoTime(record.createdAtMs),
    approveBy: isoTime(record.approveByMs),
    ...(isApproved ? { acr: required, risk: risk ?? 'not_evaluated' } : {}),
    approvedAt: isoTime(record.approvedAtMs),
    consumableAt: isoTime(record.consumableAtMs),
    consumeBy: isoTime(record.consumeByMs),
    consumedAt: isoTime(record.consumedAtMs),
    endedAt: isoTime(record.endedAtMs),
    receiptId,
  };
}
