/**
 * A device reported lost or stolen, and the report lifted. A reported device only reads: its sessions stay, and every check that joins it sees so
 * at once. Each is one transaction that touches the customer's row first, and writes device, audit, event and notice. Lock order is
 * customer → device → session → ceremony.
 */
import type { DeviceStatus } from '../domain/auth-strength.ts';
import { judgeLift, judgeReport, type DeviceReport } from '../domain/device-reports.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { appendAudit, type Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { touchCustomer } from './customer-lock.ts';
import { isSamePerson, ownerOfDevice, standsOn, type Changer } from './device-changes.ts';
import { enqueue } from './outbox.ts';
import { provedCall } from './verified-calls.ts';

export interface ReportedDevice {
  readonly deviceId: string;
  readonly customerId: string;
  readonly status: DeviceStatus;
}

interface DeviceRow {
  readonly customerId: string;
  readonly status: DeviceStatus;
  readonly suspendedFrom: DeviceStatus | null;
  readonly restrictedFrom: 'untrusted' | 'trusted' | null;
  readonly reportedAs: DeviceReport | null;
  readonly reportedBy: string | null;
}

export interface DeviceReportArguments {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly as: DeviceReport;
  /** `system` is a ceremony, named by its id. */
  readonly by: Actor & { readonly kind: 'customer' | 'staff' | 'system' };
  /** Whose it must be. */
  readonly customerId: string;
  readonly ceremonyId?: string | undefined;
  /** Picked by staff. */
  readonly because?: string | undefined;
  /** The call in which the caller proved himself to staff. */
  readonly callId?: string | undefined;
}

/**
 * For a report that its caller has already found believable: one contact or the caller is proved in this very transaction, or before. A report
 * that stands stays as it was first made, but for lost becoming stolen. Takes the customer's row, so call it before any ceremony is locked.
 * @throws LatchkeyError not_found, device_ended, device_not_allowed
 */
export async function restrictReportedDevice(
  tx: Tx,
  args: DeviceReportArguments,
): Promise<ReportedDevice> {
  const { tenantId, deviceId, customerId, as } = args;
  await touchCustomer(tx, tenantId, customerId);
  const device = await lockDevice(tx, tenantId, deviceId);
  if (device?.customerId !== customerId) throw new LatchkeyError('not_found');
  const judged = judgeReport(device, as);
  if ('refused' in judged) throw new LatchkeyError(judged.refused);
  if ('stays' in judged) return { deviceId, customerId, status: device.status };
  await tx`
    update device set status = ${judged.status}, suspended_from = ${judged.suspendedFrom}, restricted_from = ${judged.restrictedFrom},
      reported_as = ${as}, reported_at = coalesce(reported_at, latchkey_now()), reported_by = coalesce(reported_by, ${args.by.id})
    where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  await tellReport(tx, args);
  return { deviceId, customerId, status: judged.status };
}

async function tellReport(tx: Tx, args: DeviceReportArguments): Promise<void> {
  const { tenantId, deviceId, customerId, by, as, because, callId, ceremonyId } = args;
  await appendAudit(tx, {
    tenantId,
    actor: by,
    action: 'device.reported',
    subject: { kind: 'device', id: deviceId },
    customerId,
    ceremonyId,
    detail: {
      reportedAs: as,
      ...(because === undefined ? {} : { because }),
      ...(callId === undefined ? {} : { callId }),
    },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.device_restricted',
      data: { customerId, deviceId, by: by.kind, reportedAs: as },
    },
  });
  await notifyCustomer(tx, { tenantId, customerId, template: 'device_reported' });
}

/**
 * The device may do again what it could before. Only after touchCustomer(), and after the caller judged the owner's session under that lock.
 * @throws LatchkeyError not_found, other_device_needed, device_ended, four_eyes_required
 */
export async function liftReport(
  tx: Tx,
  args: { readonly tenantId: string; readonly deviceId: string; readonly by: Changer },
): Promise<ReportedDevice> {
  const { tenantId, deviceId, by } = args;
  const device = await lockDevice(tx, tenantId, deviceId);
  if (device === undefined || (by.kind === 'owner' && by.customerId !== device.customerId))
    throw new LatchkeyError('not_found');
  const judged = judgeLift(device, {
    isOwnersOwn: by.kind === 'owner' && (await standsOn(tx, tenantId, deviceId, by)),
    isOwnReport:
      by.kind === 'staff' && (await isSamePerson(tx, tenantId, by.staffId, device.reportedBy)),
  });
  if ('refused' in judged) throw new LatchkeyError(judged.refused);
  const { customerId } = device;
  if ('stays' in judged) return { deviceId, customerId, status: device.status };
  await tx`
    update device set status = ${judged.status}, suspended_from = ${judged.suspendedFrom}, restricted_from = null,
      reported_as = null, reported_at = null, reported_by = null
    where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  const actor =
    by.kind === 'owner'
      ? ({ kind: 'customer', id: customerId } as const)
      : ({ kind: 'staff', id: by.staffId } as const);
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'device.report_lifted',
    subject: { kind: 'device', id: deviceId },
    customerId,
    detail: by.kind === 'staff' ? { because: by.because } : {},
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.report_lifted',
      data: { customerId, deviceId, by: actor.kind },
    },
  });
  await notifyCustomer(tx, { tenantId, customerId, template: 'report_lifted' });
  return { deviceId, customerId, status: judged.status };
}

/** How staff lift a report: the lock first. @throws LatchkeyError as liftReport does */
export async function liftReportByStaff(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly deviceId: string;
    readonly staffId: string;
    readonly because: string;
  },
): Promise<ReportedDevice> {
  const { tenantId, deviceId, staffId, because } = args;
  const owner = await ownerOfDevice(tx, tenantId, deviceId);
  if (owner === undefined) throw new LatchkeyError('not_found');
  await touchCustomer(tx, tenantId, owner);
  return await liftReport(tx, { tenantId, deviceId, by: { kind: 'staff', staffId, because } });
}

/**
 * How staff report a device for a customer who is on the line. A call that is named must have been approved by that customer, lately.
 * @throws LatchkeyError not_found, device_ended, device_not_allowed, caller_not_proved
 */
export async function reportByStaff(
  tx: Tx,
  args: Omit<DeviceReportArguments, 'customerId' | 'by'> & { readonly staffId: string },
): Promise<ReportedDevice> {
  const { tenantId, deviceId, staffId, callId, ...report } = args;
  const customerId = await ownerOfDevice(tx, tenantId, deviceId);
  if (customerId === undefined) throw new LatchkeyError('not_found');
  if (callId !== undefined && !(await provedCall(tx, { tenantId, customerId, callId })))
    throw new LatchkeyError('caller_not_proved');
  const by = { kind: 'staff', id: staffId } as const;
  return await restrictReportedDevice(tx, {
    ...report,
    tenantId,
    deviceId,
    customerId,
    callId,
    by,
  });
}

async function lockDevice(
  tx: Tx,
  tenantId: string,
  deviceId: string,
): Promise<DeviceRow | undefined> {
  const [row] = await tx<DeviceRow[]>`
    select customer_id, status, suspended_from, restricted_from, reported_as, reported_by from device
    where tenant_id = ${tenantId} and device_id = ${deviceId} for update`;
  return row;
}
