/**
 * One enrolled customer written straight into the tables, for tests that begin after enrollment: an active customer with a trusted
 * device, its passkey, a proved number and one live session.
 */
import { randomBytes } from 'node:crypto';
import { newId } from '../../adapters/random.ts';
import type { Database } from '../../db/connection.ts';
import type { Tx } from '../../db/connection.ts';

export interface SeededCustomer {
  readonly tenantId: string;
  readonly customerId: string;
  readonly contactId: string;
  readonly deviceId: string;
  readonly credentialId: string;
  readonly sessionId: string;
}

export async function seedCustomer(database: Database, tenantId: string): Promise<SeededCustomer> {
  const customer: SeededCustomer = {
    tenantId,
    customerId: newId('customer'),
    contactId: newId('contact'),
    deviceId: newId('device'),
    credentialId: newId('credential'),
    sessionId: newId('session'),
  };
  await database.tenant(tenantId, async (tx) => {
    await seedIdentity(tx, customer);
    await seedSession(tx, customer, 1);
  });
  return customer;
}

async function seedIdentity(tx: Tx, customer: SeededCustomer): Promise<void> {
  const { tenantId, customerId, contactId, deviceId, credentialId } = customer;
  await tx`insert into customer (tenant_id, customer_id, status, locale, activated_at)
    values (${tenantId}, ${customerId}, 'active', 'en', latchkey_now())`;
  await tx`insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value, proved_at)
    values (${tenantId}, ${contactId}, ${customerId}, 'phone', 'proved', ${randomBytes(32)}, ${randomBytes(40)}, latchkey_now())`;
  await tx`insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
      approval_jkt, approval_jwk, attestation_level, trusted_at)
    values (${tenantId}, ${deviceId}, ${customerId}, 'demo-app', 'trusted', 'Test phone', 'test', ${randomBytes(32).toString('base64url')},
      ${tx.json({})}, ${randomBytes(32).toString('base64url')}, ${tx.json({})}, 'software', latchkey_now())`;
  await tx`insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count,
      aaguid, attestation_format, backup_eligible, backed_up, status)
    values (${tenantId}, ${credentialId}, ${customerId}, ${deviceId}, ${randomBytes(16).toString('base64url')}, ${randomBytes(77)},
      ${randomBytes(16)}, 0, '00000000-0000-0000-0000-000000000000', 'none', false, false, 'active')`;
}

/** A further live session of that customer, begun under `epoch`. */
export async function seedSession(
  tx: Tx,
  customer: SeededCustomer,
  epoch: number,
  sessionId: string = customer.sessionId,
): Promise<void> {
  const { tenantId, customerId, deviceId, credentialId } = customer;
  await tx`insert into session (tenant_id, session_id, customer_id, device_id, credential_id, client_id, status, epoch, jkt, acr, amr,
      auth_time, scopes, risk, current_hash, salt, key_id, policy_version, started_at, last_seen_at, idle_deadline, absolute_deadline)
    values (${tenantId}, ${sessionId}, ${customerId}, ${deviceId}, ${credentialId}, 'demo-app', 'live', ${epoch}, 'jkt', 'latchkey:2',
      ${['swk', 'user']}, latchkey_now(), ${['openid']}, 'not_evaluated', ${randomBytes(32)}, ${randomBytes(16)}, 'k1', 1,
      latchkey_now(), latchkey_now(), latchkey_now() + interval '30 days', latchkey_now() + interval '90 days')`;
}
