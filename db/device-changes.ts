/**
 * A device suspended, resumed or revoked, and a passkey revoked, by the customer or by staff: each one transaction that touches the customer's
 * row first, moves the row, ends what stood on it, and writes audit, event and notice. No epoch is raised: every check joins these rows.
 * Lock order is customer → device → session.
 */
import type { DeviceStatus } from '../domain/auth-strength.ts';
import { judgeDeviceChange, type DeviceAction } from '../domain/device-changes.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { SessionEndReason } from '../domain/session.ts';
import { appendAudit, type Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { touchCustomer } from './customer-lock.ts';
import { enqueue } from './outbox.ts';
import { endSessions } from './session-ends.ts';

/** Who asks. An owner's session stands, and on what, is for the caller of these functions to have judged under the customer's lock. */
export type Changer =
  | {
      readonly kind: 'owner';
      readonly customerId: string;
      readonly deviceId: string | undefined;
      readonly credentialId: string;
    }
  | { readonly kind: 'staff'; readonly staffId: string; readonly because: string };

export interface ChangedDevice {
  readonly deviceId: string;
  readonly customerId: string;
  readonly status: DeviceStatus;
  readonly sessionsEnded: number;
}

interface DeviceRow {
  readonly customerId: string;
  readonly status: DeviceStatus;
  readonly suspendedBy: string | null;
  readonly suspendedFrom: DeviceStatus | null;
}

const DONE = { suspend: 'suspended', resume: 'resumed', revoke: 'revoked' } as const;

/** The customer of a device; for the lock that comes first. undefined: there is no such device. */
export async function ownerOfDevice(
  tx: Tx,
  tenantId: string,
  deviceId: string,
): Promise<string | undefined> {
  const [row] = await tx<{ customerId: string }[]>`
    select customer_id from device where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  return row?.customerId;
}

/**
 * Only after touchCustomer(). What is so already is answered as it stands.
 * @throws LatchkeyError not_found, other_device_needed, device_ended, caller_not_allowed, four_eyes_required
 */
export async function changeDevice(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly deviceId: string;
    readonly action: DeviceAction;
    readonly by: Changer;
  },
): Promise<ChangedDevice> {
  const { tenantId, deviceId, action, by } = args;
  const device = await lockDevice(tx, tenantId, deviceId);
  if (device === undefined || (by.kind === 'owner' && by.customerId !== device.customerId))
    throw new LatchkeyError('not_found');
  const change = judgeDeviceChange(action, by.kind, {
    ...device,
    isOwnersOwn: by.kind === 'owner' && (await standsOn(tx, tenantId, deviceId, by)),
    isOwnSuspension:
      by.kind === 'staff' && (await isSamePerson(tx, tenantId, by.staffId, device.suspendedBy)),
  });
  if ('refused' in change) throw new LatchkeyError(change.refused);
  const { customerId } = device;
  if ('stays' in change) return { deviceId, customerId, status: change.stays, sessionsEnded: 0 };
  await moveDevice(tx, args, change.becomes);
  const ended = await endWhatStandsOnIt(tx, args, customerId);
  await tell(tx, args, { customerId, sessionsEnded: ended });
  return { deviceId, customerId, status: change.becomes, sessionsEnded: ended };
}

async function lockDevice(
  tx: Tx,
  tenantId: string,
  deviceId: string,
): Promise<DeviceRow | undefined> {
  const [row] = await tx<DeviceRow[]>`
    select customer_id, status, suspended_by, suspended_from from device
    where tenant_id = ${tenantId} and device_id = ${deviceId} for update`;
  return row;
}

/** Whether the owner's session stands on that device, by its key or by one of its passkeys. */
export async function standsOn(
  tx: Tx,
  tenantId: string,
  deviceId: string,
  by: Extract<Changer, { kind: 'owner' }>,
): Promise<boolean> {
  if (by.deviceId === deviceId) return true;
  const rows = await tx`
    select 1 from credential
    where tenant_id = ${tenantId} and credential_id = ${by.credentialId} and device_id = ${deviceId}`;
  return rows.length > 0;
}

/** Two accounts of one person have one employee id. */
export async function isSamePerson(
  tx: Tx,
  tenantId: string,
  staffId: string,
  other: string | null,
): Promise<boolean> {
  const rows = await tx`
    select 1 from staff one, staff other
    where one.tenant_id = ${tenantId} and one.staff_id = ${staffId}
      and other.tenant_id = ${tenantId} and other.staff_id = ${other}
      and latchkey_same_person(one.employee_id, other.employee_id)`;
  return rows.length > 0;
}

/** The passkeys that were made on it go the way of the device, and come back only with it. */
async function moveDevice(
  tx: Tx,
  { tenantId, deviceId, action, by }: Parameters<typeof changeDevice>[1],
  becomes: DeviceStatus,
): Promise<void> {
  const suspendedBy = by.kind === 'owner' ? by.customerId : by.staffId;
  switch (action) {
    case 'suspend':
      await tx`
        update device set status = ${becomes}, suspended_from = coalesce(suspended_from, status), suspended_by = ${suspendedBy}
        where tenant_id = ${tenantId} and device_id = ${deviceId}`;
      await tx`
        update credential set status = 'suspended', suspended_by = ${deviceId}
        where tenant_id = ${tenantId} and device_id = ${deviceId} and status <> 'revoked'`;
      return;
    case 'resume':
      await tx`
        update device set status = ${becomes}, suspended_from = null, suspended_by = null
        where tenant_id = ${tenantId} and device_id = ${deviceId}`;
      await tx`
        update credential set status = 'active', suspended_by = null
        where tenant_id = ${tenantId} and device_id = ${deviceId} and status = 'suspended' and suspended_by = ${deviceId}`;
      return;
    case 'revoke':
      await tx`
        update device set status = ${becomes}, ended_at = latchkey_now(), suspended_from = null, suspended_by = null
        where tenant_id = ${tenantId} and device_id = ${deviceId}`;
      await tx`
        update credential set status = 'revoked', suspended_by = null
        where tenant_id = ${tenantId} and device_id = ${deviceId} and status <> 'revoked'`;
  }
}

const END_REASONS = {
  suspend: 'device_suspended',
  revoke: 'device_revoked',
} as const satisfies Partial<Record<DeviceAction, SessionEndReason>>;

async function endWhatStandsOnIt(
  tx: Tx,
  { tenantId, deviceId, action, by }: Parameters<typeof changeDevice>[1],
  customerId: string,
): Promise<number> {
  if (action === 'resume') return 0;
  const ended = await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { ofDevice: deviceId },
    reason: END_REASONS[action],
    actor: actorOf(by),
    ...(by.kind === 'staff' ? { because: by.because } : {}),
  });
  return ended.length;
}

async function tell(
  tx: Tx,
  { tenantId, deviceId, action, by }: Parameters<typeof changeDevice>[1],
  { customerId, sessionsEnded }: { readonly customerId: string; readonly sessionsEnded: number },
): Promise<void> {
  const done = DONE[action];
  const because = by.kind === 'staff' ? { because: by.because } : {};
  await appendAudit(tx, {
    tenantId,
    actor: actorOf(by),
    action: `device.${done}`,
    subject: { kind: 'device', id: deviceId },
    customerId,
    detail: { deviceId, sessionsEnded, ...because },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: `bank.app.device_${done}`,
      data: { customerId, deviceId, by: actorOf(by).kind, sessionsEnded },
    },
  });
  const template = action === 'resume' ? 'device_resumed' : 'device_stopped';
  await notifyCustomer(tx, { tenantId, customerId, template });
}

function actorOf(by: Changer): Actor & { readonly kind: 'customer' | 'staff' } {
  return by.kind === 'owner'
    ? { kind: 'customer', id: by.customerId }
    : { kind: 'staff', id: by.staffId };
}

/**
 * A passkey removed for ever by its owner, from a session that another passkey began. Only after touchCustomer().
 * @throws LatchkeyError not_found, last_credential, other_device_needed
 */
export async function revokeCredential(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly credentialId: string;
    readonly by: Extract<Changer, { kind: 'owner' }>;
  },
): Promise<{ readonly sessionsEnded: number }> {
  const { tenantId, credentialId, by } = args;
  const { customerId } = by;
  const passkeys = await tx<{ credentialId: string; deviceId: string; status: string }[]>`
    select credential_id, device_id, status from credential
    where tenant_id = ${tenantId} and customer_id = ${customerId} order by credential_id for update`;
  const target = passkeys.find((passkey) => passkey.credentialId === credentialId);
  if (target === undefined) throw new LatchkeyError('not_found');
  if (target.status === 'revoked') return { sessionsEnded: 0 };
  if (credentialId === by.credentialId) {
    const others = passkeys.filter((passkey) => passkey !== target && passkey.status === 'active');
    throw new LatchkeyError(others.length === 0 ? 'last_credential' : 'other_device_needed');
  }
  await tx`
    update credential set status = 'revoked', suspended_by = null
    where tenant_id = ${tenantId} and credential_id = ${credentialId}`;
  const actor = actorOf(by);
  const ended = await endSessions(tx, {
    tenantId,
    customerId,
    sessions: { ofCredential: credentialId },
    reason: 'credential_revoked',
    actor,
  });
  const { deviceId } = target;
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'credential.revoked',
    subject: { kind: 'credential', id: credentialId },
    customerId,
    detail: { deviceId, sessionsEnded: ended.length },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.credential_revoked',
      data: { customerId, credentialId, deviceId, sessionsEnded: ended.length },
    },
  });
  await notifyCustomer(tx, { tenantId, customerId, template: 'passkey_removed' });
  return { sessionsEnded: ended.length };
}

/** How staff change a device: the lock first. @throws LatchkeyError as changeDevice does */
export async function changeDeviceByStaff(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly deviceId: string;
    readonly action: DeviceAction;
    readonly staffId: string;
    readonly because: string;
  },
): Promise<ChangedDevice> {
  const { staffId, because, ...change } = args;
  const owner = await ownerOfDevice(tx, args.tenantId, args.deviceId);
  if (owner === undefined) throw new LatchkeyError('not_found');
  await touchCustomer(tx, args.tenantId, owner);
  return await changeDevice(tx, { ...change, by: { kind: 'staff', staffId, because } });
}
