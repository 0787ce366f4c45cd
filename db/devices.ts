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
