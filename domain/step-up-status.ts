/** The one word for how a step-up stands, as requester and customer are shown it. It decides nothing. */
import type { StepUp } from './step-up.ts';

export const STEP_UP_STATUSES = [
  'pending',
  'second_factor',
  'approved',
  'consumed',
  'denied',
  'expired',
  'cancelled',
  'superseded',
  'revoked',
] as const;
export type StepUpStatus = (typeof STEP_UP_STATUSES)[number];

export function statusOf({
  state,
  outcome,
  reason,
}: Pick<StepUp, 'state' | 'outcome' | 'reason'>): StepUpStatus {
  switch (state) {
    case 'starting':
    case 'open':
      return 'pending';
    case 'second_factor':
    case 'approved':
      return state;
    case 'ended':
      if (reason === 'superseded') return 'superseded';
      return outcome === 'completed' || outcome === null ? 'consumed' : outcome;
  }
}

/** The customer has nothing left to do: he has answered, or it has ended. */
export function isAnswered(
  status: StepUpStatus,
): status is Exclude<StepUpStatus, 'pending' | 'second_factor'> {
  return status !== 'pending' && status !== 'second_factor';
}
