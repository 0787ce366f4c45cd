/**
 * Cases of recovery as rows: a ceremony of the kind `recovery` and a row of the same id with what only a recovery has, with the ledger that
 * decides. Reading and ringing stand here; what moves a case in recovery-moves.ts. A record holds no contact, no name and no figure of a check.
 */
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import { missingFactors, type Factor, type FactorMethod } from '../domain/factor-ledger.ts';
import type { IdKind } from '../domain/ids.ts';
import type { Policy } from '../domain/policy.ts';
import type { Risk } from '../domain/ports.ts';
import { recoveryTimes, type RecoveryRequirement } from '../domain/recovery-policy.ts';
import type {
  RecoveryReason,
  RecoveryReport,
  RecoverySnapshot,
  RecoveryState,
  RecoverySubject,
} from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';

/** What every change of a case needs. */
export interface RecoveryTools {
  readonly personalData: PersonalData;
  readonly newId: (kind: IdKind) => string;
}

/** An entry of the ledger with who wrote it. Voided ones stay in the rows and are read by nobody who decides. */
export interface LedgerEntry extends Factor {
  readonly factorId: string;
  readonly method: FactorMethod;
  readonly evidenceId: string;
  readonly recordedByKind: 'customer' | 'vendor' | 'staff';
  readonly recordedBy: string;
  readonly recordedEmployee: string | null;
  readonly recordedAtMs: number;
  readonly confirmedBy: string | null;
  readonly isVoid: boolean;
}

/** Everything the rows say, with the policy they pinned. Times in milliseconds of the database. */
export interface RecoveryRecord extends RecoverySnapshot, RecoverySubject {
  readonly customerId: string;
  readonly epoch: number;
  readonly locale: string;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
  readonly openedByKind: 'customer' | 'staff';
  readonly openedBy: string;
  readonly report: RecoveryReport;
  readonly reportedDeviceId: string | null;
  /** Of the new phone; both null while none has joined. */
  readonly clientId: string | null;
  readonly jkt: string | null;
  readonly risk: Risk;
  readonly requirement: RecoveryRequirement;
  readonly coolingShortenedAtMs: number | null;
  readonly identityFromMs: number | null;
  readonly revision: number;
  readonly claimedBy: string | null;
  readonly claimedAtMs: number | null;
  readonly escalatedAtMs: number | null;
  readonly newDeviceId: string | null;
  readonly limitedUntilMs: number | null;
  readonly isWorkflowClosed: boolean;
  readonly healCount: number;
  readonly ledger: readonly LedgerEntry[];
  readonly policy: Policy;
}

/** undefined: there is no such case. `lock`: the ceremony's row, which every writer of a case takes first, until the transaction ends. */
export async function readRecovery(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
  lock = false,
): Promise<RecoveryRecord | undefined> {
  // A statement of its own: one that waited would see the other tables as they were before.
  if (lock)
    await tx`
      select 1 from ceremony
      where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and kind = 'recovery' for update`;
  const [row] = await tx<RecoveryDbRow[]>`
    select r.*, c.state, c.outcome, c.reason, c.seq, c.epoch, c.locale, c.step_deadline, c.deadline, c.created_at, c.ended_at,
      c.workflow_closed_at, c.heal_count, p.document as policy, latchkey_now() as now
    from ceremony c join recovery r on r.tenant_id = c.tenant_id and r.recovery_id = c.ceremony_id
    join policy p on p.tenant_id = c.tenant_id and p.version = c.policy_version
    where c.tenant_id = ${tenantId} and c.ceremony_id = ${recoveryId} and c.kind = 'recovery'`;
  if (row === undefined) return undefined;
  return toRecord(row, await readLedger(tx, { tenantId, recoveryId }));
}

/** In the order in which they were recorded. What lives on a phone that is reported now, in whatever way it was, proves nothing. */
export async function readLedger(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
): Promise<readonly LedgerEntry[]> {
  const rows = await tx<LedgerDbRow[]>`
    select f.factor_id, f.method, f.handset, f.epoch, f.evidence_id, f.recorded_by_kind, f.recorded_by, f.recorded_employee,
      f.recorded_at, f.confirmed_by, f.voided_at, f.on_reported_handset or d.reported_at is not null as on_reported_handset
    from recovery_factor f left join device d on d.tenant_id = f.tenant_id and d.device_id = f.handset
    where f.tenant_id = ${tenantId} and f.recovery_id = ${recoveryId} order by f.recorded_at, f.factor_id`;
  return rows.map(({ onReportedHandset, recordedAt, voidedAt, ...row }) => ({
    ...row,
    isOnReportedHandset: onReportedHandset,
    isConfirmedBySecondPerson: row.confirmedBy !== null,
    recordedAtMs: recordedAt.getTime(),
    isVoid: voidedAt !== null,
  }));
}

interface LedgerDbRow extends Omit<
  LedgerEntry,
  'isOnReportedHandset' | 'isConfirmedBySecondPerson' | 'recordedAtMs' | 'isVoid'
> {
  readonly onReportedHandset: boolean;
  readonly recordedAt: Date;
  readonly voidedAt: Date | null;
}

interface RecoveryDbRow extends Pick<
  RecoveryRecord,
  | 'tenantId'
  | 'recoveryId'
  | 'customerId'
  | 'epoch'
  | 'seq'
  | 'locale'
  | 'openedByKind'
  | 'openedBy'
  | 'report'
  | 'reportedDeviceId'
  | 'clientId'
  | 'jkt'
  | 'risk'
  | 'revision'
  | 'claimedBy'
  | 'newDeviceId'
  | 'healCount'
  | 'policy'
> {
  readonly state: RecoveryState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: RecoveryReason | null;
  readonly contactsRequired: 1 | 2;
  readonly peopleRequired: 0 | 1 | 2;
  readonly coolingSeconds: number;
  readonly coolingFloorSeconds: number;
  readonly stepDeadline: Date | null;
  readonly deadline: Date;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly reviewDueAt: Date | null;
  readonly coolingFrom: Date | null;
  readonly coolingShortenedAt: Date | null;
  readonly heldAt: Date | null;
  readonly identityFrom: Date | null;
  readonly claimedAt: Date | null;
  readonly escalatedAt: Date | null;
  readonly limitedUntil: Date | null;
  readonly workflowClosedAt: Date | null;
  readonly now: Date;
}

const ms = (date: Date | null): number | null => date?.getTime() ?? null;

function toRecord(row: RecoveryDbRow, ledger: readonly LedgerEntry[]): RecoveryRecord {
  const requirement: RecoveryRequirement = {
    // As the identity vendor proofed the customer at enrollment (domain/recovery-policy.ts): no column could ask for less.
    ledger: { identityStrength: 3, contacts: row.contactsRequired },
    people: row.peopleRequired,
    coolingSeconds: row.coolingSeconds,
    coolingFloorSeconds: row.coolingFloorSeconds,
  };
  const counting = ledger.filter(({ isVoid }) => !isVoid);
  const { tenantId, recoveryId, customerId, epoch, seq, locale, openedByKind, openedBy } = row;
  const { report, reportedDeviceId, clientId, jkt, risk, revision, claimedBy, newDeviceId } = row;
  const { state, outcome, reason, policy, healCount } = row;
  return {
    tenantId,
    recoveryId,
    customerId,
    epoch,
    seq,
    locale,
    openedByKind,
    openedBy,
    report,
    reportedDeviceId,
    clientId,
    jkt,
    risk,
    revision,
    claimedBy,
    newDeviceId,
    state,
    outcome,
    reason,
    policy,
    healCount,
    requirement,
    ledger,
    missing: missingFactors(counting, requirement.ledger, epoch),
    people: requirement.people,
    deadlineMs: row.deadline.getTime(),
    stepDeadlineMs: ms(row.stepDeadline),
    reviewDueMs: ms(row.reviewDueAt),
    coolingFromMs: ms(row.coolingFrom),
    coolingShortenedAtMs: ms(row.coolingShortenedAt),
    heldAtMs: ms(row.heldAt),
    identityFromMs: ms(row.identityFrom),
    createdAtMs: row.createdAt.getTime(),
    endedAtMs: ms(row.endedAt),
    claimedAtMs: ms(row.claimedAt),
    escalatedAtMs: ms(row.escalatedAt),
    limitedUntilMs: ms(row.limitedUntil),
    isWorkflowClosed: row.workflowClosedAt !== null,
    times: recoveryTimes(policy.recovery, requirement),
    maxUpdates: policy.recovery.maxUpdates,
    nowMs: row.now.getTime(),
  };
}

/** What the workflow may know: no key, no customer, no policy. */
export function toSnapshot(record: RecoveryRecord): RecoverySnapshot {
  const { state, outcome, reason, seq, missing, people, times, maxUpdates, nowMs } = record;
  const { deadlineMs, stepDeadlineMs, reviewDueMs, coolingFromMs, heldAtMs } = record;
  return {
    state,
    outcome,
    reason,
    seq,
    missing,
    people,
    times,
    maxUpdates,
    nowMs,
    deadlineMs,
    stepDeadlineMs,
    reviewDueMs,
    coolingFromMs,
    heldAtMs,
  };
}

export async function customerOfRecovery(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
): Promise<string | undefined> {
  const [row] = await tx<{ customerId: string }[]>`
    select customer_id from recovery where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
  return row?.customerId;
}

/** undefined: none is open. A customer never has two. */
export async function openRecoveryOf(
  tx: Tx,
  tenantId: string,
  customerId: string,
): Promise<string | undefined> {
  const [row] = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony
    where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'recovery' and outcome is null`;
  return row?.ceremonyId;
}

/** Its rows have changed: the workflow must look. */
export async function ringRecovery(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
): Promise<void> {
  await enqueue(tx, {
    tenantId,
    topic: 'ceremony.signal',
    subject: recoveryId,
    payload: { ceremonyId: recoveryId, kind: 'recovery', signal: 'changed' },
  });
}

/** What an approval must have seen has changed. Under the case's lock. */
export async function raiseRevision(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
): Promise<void> {
  await tx`
    update recovery set revision = revision + 1 where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
}

/** The last thing a workflow does. The reconciler looks at open ones only. */
export async function markRecoveryClosed(tx: Tx, subject: RecoverySubject): Promise<void> {
  await tx`
    update ceremony set workflow_closed_at = latchkey_now()
    where tenant_id = ${subject.tenantId} and ceremony_id = ${subject.recoveryId} and kind = 'recovery' and outcome is not null
      and workflow_closed_at is null`;
}
