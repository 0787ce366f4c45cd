/** Devices as rows, found by the session key that a caller has proved. */
import type { AttestationLevel, DeviceStatus } from '../domain/auth-strength.ts';
import type { Tx } from './connection.ts';

export interface Device {
  readonly deviceId: string;
  readonly customerId: string;
  readonly name: string;
  readonly platform: string;
  readonly status: DeviceStatus;
  readonly attestationLevel: AttestationLevel;
}

/** The device of that session key, whoever it belongs to; a revoked one only when the key has no other. */
export async function deviceOfKey(
  tx: Tx,
  tenantId: string,
  sessionJkt: string,
): Promise<Device | undefined> {
  const [device] = await tx<Device[]>`
    select device_id, customer_id, name, platform, status, attestation_level from device
    where tenant_id = ${tenantId} and session_jkt = ${sessionJkt}
    order by status = 'revoked', created_at desc limit 1`;
  return device;
}

export interface OwnDevice extends Device {
  readonly model: string | null;
  readonly reportedAs: string | null;
  readonly trustedAtMs: number | null;
}

export interface OwnPasskey {
  readonly credentialId: string;
  readonly deviceId: string;
  readonly status: 'active' | 'suspended';
  readonly isSynced: boolean;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
}

/** More than anybody has; the youngest. */
const MAX_DEVICES = 50;
const MAX_PASSKEYS = 100;

/** What has not been revoked, with its passkeys that have not. */
export async function devicesOfCustomer(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<{ readonly devices: readonly OwnDevice[]; readonly passkeys: readonly OwnPasskey[] }> {
  const devices = await tx<(Omit<OwnDevice, 'trustedAtMs'> & { trustedAt: Date | null })[]>`
    select device_id, customer_id, name, platform, model, status, reported_as, attestation_level, trusted_at from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'revoked'
    order by device_id desc limit ${MAX_DEVICES}`;
  const passkeys = await tx<
    (Omit<OwnPasskey, 'createdAtMs' | 'lastUsedAtMs'> & {
      readonly createdAt: Date;
      readonly lastUsedAt: Date | null;
    })[]
  >`
    select credential_id, device_id, status, backed_up as is_synced, created_at, last_used_at from credential
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'revoked'
    order by credential_id desc limit ${MAX_PASSKEYS}`;
  return {
    devices: devices.map(({ trustedAt, ...row }) => ({
      ...row,
      trustedAtMs: trustedAt?.getTime() ?? null,
    })),
    passkeys: passkeys.map(({ createdAt, lastUsedAt, ...row }) => ({
      ...row,
      createdAtMs: createdAt.getTime(),
      lastUsedAtMs: lastUsedAt?.getTime() ?? null,
    })),
  };
}

/** What approvals of that device are verified with. */
export async function approvalKeyOf(
  tx: Tx,
  { tenantId, deviceId }: { readonly tenantId: string; readonly deviceId: string },
): Promise<
  { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string } | undefined
> {
  const [row] = await tx<
    {
      approvalJwk: {
        readonly kty: 'EC';
        readonly crv: 'P-256';
        readonly x: string;
        readonly y: string;
      };
    }[]
  >`
    select approval_jwk from device where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  return row?.approvalJwk;
}

/** What staff are told of the device that proved its owner; whatever its status is now. */
export async function provingDevice(
  tx: Tx,
  { tenantId, deviceId }: { readonly tenantId: string; readonly deviceId: string },
): Promise<{ readonly name: string; readonly trustedAtMs: number | null } | undefined> {
  const [row] = await tx<{ name: string; trustedAt: Date | null }[]>`
    select name, trusted_at from device where tenant_id = ${tenantId} and device_id = ${deviceId}`;
  return row === undefined
    ? undefined
    : { name: row.name, trustedAtMs: row.trustedAt?.getTime() ?? null };
}
