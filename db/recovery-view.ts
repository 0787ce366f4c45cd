/**
 * What is shown of a case: to the phone that it is for, to the owner's old phones, and to staff. No contact, no figure of a check, and
 * no code or link ever stands in it; the timeline of a case is the audit trail's (timeline.ts, by the ceremony's id).
 */
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import { FACTOR_METHODS, factorStrength, type FactorMethod } from '../domain/factor-ledger.ts';
import {
  coolingOverMs,
  nextDueMs,
  type RecoveryReason,
  type RecoveryState,
  type RecoverySubject,
} from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import { approversOf, livenessAttempts } from './recovery-facts.ts';
import { readRecovery, type RecoveryRecord } from './recovery.ts';

/** For a waiting room: where it stands and when the next step is due. */
export interface CustomerRecoveryView {
  readonly recoveryId: string;
  readonly state: RecoveryState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: RecoveryReason | null;
  readonly missing: RecoveryRecord['missing'];
  /** Null while nothing runs: it is held, or has ended. */
  readonly dueAtMs: number | null;
  readonly coolingOverMs: number | null;
  readonly attemptsLeft: number;
  readonly limitedUntilMs: number | null;
}

/** undefined: no such case for this key. */
export async function recoveryOfPhone(
  tx: Tx,
  { jkt, ...subject }: RecoverySubject & { readonly jkt: string },
): Promise<CustomerRecoveryView | undefined> {
  const record = await readRecovery(tx, subject);
  return record?.jkt === jkt ? await customerView(tx, record) : undefined;
}

/** For an old phone of the owner: the newest case, open or ended. */
export async function recoveryOfCustomer(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<CustomerRecoveryView | undefined> {
  const [row] = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'recovery'
    order by created_at desc limit 1`;
  if (row === undefined) return undefined;
  const record = await readRecovery(tx, { tenantId, recoveryId: row.ceremonyId });
  return record === undefined ? undefined : await customerView(tx, record);
}

/** For the owner's old phones: what is open, and what completed no longer ago than an objection is heard; the newest first. */
export async function objectionableRecoveries(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<readonly RecoveryRecord[]> {
  const rows = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'recovery'
      and (outcome is null or outcome = 'completed')
    order by created_at desc limit 10`;
  const found: RecoveryRecord[] = [];
  for (const { ceremonyId: recoveryId } of rows) {
    const record = await readRecovery(tx, { tenantId, recoveryId });
    if (record !== undefined && objectUntilMs(record) > record.nowMs) found.push(record);
  }
  return found;
}

/** Open ones are objected to at any time. */
export function objectUntilMs({ outcome, endedAtMs, policy }: RecoveryRecord): number {
  if (outcome === null) return Infinity;
  if (outcome !== 'completed' || endedAtMs === null) return 0;
  return endedAtMs + policy.recovery.objectionSeconds * 1000;
}

async function customerView(tx: Tx, record: RecoveryRecord): Promise<CustomerRecoveryView> {
  const { recoveryId, state, outcome, reason, missing, limitedUntilMs, policy } = record;
  const { begun } = await livenessAttempts(tx, record);
  const attemptsLeft = Math.max(0, policy.recovery.maxLivenessAttempts - begun);
  return {
    recoveryId,
    state,
    outcome,
    reason,
    missing,
    dueAtMs: finite(nextDueMs(record)),
    coolingOverMs: state === 'cooling' ? finite(coolingOverMs(record)) : null,
    attemptsLeft,
    limitedUntilMs,
  };
}

const finite = (milliseconds: number): number | null =>
  Number.isFinite(milliseconds) ? milliseconds : null;

export interface LedgerView {
  readonly factorId: string;
  readonly method: FactorMethod;
  readonly channel: string;
  /** What it is worth now; 0: nothing. */
  readonly strength: number;
  readonly recordedByKind: 'customer' | 'vendor' | 'staff';
  readonly recordedBy: string;
  readonly recordedAtMs: number;
  readonly confirmedBy: string | null;
  readonly isVoid: boolean;
}

/** For staff: the case with its ledger, and how many have approved it as it stands. */
export interface StaffRecoveryView {
  readonly record: RecoveryRecord;
  readonly ledger: readonly LedgerView[];
  readonly approvers: number;
}

export async function recoveryForStaff(
  tx: Tx,
  subject: RecoverySubject,
): Promise<StaffRecoveryView | undefined> {
  const record = await readRecovery(tx, subject);
  if (record === undefined) return undefined;
  const ledger = record.ledger.map((entry) => ({
    factorId: entry.factorId,
    method: entry.method,
    channel: FACTOR_METHODS[entry.method].channel,
    strength: entry.isVoid ? 0 : factorStrength(entry, record.epoch),
    recordedByKind: entry.recordedByKind,
    recordedBy: entry.recordedBy,
    recordedAtMs: entry.recordedAtMs,
    confirmedBy: entry.confirmedBy,
    isVoid: entry.isVoid,
  }));
  return { record, ledger, approvers: await approversOf(tx, record) };
}

/** Until when this customer's limits are lowered after a recovery; undefined: they are not. */
export async function limitedUntilMs(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<number | undefined> {
  const [row] = await tx<{ until: Date | null }[]>`
    select max(limited_until) as until from recovery
    where tenant_id = ${tenantId} and customer_id = ${customerId} and limited_until is not null and limited_until > latchkey_now()`;
  return row?.until?.getTime();
}
