/** Passkeys as rows: their counters moved by compare-and-set only. Found by db/login-lookup.ts. */
import type { Tx } from './connection.ts';

export interface Credential {
  readonly credentialId: string;
  readonly customerId: string;
  readonly deviceId: string;
  readonly webauthnId: string;
  readonly publicKey: Uint8Array;
  readonly userHandle: Uint8Array;
  readonly transports: readonly string[];
  readonly status: 'active' | 'suspended' | 'revoked';
}

/**
 * Notes one use of an active passkey. `regressed`: its counter did not move forward, a sign of a copy (WebAuthn Level 3 section 6.1.1); the
 * row keeps the higher one. Authenticators that do not count always show 0. `inactive`: it may not be used.
 */
export async function useCredential(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly credentialId: string;
    readonly signCount: number;
    readonly isBackedUp: boolean;
  },
): Promise<'used' | 'regressed' | 'inactive'> {
  const { tenantId, credentialId, signCount, isBackedUp } = args;
  const moved = await tx`
    update credential set sign_count = ${signCount}, last_used_at = latchkey_now(), backed_up = ${isBackedUp}
    where tenant_id = ${tenantId} and credential_id = ${credentialId} and status = 'active'
      and (sign_count < ${signCount} or (sign_count = 0 and ${signCount} = 0))`;
  if (moved.count === 1) return 'used';
  const behind = await tx`
    update credential set last_used_at = latchkey_now()
    where tenant_id = ${tenantId} and credential_id = ${credentialId} and status = 'active'`;
  return behind.count === 1 ? 'regressed' : 'inactive';
}

/** Whether the device that a passkey was made on is restricted: reported lost, and not yet found. */
export async function isPasskeyOfReportedDevice(
  tx: Tx,
  tenantId: string,
  credentialId: string,
): Promise<boolean> {
  const rows = await tx`
    select 1 from credential k join device d using (tenant_id, device_id)
    where k.tenant_id = ${tenantId} and k.credential_id = ${credentialId} and d.status = 'restricted'`;
  return rows.length > 0;
}

/** What a passkey of that customer is verified with; whatever its status. undefined also for somebody else's. */
export async function passkeyOfCustomer(
  tx: Tx,
  {
    tenantId,
    customerId,
    webauthnId,
  }: { readonly tenantId: string; readonly customerId: string; readonly webauthnId: string },
): Promise<Credential | undefined> {
  const [row] = await tx<Credential[]>`
    select credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, transports, status from credential
    where tenant_id = ${tenantId} and customer_id = ${customerId} and webauthn_id = ${webauthnId}`;
  return row;
}

const MAX_OFFERED = 50;

/** Those that may be used now, what was made on that device first. */
export async function usablePasskeys(
  tx: Tx,
  {
    tenantId,
    customerId,
    deviceId,
  }: { readonly tenantId: string; readonly customerId: string; readonly deviceId: string },
): Promise<readonly Pick<Credential, 'webauthnId' | 'transports'>[]> {
  return await tx<Pick<Credential, 'webauthnId' | 'transports'>[]>`
    select webauthn_id, transports from credential
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'
    order by device_id = ${deviceId} desc, credential_id desc limit ${MAX_OFFERED}`;
}
