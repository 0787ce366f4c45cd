/**
 * A case of recovery as a member of staff sees it: the rows with the names of the people in them, what speaks for care, and what this person may do
 * now. It never holds a contact, a code, a link or a figure of a check, and it decides nothing.
 */
import {
  recoveryDoubts,
  recoveryPermissions,
  type RecoveryDoubt,
  type RecoveryPermissions,
} from '../domain/recovery-desk.ts';
import { EVIDENCE_METHODS, FACTOR_METHODS } from '../domain/factor-ledger.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import type { StaffRole } from '../domain/staff.ts';
import type { Tx } from './connection.ts';
import { hasActiveHold } from './customer-lock.ts';
import { standingApprovals } from './recovery-decisions.ts';
import { livenessAttempts } from './recovery-facts.ts';
import { hasPrepared, isOwnAccount } from './recovery-people.ts';
import { recoveryForStaff, type StaffRecoveryView } from './recovery-view.ts';
import type { RecoveryRecord } from './recovery.ts';
import { readTimeline, type TimelineEntry } from './timeline.ts';

/** More than any case has; the oldest. */
const MAX_ENTRIES = 500;

export interface DeskReader {
  readonly staffId: string;
  readonly employeeId: string;
  readonly roles: readonly StaffRole[];
}

export interface LivenessStanding {
  readonly begun: number;
  readonly left: number;
  readonly failed: number;
  /** Since when a check waits for the vendor; null: none does. */
  readonly waitingSinceMs: number | null;
}

export interface RecoveryOnDesk extends StaffRecoveryView {
  readonly timeline: readonly TimelineEntry[];
  readonly doubts: readonly RecoveryDoubt[];
  readonly permissions: RecoveryPermissions;
  readonly liveness: LivenessStanding;
  /** Of every member of staff who is named in it. */
  readonly names: ReadonlyMap<string, string>;
}

/** undefined: there is no such case. */
export async function recoveryOnDesk(
  tx: Tx,
  subject: RecoverySubject,
  reader: DeskReader,
): Promise<RecoveryOnDesk | undefined> {
  const view = await recoveryForStaff(tx, subject);
  if (view === undefined) return undefined;
  const { record } = view;
  const { tenantId, recoveryId: ceremonyId } = subject;
  const timeline = await readTimeline(tx, { tenantId, ceremonyId, after: 0, limit: MAX_ENTRIES });
  const isOnHold = await hasActiveHold(tx, tenantId, record.customerId);
  const liveness = await livenessStanding(tx, record);
  return {
    ...view,
    timeline,
    liveness,
    doubts: doubtsOf(record, timeline, { isOnHold, failedChecks: liveness.failed }),
    permissions: await permissionsOf(tx, record, reader, isOnHold),
    names: await namesOf(tx, record, timeline),
  };
}

async function permissionsOf(
  tx: Tx,
  record: RecoveryRecord,
  { staffId, employeeId, roles }: DeskReader,
  isOnHold: boolean,
): Promise<RecoveryPermissions> {
  const { others, hasOwn, hasSupervisor } = await standingApprovals(tx, record, employeeId);
  const { claimedBy } = record;
  const waiting = record.ledger.filter(
    ({ method, isVoid, confirmedBy, recordedByKind }) =>
      FACTOR_METHODS[method].needsSecondPerson &&
      !isVoid &&
      confirmedBy === null &&
      recordedByKind === 'staff',
  );
  const own = waiting.filter(({ recordedBy, recordedEmployee }) =>
    isSame({ staffId, employeeId }, recordedBy, recordedEmployee),
  );
  return recoveryPermissions(
    {
      ...record,
      hasPhone: record.jkt !== null,
      isOnHold,
      claim: claimedBy === null ? 'nobody' : claimedBy === staffId ? 'mine' : 'colleague',
      otherApprovals: others,
      hasSupervisorApproved: hasSupervisor,
      unconfirmed: { own: own.length, others: waiting.length - own.length },
    },
    {
      roles,
      isOwnAccount: await isOwnAccount(tx, record, employeeId),
      hasPrepared: await hasPrepared(tx, record, { staffId, employee: employeeId }),
      hasApproved: hasOwn,
    },
    record.nowMs,
  );
}

/** As latchkey_same_person() compares them, or more strictly: only what is shown follows from it. */
function isSame(
  { staffId, employeeId }: Pick<DeskReader, 'staffId' | 'employeeId'>,
  recordedBy: string,
  recordedEmployee: string | null,
): boolean {
  return recordedBy === staffId || recordedEmployee?.toLowerCase() === employeeId.toLowerCase();
}

function doubtsOf(
  { report, risk, openedByKind, requirement, ledger }: RecoveryRecord,
  timeline: readonly TimelineEntry[],
  { isOnHold, failedChecks }: { readonly isOnHold: boolean; readonly failedChecks: number },
): readonly RecoveryDoubt[] {
  const heldBecause = timeline
    .filter(({ action }) => action === 'recovery.held')
    .flatMap(({ detail: { because } }) => (typeof because === 'string' ? [because] : []));
  return recoveryDoubts({
    isOnHold,
    report,
    risk,
    openedByKind,
    contacts: requirement.ledger.contacts,
    hasReportedHandset: ledger.some(({ isOnReportedHandset }) => isOnReportedHandset),
    hasStaffEvidence: ledger.some(({ method }) => EVIDENCE_METHODS.some((one) => one === method)),
    heldBecause,
    failedChecks,
  });
}

async function livenessStanding(tx: Tx, record: RecoveryRecord): Promise<LivenessStanding> {
  const { tenantId, recoveryId, policy } = record;
  const { begun } = await livenessAttempts(tx, record);
  const [row] = await tx<{ failed: number; waitingSince: Date | null }[]>`
    select (count(*) filter (where status not in ('open', 'matched', 'superseded')))::integer as failed,
      max(created_at) filter (where status = 'open') as waiting_since
    from step_attempt
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and method = 'liveness_vendor'`;
  return {
    begun,
    left: Math.max(0, policy.recovery.maxLivenessAttempts - begun),
    failed: row?.failed ?? 0,
    waitingSinceMs: row?.waitingSince?.getTime() ?? null,
  };
}

async function namesOf(
  tx: Tx,
  { tenantId, ledger, openedByKind, openedBy, claimedBy }: RecoveryRecord,
  timeline: readonly TimelineEntry[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set([
    ...timeline.flatMap(({ actorKind, actorId }) => (actorKind === 'staff' ? [actorId] : [])),
    ...ledger.flatMap(({ recordedByKind, recordedBy, confirmedBy }) => [
      ...(recordedByKind === 'staff' ? [recordedBy] : []),
      ...(confirmedBy === null ? [] : [confirmedBy]),
    ]),
    ...(openedByKind === 'staff' ? [openedBy] : []),
    ...(claimedBy === null ? [] : [claimedBy]),
  ]);
  const rows = await tx<{ staffId: string; name: string }[]>`
    select staff_id, name from staff where tenant_id = ${tenantId} and staff_id = any(${[...ids]})`;
  return new Map(rows.map(({ staffId, name }) => [staffId, name]));
}
