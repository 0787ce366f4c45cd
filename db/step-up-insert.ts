/**
 * The rows of a step-up that is asked for, as step-up-create.ts judged it: ceremony, step-up, audit and event in one statement, and the record that
 * they make. It must never judge.
 */
import type { Policy } from '../domain/policy.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { StepUpStrength } from '../domain/step-up.ts';
import { insertAudit, type AuditEntry } from './audit.ts';
import type { Tx } from './connection.ts';
import { insertOutboxRow } from './outbox.ts';
import { actorOf } from './step-up-consume.ts';
import type { NewStepUp } from './step-up-create.ts';
import { requestEvent } from './step-up-events.ts';
import { nameOf } from './step-up-requester.ts';
import type { StepUpRecord, StepUpSpend } from './step-up.ts';

export interface JudgedStepUp {
  /** What was asked for, under the customer's key. */
  readonly sealed: Uint8Array;
  readonly epoch: number;
  readonly policyVersion: number;
  readonly policy: Policy;
  readonly required: StepUpStrength;
  readonly delaySeconds: number;
  readonly spend: StepUpSpend | undefined;
  readonly referenceIndex: Uint8Array;
}

/** Both rows, their audit and their event are one statement. */
export async function insertStepUp(
  tx: Tx,
  request: NewStepUp,
  judged: JudgedStepUp,
): Promise<StepUpRecord> {
  const { tenantId, stepUpId, customerId, requester, action } = request;
  const { policy, required, spend, policyVersion } = judged;
  const detail = { actionType: action.type, required, policyVersion };
  const told = { tenantId, stepUpId, customerId, requester, actionType: action.type, required };
  const [row] = await tx<{ locale: string; deadline: Date; createdAt: Date }[]>`
    with begun as (
      insert into ceremony (tenant_id, ceremony_id, kind, customer_id, client_id, jkt, state, epoch, policy_version, locale, deadline, created_at, requester)
      select ${tenantId}, ${stepUpId}, 'step_up', ${customerId}, ${request.clientId ?? null}, ${request.jkt ?? null}, 'starting', ${judged.epoch},
             ${policyVersion}, coalesce(${request.locale ?? null}, customer.locale),
             t.now + make_interval(secs => ${policy.stepUp.approveSeconds}), t.now, ${nameOf(requester)}
      from (select latchkey_now() as now offset 0) t, customer
      where customer.tenant_id = ${tenantId} and customer.customer_id = ${customerId}
      on conflict (tenant_id, customer_id, requester) where kind = 'step_up' and state in ('starting', 'open', 'second_factor') do nothing
      returning locale, deadline, created_at),
    asked as (
      insert into step_up (tenant_id, step_up_id, customer_id, requester_kind, requester_id, action_type, sealed_request, reference_index,
                           session_id, device_id, credential_id, at_least, required, delay_seconds,
                           spend_currency, spend_day, spend_minor, day_total_minor)
      select ${tenantId}, ${stepUpId}, ${customerId}, ${requester.kind}, ${requester.id}, ${action.type}, ${judged.sealed}::bytea, ${judged.referenceIndex}::bytea,
             ${request.sessionId ?? null}, ${request.deviceId ?? null}, ${request.credentialId ?? null}, ${request.atLeast ?? null},
             ${required}, ${judged.delaySeconds}::integer, ${spend?.currency ?? null}, ${spend?.day ?? null}::date,
             ${spend?.minor.toString() ?? null}::numeric, ${spend?.dayTotalMinor.toString() ?? null}::numeric
      from begun),
    audited as (${insertAudit(tx, auditOfRequest(request, 'step_up.requested', detail))}),
    told as (${insertOutboxRow(tx, requestEvent(told))})
    select locale, deadline, created_at from begun`;
  // The index holds what the queue above makes sure of; what was written beside goes with the transaction.
  if (row === undefined) throw new LatchkeyError('step_up_pending');
  return newRecord(request, judged, row);
}

/** What its rows say: they were written just now. */
function newRecord(
  request: NewStepUp,
  judged: JudgedStepUp,
  row: { readonly locale: string; readonly deadline: Date; readonly createdAt: Date },
): StepUpRecord {
  const { tenantId, stepUpId, customerId, requester, action } = request;
  const { policy, policyVersion, required, delaySeconds, spend } = judged;
  const createdAtMs = row.createdAt.getTime();
  return {
    ...NOTHING_YET,
    tenantId,
    stepUpId,
    customerId,
    requester,
    isLogin: requester.kind === 'login',
    actionType: action.type,
    clientId: request.clientId ?? null,
    jkt: request.jkt ?? null,
    epoch: judged.epoch,
    locale: row.locale,
    createdAtMs,
    nowMs: createdAtMs,
    policyVersion,
    policy,
    maxUpdates: policy.stepUp.maxUpdates,
    sessionId: request.sessionId ?? null,
    deviceId: request.deviceId ?? null,
    credentialId: request.credentialId ?? null,
    atLeast: request.atLeast ?? null,
    required,
    delaySeconds,
    delayMs: delaySeconds * 1000,
    consumeMs: policy.stepUp.consumeSeconds * 1000,
    spend: spend ?? null,
    approveByMs: row.deadline.getTime(),
  };
}

/** Of a step-up that was only asked for. */
const NOTHING_YET = {
  state: 'starting',
  outcome: null,
  reason: null,
  seq: 0,
  endedAtMs: null,
  healCount: 0,
  challenge: null,
  openedDeviceId: null,
  openedAs: null,
  approvedDeviceId: null,
  approvedSessionId: null,
  approvedCredentialId: null,
  risk: null,
  provedAtMs: null,
  approvedAtMs: null,
  consumableAtMs: null,
  consumeByMs: null,
  consumedAtMs: null,
  receiptId: null,
} as const;

export function auditOfRequest(
  request: NewStepUp,
  action: string,
  detail: Readonly<Record<string, string | number>>,
): AuditEntry {
  const { tenantId, stepUpId, customerId } = request;
  return {
    tenantId,
    actor: actorOf(request),
    action,
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
    detail,
  };
}
