/**
 * Writing the factor ledger of a case: what was proved, confirmed by a second person, or ceased to count. Nothing is ever taken out. What an
 * entry is worth domain/factor-ledger.ts says; who prepared an entry never confirms it (the table's own check holds that too).
 */
import { LatchkeyError } from '../domain/errors.ts';
import { FACTOR_METHODS, type FactorMethod } from '../domain/factor-ledger.ts';
import {
  recoveryRequirement,
  stricterRequirement,
  type RecoveryDoubt,
} from '../domain/recovery-policy.ts';
import { refusalOf, type RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { isEvidence } from './recovery-effects.ts';
import { lockRecovery } from './recovery-moves.ts';
import { refuseOwnAccount, staffMember } from './recovery-people.ts';
import {
  raiseRevision,
  ringRecovery,
  type RecoveryRecord,
  type RecoveryTools,
} from './recovery.ts';
import { provedCall } from './verified-calls.ts';

/** What staff may put on record themselves. */
export type StaffMethod = Extract<
  FactorMethod,
  'call_back' | 'branch' | 'video' | 'document' | 'verified_call'
>;

export interface NewFactor {
  readonly method: FactorMethod;
  /** The request, attempt, step-up or document that shows it: once a case and method. */
  readonly evidenceId: string;
  readonly handset: string | null;
  readonly isOnReportedHandset: boolean;
  readonly by:
    | { readonly kind: 'customer' | 'vendor'; readonly id: string }
    | { readonly kind: 'staff'; readonly id: string; readonly employee: string };
}

/** Under the case's lock. undefined: that evidence stands there already, and nothing is written. */
export async function insertFactor(
  tx: Tx,
  { newId }: RecoveryTools,
  record: RecoveryRecord,
  factor: NewFactor,
): Promise<string | undefined> {
  const { tenantId, recoveryId, customerId, epoch } = record;
  const { method, evidenceId, by } = factor;
  const factorId = newId('factor');
  const { count } = await tx`
    insert into recovery_factor (tenant_id, factor_id, recovery_id, customer_id, method, handset, epoch, on_reported_handset, evidence_id,
      recorded_by_kind, recorded_by, recorded_employee, recorded_at)
    values (${tenantId}, ${factorId}, ${recoveryId}, ${customerId}, ${method}, ${factor.handset}, ${epoch}, ${factor.isOnReportedHandset},
      ${evidenceId}, ${by.kind}, ${by.id}, ${by.kind === 'staff' ? by.employee : null}, latchkey_now())
    on conflict (tenant_id, recovery_id, method, evidence_id) do nothing`;
  if (count === 0) return undefined;
  await raiseRevision(tx, record);
  await appendAudit(tx, {
    tenantId,
    actor: { kind: by.kind, id: by.id },
    action: 'recovery.factor_recorded',
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: { factorId, method, evidenceId, isOnReportedHandset: factor.isOnReportedHandset },
  });
  return factorId;
}

/**
 * What a member of staff has seen or heard. Evidence of the person asks for two people from then on, and for a phone that it is proved of.
 * A verified call is asked of its own rows, never taken from whoever names it.
 * @throws LatchkeyError recovery_not_found, own_account, phone_not_joined, caller_not_proved, ceremony_expired, or how the case stands.
 */
export async function recordFactor(
  tx: Tx,
  tools: RecoveryTools,
  args: {
    readonly subject: RecoverySubject;
    readonly method: StaffMethod;
    readonly evidenceId: string;
    readonly staffId: string;
  },
): Promise<{ readonly factorId: string | undefined }> {
  const { subject, method, evidenceId, staffId } = args;
  const record = await lockDue(tx, subject);
  const { employee } = await staffMember(tx, subject.tenantId, staffId);
  await refuseOwnAccount(tx, record, employee);
  if (FACTOR_METHODS[method].factor === 'identity' && record.jkt === null)
    throw new LatchkeyError('phone_not_joined');
  const where = await placeOf(tx, record, method, evidenceId);
  const factorId = await insertFactor(tx, tools, record, {
    method,
    evidenceId,
    handset: where.handset,
    isOnReportedHandset: where.isReported || isReachedByReported(record, method, where.handset),
    by: { kind: 'staff', id: staffId, employee },
  });
  if (isEvidence(method)) await tightenRequirement(tx, record, { isByEvidence: true });
  await ringRecovery(tx, subject);
  return { factorId };
}

interface Place {
  readonly handset: string | null;
  readonly isReported: boolean;
}

/** On which phone it lives, as well as the rows tell. */
async function placeOf(
  tx: Tx,
  record: RecoveryRecord,
  method: StaffMethod,
  evidenceId: string,
): Promise<Place> {
  const { tenantId, customerId } = record;
  if (FACTOR_METHODS[method].channel === 'phone')
    return { handset: await phoneOfNumber(tx, record), isReported: false };
  if (method !== 'verified_call') return { handset: null, isReported: false };
  const call = await provedCall(tx, { tenantId, customerId, callId: evidenceId });
  if (call === undefined) throw new LatchkeyError('caller_not_proved');
  return { handset: call.deviceId, isReported: call.isDeviceReported };
}

/** The phone that has the customer's number: the only one there is; null where there are several. */
export async function phoneOfNumber(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<string | null> {
  const devices = await tx<{ deviceId: string }[]>`
    select device_id from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status not in ('pending', 'revoked') limit 2`;
  return devices.length === 1 ? (devices[0]?.deviceId ?? null) : null;
}

/**
 * A second natural person says that it was so.
 * @throws LatchkeyError as recordFactor; not_found: no such entry that counts; four_eyes_required.
 */
export async function confirmFactor(
  tx: Tx,
  args: {
    readonly subject: RecoverySubject;
    readonly factorId: string;
    readonly staffId: string;
  },
): Promise<{ readonly isRepeat: boolean }> {
  const { subject, factorId, staffId } = args;
  const { tenantId, recoveryId } = subject;
  const record = await lockDue(tx, subject);
  const { employee } = await staffMember(tx, tenantId, staffId);
  await refuseOwnAccount(tx, record, employee);
  const factor = record.ledger.find((entry) => entry.factorId === factorId && !entry.isVoid);
  if (factor === undefined || !FACTOR_METHODS[factor.method].needsSecondPerson)
    throw new LatchkeyError('not_found');
  if (factor.confirmedBy !== null) return { isRepeat: true };
  const { count } = await tx`
    update recovery_factor
    set confirmed_by = ${staffId}, confirmed_employee = ${employee}, confirmed_at = latchkey_now()
    where tenant_id = ${tenantId} and factor_id = ${factorId} and confirmed_by is null and recorded_by <> ${staffId}
      and not latchkey_same_person(recorded_employee, ${employee})`;
  if (count === 0) throw new LatchkeyError('four_eyes_required');
  await raiseRevision(tx, subject);
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action: 'recovery.factor_confirmed',
    subject: { kind: 'recovery', id: recoveryId },
    customerId: record.customerId,
    ceremonyId: recoveryId,
    detail: { factorId, method: factor.method },
  });
  await ringRecovery(tx, subject);
  return { isRepeat: false };
}

/** Where the table takes a proof: not while it is held, cools off or has ended, and never after its time. */
async function lockDue(tx: Tx, subject: RecoverySubject): Promise<RecoveryRecord> {
  const record = await lockRecovery(tx, subject);
  if (record === undefined) throw new LatchkeyError('recovery_not_found');
  const { state, nowMs, deadlineMs, stepDeadlineMs } = record;
  if (!['starting', 'contact', 'identity', 'review'].includes(state))
    throw new LatchkeyError(refusalOf(record), { extra: { state } });
  if (nowMs >= Math.min(deadlineMs, stepDeadlineMs ?? Infinity))
    throw new LatchkeyError('ceremony_expired', { extra: { state } });
  return record;
}

/** Whoever holds the reported phone answers its number and its app. */
export function isReachedByReported(
  { report, reportedDeviceId }: Pick<RecoveryRecord, 'report' | 'reportedDeviceId'>,
  method: FactorMethod,
  handset: string | null,
): boolean {
  if (report !== 'lost' && report !== 'stolen') return false;
  const { channel } = FACTOR_METHODS[method];
  if (channel === 'app') return handset === null || handset === reportedDeviceId;
  // Which of several phones has the number nobody knows, unless another one was named: in doubt it is the reported one.
  return (
    channel === 'phone' &&
    (reportedDeviceId === null || handset === null || !isOther(handset, reportedDeviceId))
  );
}

function isOther(handset: string, reportedDeviceId: string): boolean {
  return handset.startsWith('dev_') && handset !== reportedDeviceId;
}

/** Later doubt only ever adds. Under the case's lock; the revision goes up only with what is asked. */
export async function tightenRequirement(
  tx: Tx,
  record: RecoveryRecord,
  doubt: Partial<RecoveryDoubt>,
): Promise<void> {
  const { tenantId, recoveryId, requirement, policy, risk, report } = record;
  const now = recoveryRequirement(policy.recovery, {
    risk,
    isStolen: report === 'stolen',
    hasRecentChange: false,
    isByEvidence: false,
    ...doubt,
  });
  const { ledger, people, coolingSeconds, coolingFloorSeconds } = stricterRequirement(
    requirement,
    now,
  );
  const { count } = await tx`
    update recovery
    set contacts_required = ${ledger.contacts}, people_required = ${people}, cooling_seconds = ${coolingSeconds},
        cooling_floor_seconds = ${coolingFloorSeconds}
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId}
      and (contacts_required, people_required, cooling_seconds, cooling_floor_seconds)
        is distinct from (${ledger.contacts}::integer, ${people}::integer, ${coolingSeconds}::integer, ${coolingFloorSeconds}::integer)`;
  if (count > 0) await raiseRevision(tx, record);
}
