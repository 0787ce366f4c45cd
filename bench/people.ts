/**
 * Customers with a device, a passkey and, if wanted, a live session, written straight into the tables by the thousand: what enrollments and
 * logins leave behind. The keys are kept here, so that the load can be them.
 */
import { createHash, generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { newId } from '../adapters/random.ts';
import { encodeRefreshToken, firstToken, tokenHash } from '../api/tokens/refresh-token.ts';
import { DEMO_APP_CLIENT } from '../db/bootstrap.ts';
import type { Bed } from './bed.ts';
import { createKey } from './proofs.ts';
import type { BenchKey } from './proofs.ts';

export interface Phone {
  readonly customerId: string;
  readonly deviceId: string;
  readonly credentialId: string;
  readonly key: BenchKey;
  readonly passkey: Passkey;
  /** What the next refresh shows, and what the last one brought; changed by the load. */
  refreshToken: string;
  accessToken: string;
}

export interface Passkey {
  readonly webauthnId: string;
  readonly privateKey: KeyObject;
  /** COSE, as the row holds it. */
  readonly publicKey: Uint8Array;
}

/** A statement takes 65,535 parameters at most; these rows have up to 27. */
const ROWS_AT_ONCE = 2_000;

export async function seedPhones(
  bed: Bed,
  count: number,
  { haveSessions }: { readonly haveSessions: boolean },
): Promise<Phone[]> {
  const phones: Phone[] = [];
  while (phones.length < count) {
    const some = Array.from({ length: Math.min(ROWS_AT_ONCE, count - phones.length) }, createPhone);
    await insertPeople(bed, some);
    if (haveSessions) await insertSessions(bed, some);
    phones.push(...some);
  }
  // As autovacuum would in time: plans and visibility of a table that has been there for a while.
  await bed.sql`vacuum analyze customer, device, credential, session`;
  return phones;
}

/** Nowhere in the tables yet. */
export function createPhone(): Phone {
  return {
    customerId: newId('customer'),
    deviceId: newId('device'),
    credentialId: newId('credential'),
    key: createKey(),
    passkey: createPasskey(),
    refreshToken: '',
    accessToken: '',
  };
}

function createPasskey(): Passkey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  // RFC 9053 section 7.1.1: kty EC2, alg ES256, crv P-256, x, y.
  const cose = [Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url')];
  cose.push(Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url'));
  return {
    webauthnId: randomBytes(32).toString('base64url'),
    privateKey,
    publicKey: Buffer.concat(cose),
  };
}

async function insertPeople({ sql, tenantId }: Bed, phones: readonly Phone[]): Promise<void> {
  const now = new Date();
  await sql`insert into customer ${sql(
    phones.map(({ customerId }) => ({
      tenant_id: tenantId,
      customer_id: customerId,
      status: 'active',
      locale: 'en',
      activated_at: now,
    })),
  )}`;
  await sql`insert into device ${sql(
    phones.map(({ customerId, deviceId, key }) => ({
      tenant_id: tenantId,
      device_id: deviceId,
      customer_id: customerId,
      client_id: DEMO_APP_CLIENT,
      status: 'trusted',
      name: 'Phone',
      platform: 'bench',
      session_jkt: key.jkt,
      session_jwk: sql.json({ kty: 'EC', crv: 'P-256', x: key.x, y: key.y }),
      approval_jkt: randomBytes(32).toString('base64url'),
      approval_jwk: sql.json({}),
      attestation_level: 'software',
      trusted_at: now,
    })),
  )}`;
  await sql`insert into credential ${sql(
    phones.map(({ customerId, deviceId, credentialId, passkey }) => ({
      tenant_id: tenantId,
      credential_id: credentialId,
      customer_id: customerId,
      device_id: deviceId,
      webauthn_id: passkey.webauthnId,
      public_key: passkey.publicKey,
      user_handle: Buffer.from(customerId),
      sign_count: 0,
      aaguid: '00000000-0000-0000-0000-000000000000',
      attestation_format: 'none',
      backup_eligible: false,
      backed_up: false,
      status: 'active',
    })),
  )}`;
}

/** One live session a phone, just begun; each phone gets its first refresh token. */
export async function insertSessions(bed: Bed, phones: readonly Phone[]): Promise<void> {
  const { sql, tenantId, kms } = bed;
  const rows = phones.map((phone) => {
    const sessionId = newId('session');
    const salt = createHash('sha256').update(sessionId).digest();
    const token = firstToken(kms, { family: sessionId, salt });
    const { jkt } = phone.key;
    phone.refreshToken = encodeRefreshToken(kms, token, { tenantId, jkt });
    return {
      ...sessionOf(phone, sessionId),
      current_hash: tokenHash(token),
      salt,
      key_id: token.keyId,
    };
  });
  await sql`insert into session ${sql(rows.map((row) => ({ tenant_id: tenantId, ...row })))}`;
}

const DAY_MS = 86_400_000;

function sessionOf({ customerId, deviceId, credentialId, key }: Phone, sessionId: string) {
  const now = new Date();
  return {
    session_id: sessionId,
    customer_id: customerId,
    device_id: deviceId,
    credential_id: credentialId,
    client_id: DEMO_APP_CLIENT,
    status: 'live',
    epoch: 1,
    jkt: key.jkt,
    acr: 'latchkey:2',
    amr: ['swk', 'user'],
    auth_time: now,
    scopes: ['openid', 'accounts:read'],
    risk: 'not_evaluated',
    policy_version: 1,
    started_at: now,
    last_seen_at: now,
    idle_deadline: new Date(now.getTime() + 30 * DAY_MS),
    absolute_deadline: new Date(now.getTime() + 90 * DAY_MS),
    sweep_policy: 1,
    sweep_at: new Date(now.getTime() + 30 * DAY_MS),
  };
}

/** What the authenticator of a passkey that does not count answers, user verified (WebAuthn Level 3 section 6.3.3). */
export function makeAssertion(
  { passkey, customerId }: Phone,
  asked: { readonly challenge: string; readonly origin: string; readonly rpId: string },
) {
  const { challenge, origin, rpId } = asked;
  const clientData = Buffer.from(
    JSON.stringify({ type: 'webauthn.get', challenge, origin, crossOrigin: false }),
  );
  const userPresentAndVerified = Buffer.of(0x05, 0, 0, 0, 0);
  const authenticatorData = Buffer.concat([hash('sha256', rpId, 'buffer'), userPresentAndVerified]);
  const signed = Buffer.concat([authenticatorData, hash('sha256', clientData, 'buffer')]);
  return {
    id: passkey.webauthnId,
    rawId: passkey.webauthnId,
    type: 'public-key' as const,
    clientExtensionResults: {},
    response: {
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: sign('sha256', signed, passkey.privateKey).toString('base64url'),
      userHandle: Buffer.from(customerId).toString('base64url'),
    },
  };
}
