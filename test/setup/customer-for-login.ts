/** A customer who may log in, written straight into the tables, and what a verified login or a cut-off of his looks like. */
import { randomBytes } from 'node:crypto';
import { newId } from '../../adapters/random.ts';
import type { Tx } from '../../db/connection.ts';
import type { VerifiedLogin } from '../../db/login.ts';
import { cutOff } from '../../db/revocation.ts';

export interface LoginCustomer {
  readonly tenantId: string;
  readonly customerId: string;
  readonly deviceId: string;
  readonly credentialId: string;
  readonly jkt: string;
}

export async function insertCustomer(tx: Tx, tenantId: string): Promise<LoginCustomer> {
  const customerId = newId('customer');
  const deviceId = newId('device');
  const credentialId = newId('credential');
  const jkt = randomBytes(32).toString('base64url');
  await tx`insert into customer (tenant_id, customer_id, status, locale, activated_at)
    values (${tenantId}, ${customerId}, 'active', 'en', latchkey_now())`;
  await tx`insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
      approval_jkt, approval_jwk, attestation_level, trusted_at)
    values (${tenantId}, ${deviceId}, ${customerId}, 'demo-app', 'trusted', 'Phone', 'test', ${jkt}, ${tx.json({})},
      ${`${jkt}-approval`}, ${tx.json({})}, 'software', latchkey_now())`;
  await tx`insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count,
      aaguid, attestation_format, backup_eligible, backed_up, status)
    values (${tenantId}, ${credentialId}, ${customerId}, ${deviceId}, ${credentialId}, ${randomBytes(77)}, ${Buffer.from(customerId)}, 0,
      '00000000-0000-0000-0000-000000000000', 'none', false, false, 'active')`;
  return { tenantId, customerId, deviceId, credentialId, jkt };
}

/** As the API hands it over after it has verified everything. */
export function verifiedLogin(
  customer: LoginCustomer,
  nowMs: number,
  change: Partial<VerifiedLogin> = {},
): VerifiedLogin {
  return {
    ...customer,
    clientId: 'demo-app',
    signCount: 0,
    isBackedUp: false,
    challenge: { hash: randomBytes(32), issuedAtMs: nowMs, expiresAtMs: nowMs + 300_000 },
    sessionId: newId('session'),
    salt: randomBytes(32),
    keyId: 'k1',
    firstHash: randomBytes(32),
    ...change,
  };
}

export async function cutOffCustomer(tx: Tx, customer: LoginCustomer): Promise<void> {
  await cutOff(tx, {
    tenantId: customer.tenantId,
    customerId: customer.customerId,
    revocationId: newId('revocation'),
    holdId: newId('hold'),
    reason: 'account_takeover',
    actor: { kind: 'machine', id: 'demo-fraud' },
    localTokenSeconds: 305,
  });
}
