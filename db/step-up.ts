/**
 * Step-ups as rows: a ceremony of the kind `step_up` and a row of the same id with what only a step-up has. Reading them stands here; what
 * moves them in step-up-moves.ts. What was asked for is sealed under the customer's key, so a record alone never tells it.
 */
import type { Action } from '../domain/action.ts';
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import type { IdKind } from '../domain/ids.ts';
import type { Policy } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import type {
  StepUpReason,
  StepUpRequester,
  StepUpSnapshot,
  StepUpState,
  StepUpStrength,
  StepUpSubject,
} from '../domain/step-up.ts';
import type { Tx } from './connection.ts';
import type { PersonalData } from './personal-data.ts';

/** What every change of a step-up needs. */
export interface StepUpTools {
  readonly personalData: PersonalData;
  readonly newId: (kind: IdKind) => string;
}

/** Everything the rows say in clear, with the policy they pinned. Times in milliseconds of the database. */
export interface StepUpRecord extends StepUpSnapshot, StepUpSubject {
  readonly customerId: string;
  readonly requester: StepUpRequester;
  readonly actionType: string;
  /** Which app and key began a login; null for every other kind. */
  readonly clientId: string | null;
  readonly jkt: string | null;
  readonly epoch: number;
  readonly locale: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly healCount: number;
  readonly policyVersion: number;
  readonly policy: Policy;
  /** What the requester named; null where any trusted device may answer. */
  readonly sessionId: string | null;
  readonly deviceId: string | null;
  readonly credentialId: string | null;
  readonly atLeast: StepUpStrength | null;
  readonly delaySeconds: number;
  readonly spend: StepUpSpend | null;
  /** SHA-256 of the preimage that was sent last; null until it was opened. */
  readonly challenge: Uint8Array | null;
  readonly openedDeviceId: string | null;
  readonly openedAs: Uint8Array | null;
  /** Who approved with what, once the keys were good. */
  readonly approvedDeviceId: string | null;
  readonly approvedSessionId: string | null;
  readonly approvedCredentialId: string | null;
  readonly risk: Risk | null;
  readonly provedAtMs: number | null;
  readonly approvedAtMs: number | null;
  readonly consumedAtMs: number | null;
  /** null until the worker has sealed it. */
  readonly receiptId: string | null;
}

/** What it adds to the day's total. */
export interface StepUpSpend {
  readonly currency: string;
  /** UTC, `2027-01-31`. */
  readonly day: string;
  readonly minor: bigint;
  /** The day's total with it, as it stood when it was asked for. */
  readonly dayTotalMinor: bigint;
}

/** What was asked for, as it is sealed. */
export interface StepUpRequest {
  readonly action: Action;
  /** The text that is compared and hashed. */
  readonly canonical: string;
  readonly reference: string;
  readonly requesterName: string;
}

const REQUEST_PURPOSE = 'step_up.request';
const PREIMAGE_PURPOSE = 'step_up.preimage';

/** undefined when there is no such step-up. Locked: its ceremony, until the transaction ends; the customer's row comes before that. */
export async function readStepUp(
  tx: Tx,
  { tenantId, stepUpId }: StepUpSubject,
  isLocked = false,
): Promise<StepUpRecord | undefined> {
  // What stands beside the ceremony is read by a statement of its own after the lock: in the same it would keep the snapshot from before.
  if (isLocked) {
    await tx`
      select 1 from ceremony
      where tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and kind = 'step_up' for update`;
  }
  const [row] = await tx<StepUpDbRow[]>`
    ${recordSelect(tx)} where c.tenant_id = ${tenantId} and c.ceremony_id = ${stepUpId} and c.kind = 'step_up'`;
  return row === undefined ? undefined : toRecord(row);
}

/** Of that customer alone; somebody else's is as good as none. */
export async function stepUpOfCustomer(
  tx: Tx,
  { customerId, ...subject }: StepUpSubject & { readonly customerId: string },
): Promise<StepUpRecord | undefined> {
  const record = await readStepUp(tx, subject);
  // A login is answered by the key that began it, not by a session.
  return record?.customerId === customerId && record.requester.kind !== 'login'
    ? record
    : undefined;
}

/** Of that requester alone. */
export async function stepUpOfRequester(
  tx: Tx,
  { requester, ...subject }: StepUpSubject & { readonly requester: StepUpRequester },
): Promise<StepUpRecord | undefined> {
  const record = await readStepUp(tx, subject);
  return record !== undefined && isRequester(record, requester) ? record : undefined;
}

export function isRequester(record: StepUpRecord, { kind, id }: StepUpRequester): boolean {
  return record.requester.kind === kind && record.requester.id === id;
}

const LISTED = 20;

/** What a customer may look at: everything that waits, and of the rest the youngest. */
export async function listStepUps(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<readonly StepUpRecord[]> {
  const rows = await tx<StepUpDbRow[]>`
    ${recordSelect(tx)}
    where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up' and s.requester_kind <> 'login'
      and c.state <> 'starting'
    order by (c.outcome is null) desc, c.created_at desc, c.ceremony_id desc limit ${LISTED}`;
  return rows.map(toRecord);
}

/** Opens what was asked for from under the customer's key. */
export async function openRequest(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId, customerId }: Pick<StepUpRecord, 'tenantId' | 'stepUpId' | 'customerId'>,
): Promise<StepUpRequest> {
  const [row] = await tx<{ sealedRequest: Uint8Array }[]>`
    select sealed_request from step_up where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined) throw new TypeError('a step-up has what was asked for');
  const target = { tenantId, customerId, purpose: REQUEST_PURPOSE };
  // Sealed by sealRequest.
  return JSON.parse(await personalData.open(tx, target, row.sealedRequest)) as StepUpRequest;
}

export async function sealRequest(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  request: StepUpRequest,
): Promise<Uint8Array> {
  const target = { tenantId, customerId, purpose: REQUEST_PURPOSE };
  return await personalData.seal(tx, target, JSON.stringify(request));
}

/** The exact text whose SHA-256 is the challenge; undefined until it was opened. */
export async function openPreimage(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId, customerId }: Pick<StepUpRecord, 'tenantId' | 'stepUpId' | 'customerId'>,
): Promise<string | undefined> {
  const [row] = await tx<{ sealedPreimage: Uint8Array | null }[]>`
    select sealed_preimage from step_up where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined || row.sealedPreimage === null) return undefined;
  const target = { tenantId, customerId, purpose: PREIMAGE_PURPOSE };
  return await personalData.open(tx, target, row.sealedPreimage);
}

export async function sealPreimage(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  preimage: string,
): Promise<Uint8Array> {
  return await personalData.seal(tx, { tenantId, customerId, purpose: PREIMAGE_PURPOSE }, preimage);
}

/** The last thing a workflow does. The reconciler looks at open ones only. */
export async function markStepUpClosed(tx: Tx, subject: StepUpSubject): Promise<void> {
  await tx`
    update ceremony set workflow_closed_at = latchkey_now()
    where tenant_id = ${subject.tenantId} and ceremony_id = ${subject.stepUpId} and kind = 'step_up' and outcome is not null
      and workflow_closed_at is null`;
}

interface StepUpDbRow {
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

function recordSelect(tx: Tx) {
  return tx`
    select c.tenant_id, c.ceremony_id, c.customer_id, c.client_id, c.jkt, c.state, c.outcome, c.reason, c.seq, c.epoch, c.locale, c.deadline,
      c.created_at, c.ended_at, c.heal_count, c.policy_version, p.document as policy, latchkey_now() as now,
      s.requester_kind, s.requester_id, s.action_type, s.session_id, s.device_id, s.credential_id, s.at_least, s.required, s.delay_seconds,
      s.spend_currency, s.spend_day::text as spend_day, s.spend_minor, s.day_total_minor, s.opened_device_id, s.opened_as, s.challenge,
      s.approved_device_id, s.approved_session_id, s.approved_credential, s.risk, s.proved_at, s.approved_at, s.consumable_at, s.consume_by,
      s.consumed_at, s.receipt_id
    from ceremony c join step_up s on s.tenant_id = c.tenant_id and s.step_up_id = c.ceremony_id
      join policy p on p.tenant_id = c.tenant_id and p.version = c.policy_version`;
}

function toRecord(row: StepUpDbRow): StepUpRecord {
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

/** What the workflow may know: no customer, no key, no action, no policy. */
export function toStepUpSnapshot(record: StepUpRecord): StepUpSnapshot {
  return {
    state: record.state,
    outcome: record.outcome,
    reason: record.reason,
    required: record.required,
    isLogin: record.isLogin,
    approveByMs: record.approveByMs,
    consumableAtMs: record.consumableAtMs,
    consumeByMs: record.consumeByMs,
    consumeMs: record.consumeMs,
    delayMs: record.delayMs,
    seq: record.seq,
    nowMs: record.nowMs,
    maxUpdates: record.maxUpdates,
  };
}
