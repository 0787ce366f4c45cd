/** A case of recovery in the words of the operations door: masked, with the names of staff and codes where the audit trail holds more. */
import { FACTOR_METHODS } from '../../domain/factor-ledger.ts';
import { RECOVERY_ACTIONS } from '../../domain/recovery-desk.ts';
import { coolingOverMs, nextDueMs } from '../../domain/recovery.ts';
import type { RecoveryOnDesk } from '../../db/recovery-desk.ts';
import type { CustomerEntry } from '../../db/staff-desk.ts';
import type { TimelineEntry } from '../../db/timeline.ts';
import { staffMasks } from '../enrollment/contacts.ts';
import { isoTime } from '../iso-time.ts';
import type { RecoveryCaseView } from '../schemas/staff-recoveries.ts';

export function caseView(
  desk: RecoveryOnDesk,
  customer: CustomerEntry,
  staffId: string,
): RecoveryCaseView {
  const { record, liveness, names } = desk;
  const { claimedBy } = record;
  return {
    ...clocksOf(record),
    recoveryId: record.recoveryId,
    revision: record.revision,
    state: record.state,
    outcome: record.outcome,
    reason: record.reason,
    report: record.report,
    risk: record.risk,
    doubts: [...desk.doubts],
    customer: maskedCustomer(customer),
    devices: customer.devices.map(({ deviceId, name, platform, status }) => ({
      deviceId,
      name,
      platform,
      status,
      isReported: deviceId === record.reportedDeviceId,
      isNew: deviceId === record.newDeviceId,
    })),
    openedBy: {
      kind: record.openedByKind,
      name: record.openedByKind === 'staff' ? (names.get(record.openedBy) ?? null) : null,
    },
    claimedBy: claimedBy === null ? null : { staffId: claimedBy, name: names.get(claimedBy) ?? '' },
    isMine: claimedBy === staffId,
    hasPhone: record.jkt !== null,
    needed: {
      contacts: record.requirement.ledger.contacts,
      people: record.people,
      approved: desk.approvers,
      coolingSeconds: record.requirement.coolingSeconds,
      missing: [...record.missing],
    },
    liveness: {
      begun: liveness.begun,
      left: liveness.left,
      failed: liveness.failed,
      waitingSince: isoTime(liveness.waitingSinceMs),
    },
    ledger: ledgerView(desk),
    timeline: desk.timeline.map((entry) => entryView(entry, names)),
    actions: RECOVERY_ACTIONS.map((action) => ({ action, because: desk.permissions[action] })),
  };
}

function clocksOf(record: RecoveryOnDesk['record']) {
  const dueMs = nextDueMs(record);
  return {
    asOf: isoTime(record.nowMs),
    openedAt: isoTime(record.createdAtMs),
    endedAt: isoTime(record.endedAtMs),
    endsAt: isoTime(record.deadlineMs),
    dueAt: isoTime(Number.isFinite(dueMs) ? dueMs : null),
    reviewDueAt: isoTime(record.reviewDueMs),
    escalatedAt: isoTime(record.escalatedAtMs),
    heldAt: isoTime(record.heldAtMs),
    coolingOverAt: isoTime(record.state === 'cooling' ? coolingOverMs(record) : null),
    limitedUntil: isoTime(record.limitedUntilMs),
  };
}

function maskedCustomer({ customerId, givenName, contacts, hold }: CustomerEntry) {
  return {
    customerId,
    givenName: givenName === undefined ? null : staffMasks.name(givenName),
    phone: contacts.phone === undefined ? null : staffMasks.phone(contacts.phone),
    email: contacts.email === undefined ? null : staffMasks.email(contacts.email),
    isOnHold: hold !== undefined,
  };
}

function ledgerView({ ledger, record, names }: RecoveryOnDesk): RecoveryCaseView['ledger'] {
  const onReported = new Set(
    record.ledger
      .filter(({ isOnReportedHandset }) => isOnReportedHandset)
      .map(({ factorId }) => factorId),
  );
  return ledger.map(({ recordedByKind, recordedBy, recordedAtMs, confirmedBy, ...entry }) => ({
    factorId: entry.factorId,
    method: entry.method,
    channel: FACTOR_METHODS[entry.method].channel,
    strength: entry.strength,
    recordedBy: {
      kind: recordedByKind,
      name: recordedByKind === 'staff' ? (names.get(recordedBy) ?? null) : null,
    },
    recordedAt: isoTime(recordedAtMs),
    confirmedBy: confirmedBy === null ? null : (names.get(confirmedBy) ?? ''),
    needsSecondPerson: FACTOR_METHODS[entry.method].needsSecondPerson,
    isVoid: entry.isVoid,
    isOnReportedPhone: onReported.has(entry.factorId),
  }));
}

/** What of an entry's detail is shown: codes and figures of the policy, by name. */
const SHOWN = [
  'event',
  'from',
  'to',
  'outcome',
  'reason',
  'because',
  'method',
  'report',
  'risk',
  'people',
  'revision',
  'status',
  'verdict',
] as const;

function entryView(
  { position, atMs, action, actorKind, actorId, detail }: TimelineEntry,
  names: ReadonlyMap<string, string>,
): RecoveryCaseView['timeline'][number] {
  const shown = SHOWN.flatMap((name) => {
    const value = detail[name];
    return typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [];
  });
  return {
    position,
    at: isoTime(atMs),
    action,
    by: { kind: actorKind, name: actorKind === 'staff' ? (names.get(actorId) ?? null) : null },
    detail: Object.fromEntries(shown),
  };
}
