/** What a customer is answered about a step-up, from PostgreSQL's rows alone. A session that may only read is not told who gets the money. */
import type { Tx } from '../../db/connection.ts';
import { latestAttempt } from '../../db/step-attempts.ts';
import { STEP_UP_CODE, stepUpCodeSentTo } from '../../db/step-up-codes.ts';
import { openRequest } from '../../db/step-up-sealed.ts';
import type { StepUpRecord } from '../../db/step-up.ts';
import { statusOf } from '../../domain/step-up-status.ts';
import { maskPhone } from '../enrollment/contacts.ts';
import type { AppDependencies } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import type { CustomerStepUp, SentCodeView } from '../schemas/customer-step-ups.ts';
import type { LoginStepUpView } from '../schemas/login-step-ups.ts';
import { renderAction } from './display.ts';

type Tools = Pick<AppDependencies, 'personalData'>;

/** `isMasked`: for a session that may only read. */
export async function customerStepUp(
  tx: Tx,
  tools: Tools,
  { record, isMasked }: { readonly record: StepUpRecord; readonly isMasked: boolean },
): Promise<CustomerStepUp> {
  const { action, requesterName } = await openRequest(tx, tools, record);
  const { locale, tenantId } = record;
  const display = await renderAction(tx, { tenantId, action, requesterName, locale });
  const { stepUpId, required, actionType, requester, approvedAtMs } = record;
  return {
    stepUpId,
    ...standing(record),
    type: actionType,
    requester: { kind: requester.kind, name: requesterName },
    required,
    display: isMasked ? null : display,
    createdAt: isoTime(record.createdAtMs),
    approveBy: isoTime(record.approveByMs),
    approvedAt: approvedAtMs === null ? null : isoTime(approvedAtMs),
    ...(await codeMember(tx, tools, record)),
  };
}

export async function loginStepUp(
  tx: Tx,
  tools: Tools,
  record: StepUpRecord,
): Promise<LoginStepUpView> {
  return {
    stepUpId: record.stepUpId,
    ...standing(record),
    approveBy: isoTime(record.approveByMs),
    ...(await codeMember(tx, tools, record)),
  };
}

function standing(record: StepUpRecord): Pick<CustomerStepUp, 'status' | 'reason'> {
  const { reason } = record;
  return { status: statusOf(record), ...(reason === null ? {} : { reason }) };
}

async function codeMember(
  tx: Tx,
  tools: Tools,
  record: StepUpRecord,
): Promise<{ readonly code?: SentCodeView }> {
  if (record.state !== 'second_factor') return {};
  const { tenantId, stepUpId, policy } = record;
  const key = { tenantId, ceremonyId: stepUpId, step: STEP_UP_CODE } as const;
  const { attempt, sends } = await latestAttempt(tx, key);
  const to = await stepUpCodeSentTo(tx, tools, record);
  if (attempt === undefined || to === undefined) return {};
  const { digits, maxWrong, maxSends } = policy.otp;
  const isOpen = attempt.status === 'open';
  return {
    code: {
      sentTo: maskPhone(to),
      digits,
      expiresAt: isoTime(attempt.expiresAtMs),
      resendAt: isoTime(attempt.resendAfterMs),
      attemptsLeft: isOpen ? Math.max(maxWrong - attempt.wrongCount, 0) : 0,
      resendsLeft: Math.max(maxSends - sends, 0),
    },
  };
}
