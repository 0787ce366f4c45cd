/**
 * The beginning of a case, or the joining of the one that is open: a contact has answered, or staff have the caller on the line. One
 * transaction: case, requirement, reported device, audit, event, start of the workflow. Lock order: customer → device → ceremony.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { Risk } from '../domain/ports.ts';
import { graverRisk, recoveryRequirement, type RecoveryPolicy } from '../domain/recovery-policy.ts';
import type { RecoveryReport, RecoverySubject } from '../domain/recovery.ts';
import { appendAudit, type Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { hasActiveHold, touchCustomer } from './customer-lock.ts';
import { restrictReportedDevice } from './device-reports.ts';
import { enqueue } from './outbox.ts';
import { activePolicy } from './policies.ts';
import { voidIdentity } from './recovery-effects.ts';
import { isReachedByReported, phoneOfNumber, tightenRequirement } from './recovery-ledger.ts';
import { moveRecovery } from './recovery-moves.ts';
import {
  openRecoveryOf,
  raiseRevision,
  readRecovery,
  type RecoveryRecord,
  type RecoveryTools,
} from './recovery.ts';

export interface OpenRecovery {
  readonly tenantId: string;
  readonly customerId: string;
  /** `id` of a customer is the contact that answered. */
  readonly by: { readonly kind: 'customer' | 'staff'; readonly id: string };
  /** Of the new phone, where one asks. */
  readonly phone?: { readonly clientId: string; readonly jkt: string } | undefined;
  readonly report: RecoveryReport;
  /** Left out: the customer's only one, where there is only one. */
  readonly reportedDeviceId?: string | undefined;
  readonly risk: Risk;
}

export interface OpenedRecovery {
  readonly recoveryId: string;
  /** There was one already. */
  readonly joined: boolean;
  /** false: another phone has the case, and somebody has to look. */
  readonly isItsPhone: boolean;
}

/** @throws LatchkeyError not_found: no active customer, or no such device of his. */
export async function openRecovery(
  tx: Tx,
  tools: RecoveryTools,
  args: OpenRecovery,
): Promise<OpenedRecovery> {
  const { tenantId, customerId, report } = args;
  await touchCustomer(tx, tenantId, customerId);
  const [customer] = await tx<{ status: string; securityEpoch: number; locale: string }[]>`
    select status, security_epoch, locale from customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  if (customer?.status !== 'active') throw new LatchkeyError('not_found');
  const reportedDeviceId = args.reportedDeviceId ?? (await phoneOfNumber(tx, args)) ?? undefined;
  const known = await openRecoveryOf(tx, tenantId, customerId);
  const recoveryId = known ?? tools.newId('ceremony');
  const actor: Actor =
    args.by.kind === 'staff'
      ? { kind: 'staff', id: args.by.id }
      : { kind: 'customer', id: customerId };
  if (reportedDeviceId !== undefined && (report === 'lost' || report === 'stolen'))
    await restrict(tx, { ...args, reportedDeviceId, recoveryId, report, actor });
  if (known !== undefined)
    return await join(tx, { ...args, reportedDeviceId }, { tenantId, recoveryId: known });
  await insertRecovery(tx, { ...args, reportedDeviceId, recoveryId, ...customer }, actor);
  if (await hasActiveHold(tx, tenantId, customerId)) await beginHeld(tx, args, recoveryId);
  return { recoveryId, joined: false, isItsPhone: args.phone !== undefined };
}

async function restrict(
  tx: Tx,
  args: OpenRecovery & {
    readonly reportedDeviceId: string;
    readonly recoveryId: string;
    readonly report: 'lost' | 'stolen';
    readonly actor: Actor;
  },
): Promise<void> {
  const { tenantId, customerId, reportedDeviceId: deviceId, recoveryId, report, by } = args;
  await restrictReportedDevice(tx, {
    tenantId,
    deviceId,
    customerId,
    as: report,
    by: by.kind === 'staff' ? { kind: 'staff', id: by.id } : { kind: 'system', id: recoveryId },
    ...(by.kind === 'staff' ? {} : { ceremonyId: recoveryId }),
  });
}

type NewRecovery = OpenRecovery & {
  readonly recoveryId: string;
  readonly reportedDeviceId: string | undefined;
  readonly securityEpoch: number;
  readonly locale: string;
};

async function insertRecovery(tx: Tx, args: NewRecovery, actor: Actor): Promise<void> {
  const { tenantId, customerId, recoveryId, by, phone, report, risk, reportedDeviceId } = args;
  const { version, document: policy } = await activePolicy(tx, tenantId);
  const { ledger, people, coolingSeconds, coolingFloorSeconds } = recoveryRequirement(
    policy.recovery,
    {
      risk,
      isStolen: report === 'stolen',
      hasRecentChange: await hasRecentChange(tx, args, policy.recovery),
      isByEvidence: false,
    },
  );
  await tx`
    insert into ceremony (tenant_id, ceremony_id, kind, customer_id, state, epoch, policy_version, locale, deadline, created_at)
    select ${tenantId}, ${recoveryId}, 'recovery', ${customerId}, 'starting', ${args.securityEpoch}, ${version}, ${args.locale},
      t.now + make_interval(secs => ${policy.recovery.abandonSeconds}), t.now
    from (select latchkey_now() as now offset 0) t`;
  await tx`
    insert into recovery (tenant_id, recovery_id, customer_id, opened_by_kind, opened_by, report, reported_device_id, client_id, jkt, risk,
      contacts_required, people_required, cooling_seconds, cooling_floor_seconds)
    values (${tenantId}, ${recoveryId}, ${customerId}, ${by.kind}, ${by.id}, ${report}, ${reportedDeviceId ?? null},
      ${phone?.clientId ?? null}, ${phone?.jkt ?? null}, ${risk}, ${ledger.contacts}, ${people}, ${coolingSeconds}, ${coolingFloorSeconds})`;
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'recovery.opened',
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: {
      report,
      risk,
      policyVersion: version,
      people,
      contacts: ledger.contacts,
      coolingSeconds,
    },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'ceremony.start',
    subject: recoveryId,
    payload: { ceremonyId: recoveryId, kind: 'recovery' },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.recovery_opened',
      data: { customerId, recoveryId, openedBy: by.kind, report },
    },
  });
}

/** A contact or a device younger than the policy's days: somebody may have prepared this. */
async function hasRecentChange(
  tx: Tx,
  { tenantId, customerId }: OpenRecovery,
  { recentChangeSeconds }: RecoveryPolicy,
): Promise<boolean> {
  const rows = await tx`
    with t as materialized (select latchkey_now() - make_interval(secs => ${recentChangeSeconds}) as since)
    select 1 from contact, t
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'unproved' and coalesce(proved_at, created_at) > t.since
    union all
    select 1 from device, t
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'pending' and coalesce(trusted_at, created_at) > t.since
    limit 1`;
  return rows.length > 0;
}

/** The hold says what fraud said: the case waits from its first moment, and the owner is told of it all the same. */
async function beginHeld(
  tx: Tx,
  { tenantId, customerId }: OpenRecovery,
  recoveryId: string,
): Promise<void> {
  await notifyCustomer(tx, { tenantId, customerId, recoveryId, template: 'recovery_opened' });
  await moveRecovery(tx, {
    subject: { tenantId, recoveryId },
    event: 'fraud_signalled',
    actor: { kind: 'system', id: recoveryId },
  });
}

/** What is said of the old phone, and what the risk engine thinks, may get worse and never better; another phone never takes what was proved of the one before. */
async function join(
  tx: Tx,
  args: OpenRecovery & { readonly reportedDeviceId: string | undefined },
  subject: RecoverySubject,
): Promise<OpenedRecovery> {
  const record = await readRecovery(tx, subject, true);
  if (record === undefined) throw new TypeError('an open case has its row');
  await worsen(tx, record, args);
  const isItsPhone = await joinPhone(tx, record, args);
  return { recoveryId: subject.recoveryId, joined: true, isItsPhone };
}

const GRAVITY = { replaced: 0, broken: 0, lost: 1, stolen: 2 } as const;

async function worsen(
  tx: Tx,
  record: RecoveryRecord,
  args: OpenRecovery & { readonly reportedDeviceId: string | undefined },
): Promise<void> {
  const { tenantId, recoveryId } = record;
  const report = GRAVITY[args.report] > GRAVITY[record.report] ? args.report : record.report;
  const reportedDeviceId = record.reportedDeviceId ?? args.reportedDeviceId ?? null;
  // Staff ask no engine: that they join says nothing of it.
  const risk = args.by.kind === 'staff' ? record.risk : graverRisk(record.risk, args.risk);
  const isReportWorse = report !== record.report || reportedDeviceId !== record.reportedDeviceId;
  if (!isReportWorse && risk === record.risk) return;
  await tx`
    update recovery set report = ${report}, reported_device_id = ${reportedDeviceId}, risk = ${risk}
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
  const changed = { ...record, report, reportedDeviceId, risk };
  if (isReportWorse) await markReached(tx, changed);
  await tightenRequirement(tx, changed, {});
}

/** What lives on the reported phone, or reaches it, counts for what it is from then on. */
async function markReached(tx: Tx, changed: RecoveryRecord): Promise<void> {
  const { tenantId, recoveryId } = changed;
  const reached = changed.ledger
    .filter(({ method, handset }) => isReachedByReported(changed, method, handset))
    .map(({ factorId }) => factorId);
  await tx`
    update recovery_factor set on_reported_handset = true
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and factor_id = any(${reached})`;
  await raiseRevision(tx, changed);
}

/** Answers whether the case is this phone's now. */
async function joinPhone(
  tx: Tx,
  record: RecoveryRecord,
  { phone, customerId }: OpenRecovery,
): Promise<boolean> {
  const { tenantId, recoveryId, state, jkt } = record;
  if (phone === undefined || phone.jkt === jkt) return phone !== undefined;
  const isEarly = state === 'starting' || state === 'contact' || state === 'identity';
  if (!isEarly) {
    // Two phones want one account and one of them was proved: somebody has to look, and neither gets it meanwhile.
    if (state !== 'held')
      await moveRecovery(tx, {
        subject: { tenantId, recoveryId },
        event: 'veto_doubted',
        actor: { kind: 'customer', id: customerId },
        because: 'another_phone',
      });
    return false;
  }
  await tx`
    update recovery set client_id = ${phone.clientId}, jkt = ${phone.jkt}
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId}`;
  // What the customer proved was proved for the phone that asked. What staff heard by calling back was not.
  if (jkt !== null)
    await tx`
      update recovery_factor set voided_at = latchkey_now()
      where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and voided_at is null and recorded_by_kind = 'customer'`;
  await voidIdentity(tx, record);
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'recovery.phone_joined',
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: { isAnother: jkt !== null },
  });
  return true;
}
