/**
 * An enrolled customer written straight into the tables, for tests that begin after enrollment: active, with one device and its passkey; a
 * proved number and live sessions on demand. And what a fraud engine does to him. The only seed of customers; tests that need every
 * table of a tenant have test/contract/database/seeds.ts.
 */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { newId } from '../../adapters/random.ts';
import { DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import type { Tx } from '../../db/connection.ts';
import { cutOff, releaseHold } from '../../db/cut-off.ts';
import type { CutOff, Release } from '../../db/cut-off.ts';
import type { DeviceStatus } from '../../domain/auth-strength.ts';

export interface CustomerKey {
  readonly tenantId: string;
  readonly customerId: string;
}

export interface SeededCustomer extends CustomerKey {
  readonly deviceId: string;
  readonly credentialId: string;
  /** Of the device's session key. */
  readonly jkt: string;
}

interface DeviceKey {
  readonly jkt: string;
  readonly publicJwk: object;
}

export interface CustomerSeed {
  readonly customerId?: string;
  readonly deviceStatus?: DeviceStatus;
  readonly deviceName?: string;
  /** Keys that a test signs with; left out, nobody holds them. */
  readonly sessionKey?: DeviceKey;
  readonly approvalKey?: DeviceKey;
  readonly passkey?: { readonly webauthnId: string; readonly publicKey: Uint8Array };
}

/** A bound transaction of the application, or a superuser's connection. */
type Sql = Tx | postgres.Sql;

const unheldKey = (): DeviceKey => ({ jkt: randomBytes(32).toString('base64url'), publicJwk: {} });

export async function insertCustomer(
  sql: Sql,
  tenantId: string,
  seed: CustomerSeed = {},
): Promise<SeededCustomer> {
  const customerId = seed.customerId ?? newId('customer');
  await sql`insert into customer (tenant_id, customer_id, status, locale, activated_at)
    values (${tenantId}, ${customerId}, 'active', 'en', latchkey_now())`;
  return await insertDevice(sql, tenantId, { ...seed, customerId });
}

/** With its passkey, of a customer that is there. */
export async function insertDevice(
  sql: Sql,
  tenantId: string,
  seed: CustomerSeed & { readonly customerId: string },
): Promise<SeededCustomer> {
  const { customerId } = seed;
  const [deviceId, credentialId] = [newId('device'), newId('credential')];
  const { sessionKey = unheldKey(), approvalKey = unheldKey() } = seed;
  const { passkey = { webauthnId: credentialId, publicKey: randomBytes(77) } } = seed;
  await sql`insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
      approval_jkt, approval_jwk, attestation_level, trusted_at)
    values (${tenantId}, ${deviceId}, ${customerId}, ${DEMO_APP_CLIENT}, ${seed.deviceStatus ?? 'trusted'}, ${seed.deviceName ?? 'Test phone'},
      'test', ${sessionKey.jkt}, ${sql.json({ ...sessionKey.publicJwk })}, ${approvalKey.jkt}, ${sql.json({ ...approvalKey.publicJwk })},
      'software', latchkey_now())`;
  await sql`insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count,
      aaguid, attestation_format, backup_eligible, backed_up, status)
    values (${tenantId}, ${credentialId}, ${customerId}, ${deviceId}, ${passkey.webauthnId}, ${passkey.publicKey},
      ${Buffer.from(customerId)}, 0, '00000000-0000-0000-0000-000000000000', 'none', false, false, 'active')`;
  return { tenantId, customerId, deviceId, credentialId, jkt: sessionKey.jkt };
}

/** Answers the contact's id; its value is nobody's number. */
export async function insertProvedPhone(
  sql: Sql,
  { tenantId, customerId }: CustomerKey,
): Promise<string> {
  const contactId = newId('contact');
  await sql`insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value, proved_at)
    values (${tenantId}, ${contactId}, ${customerId}, 'phone', 'proved', ${randomBytes(32)}, ${randomBytes(40)}, latchkey_now())`;
  return contactId;
}

export interface SessionTimes {
  readonly startedAtMs: number;
  readonly idleDeadlineMs: number;
  readonly absoluteDeadlineMs: number;
}

/** Left out, it begins now and lives for 30 and 90 days, under epoch 1. Nobody holds its refresh token. Answers its id. */
export async function insertLiveSession(
  sql: Sql,
  { tenantId, customerId, deviceId, credentialId, jkt }: SeededCustomer,
  session: {
    readonly epoch?: number;
    readonly scopes?: readonly string[];
    readonly times?: SessionTimes;
  } = {},
): Promise<string> {
  const sessionId = newId('session');
  const { epoch = 1, scopes = ['openid'], times } = session;
  const at = (milliseconds: number | undefined) =>
    milliseconds === undefined ? null : new Date(milliseconds);
  await sql`
    with t as materialized (select coalesce(${at(times?.startedAtMs)}::timestamptz, latchkey_now()) as began)
    insert into session (tenant_id, session_id, customer_id, device_id, credential_id, client_id, status, epoch, jkt, acr, amr,
      auth_time, scopes, risk, current_hash, salt, key_id, policy_version, started_at, last_seen_at, idle_deadline, absolute_deadline)
    select ${tenantId}, ${sessionId}, ${customerId}, ${deviceId}, ${credentialId}, ${DEMO_APP_CLIENT}, 'live', ${epoch}, ${jkt}, 'latchkey:2',
      ${['swk', 'user']}, t.began, ${[...scopes]}, 'not_evaluated', ${randomBytes(32)}, ${randomBytes(16)}, 'k1', 1, t.began, t.began,
      coalesce(${at(times?.idleDeadlineMs)}::timestamptz, t.began + interval '30 days'),
      coalesce(${at(times?.absoluteDeadlineMs)}::timestamptz, t.began + interval '90 days')
    from t`;
  return sessionId;
}

const FRAUD_ENGINE = { kind: 'machine', id: 'demo-fraud' } as const;

export async function cutOffCustomer(
  tx: Tx,
  { tenantId, customerId }: CustomerKey,
): Promise<CutOff | undefined> {
  return await cutOff(tx, {
    tenantId,
    customerId,
    revocationId: newId('revocation'),
    holdId: newId('hold'),
    reason: 'account_takeover',
    actor: FRAUD_ENGINE,
    localTokenSeconds: 305,
  });
}

export async function releaseCustomer(
  tx: Tx,
  { tenantId, customerId }: CustomerKey,
): Promise<Release | undefined> {
  return await releaseHold(tx, {
    tenantId,
    customerId,
    reason: 'false_alarm',
    actor: FRAUD_ENGINE,
  });
}
