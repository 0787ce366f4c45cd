/** A step-up's two rows and the policy it pinned, read in one select and mapped once. */
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import type { Policy } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import type {
  StepUpReason,
  StepUpRequester,
  StepUpState,
  StepUpStrength,
} from '../domain/step-up.ts';
import type { Sql } from './connection.ts';
import type { StepUpRecord, StepUpSpend } from './step-up.ts';

export interface StepUpDbRow {
  readonly tenantId: string;
  readonly ceremonyId: string;
  readonly customerId: string;
  readonly clientId: string | null;
  readonly jkt: string | null;
  readonly state: StepUpState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: StepUpReason | null;
  readonly seq: number;
  readonly epoch: number;
  readonly locale: string;
  readonly deadline: Date;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly healCount: number;
  readonly policyVersion: number;
  readonly policy: Policy;
  readonly now: Date;
  readonly requesterKind: StepUpRequester['kind'];
  readonly requesterId: string;
  readonly actionType: string;
  readonly sessionId: string | null;
  readonly deviceId: string | null;
  readonly credentialId: string | null;
  readonly atLeast: StepUpStrength | null;
  readonly required: StepUpStrength;
  readonly delaySeconds: number;
  readonly spendCurrency: string | null;
  readonly spendDay: string | null;
  readonly spendMinor: string | null;
  readonly dayTotalMinor: string | null;
  readonly openedDeviceId: string | null;
  readonly openedAs: Uint8Array | null;
  readonly challenge: Uint8Array | null;
  readonly approvedDeviceId: string | null;
  readonly approvedSessionId: string | null;
  readonly approvedCredential: string | null;
  readonly risk: Risk | null;
  readonly provedAt: Date | null;
  readonly approvedAt: Date | null;
  readonly consumableAt: Date | null;
  readonly consumeBy: Date | null;
  readonly consumedAt: Date | null;
  readonly receiptId: string | null;
}

export function recordSelect(sql: Sql) {
  return sql`
    select c.tenant_id, c.ceremony_id, c.customer_id, c.client_id, c.jkt, c.state, c.outcome, c.reason, c.seq, c.epoch, c.locale, c.deadline,
      c.created_at, c.ended_at, c.heal_count, c.policy_version, p.document as policy, latchkey_now() as now,
      s.requester_kind, s.requester_id, s.action_type, s.session_id, s.device_id, s.credential_id, s.at_least, s.required, s.delay_seconds,
      s.spend_currency, s.spend_day::text as spend_day, s.spend_minor, s.day_total_minor, s.opened_device_id, s.opened_as, s.challenge,
      s.approved_device_id, s.approved_session_id, s.approved_credential, s.risk, s.proved_at, s.approved_at, s.consumable_at, s.consume_by,
      s.consumed_at, s.receipt_id
    from ceremony c join step_up s on s.tenant_id = c.tenant_id and s.step_up_id = c.ceremony_id
      join policy p on p.tenant_id = c.tenant_id and p.version = c.policy_version`;
}

export function toRecord(row: StepUpDbRow): StepUpRecord {
  const { stepUp } = row.policy;
  return {
    tenantId: row.tenantId,
    stepUpId: row.ceremonyId,
    customerId: row.customerId,
    requester: { kind: row.requesterKind, id: row.requesterId },
    isLogin: row.requesterKind === 'login',
    actionType: row.actionType,
    clientId: row.clientId,
    jkt: row.jkt,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    seq: row.seq,
    epoch: row.epoch,
    locale: row.locale,
    createdAtMs: row.createdAt.getTime(),
    endedAtMs: msOf(row.endedAt),
    healCount: row.healCount,
    policyVersion: row.policyVersion,
    policy: row.policy,
    nowMs: row.now.getTime(),
    maxUpdates: stepUp.maxUpdates,
    sessionId: row.sessionId,
    deviceId: row.deviceId,
    credentialId: row.credentialId,
    atLeast: row.atLeast,
    required: row.required,
    delaySeconds: row.delaySeconds,
    delayMs: row.delaySeconds * 1000,
    consumeMs: stepUp.consumeSeconds * 1000,
    spend: spendOf(row),
    challenge: row.challenge,
    openedDeviceId: row.openedDeviceId,
    openedAs: row.openedAs,
    approvedDeviceId: row.approvedDeviceId,
    approvedSessionId: row.approvedSessionId,
    approvedCredentialId: row.approvedCredential,
    risk: row.risk,
    approveByMs: row.deadline.getTime(),
    provedAtMs: msOf(row.provedAt),
    approvedAtMs: msOf(row.approvedAt),
    consumableAtMs: msOf(row.consumableAt),
    consumeByMs: msOf(row.consumeBy),
    consumedAtMs: msOf(row.consumedAt),
    receiptId: row.receiptId,
  };
}

function spendOf(row: StepUpDbRow): StepUpSpend | null {
  const { spendCurrency, spendDay, spendMinor, dayTotalMinor } = row;
  if (spendCurrency === null || spendDay === null || spendMinor === null || dayTotalMinor === null)
    return null;
  return {
    currency: spendCurrency,
    day: spendDay,
    minor: BigInt(spendMinor),
    dayTotalMinor: BigInt(dayTotalMinor),
  };
}

function msOf(date: Date | null): number | null {
  return date?.getTime() ?? null;
}
