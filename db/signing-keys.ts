/**
 * Signing keys: one ES256 pair a tenant and purpose, the private half sealed by the key management, made on first use. It never hands out
 * a private key except opened for its one purpose, and never forgets a public half.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { IdKind } from '../domain/ids.ts';
import type { KeyManagement } from '../domain/ports.ts';
import type { Tx } from './connection.ts';

export type SigningPurpose = 'access_token' | 'id_token' | 'receipt';

export interface SigningPublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface PublishedKey {
  readonly keyId: string;
  readonly purpose: SigningPurpose;
  readonly publicJwk: SigningPublicJwk;
}

export interface SigningKey extends PublishedKey {
  readonly privateKey: KeyObject;
}

interface SigningKeyRow extends PublishedKey {
  readonly kekId: string;
  readonly sealedPrivate: Uint8Array;
}

export interface SigningKeyArguments {
  readonly tenantId: string;
  readonly purpose: SigningPurpose;
  readonly kms: KeyManagement;
  readonly newId: (kind: IdKind) => string;
}

/** The key that signs now; made here when there is none, by one caller at a time. */
export async function ensureSigningKey(tx: Tx, args: SigningKeyArguments): Promise<SigningKey> {
  const found = await activeKey(tx, args);
  if (found !== undefined) return await open(found, args);
  await tx`select pg_advisory_xact_lock(hashtextextended(${`signing-key/${args.tenantId}/${args.purpose}`}, 0))`;
  const madeMeanwhile = await activeKey(tx, args);
  return await open(madeMeanwhile ?? (await make(tx, args)), args);
}

/** Every key whose signatures may still be met, newest first. */
export async function publishedKeys(tx: Tx, tenantId: string): Promise<readonly PublishedKey[]> {
  return await tx<PublishedKey[]>`
    select key_id, purpose, public_jwk from signing_key
    where tenant_id = ${tenantId} and retired_at is null order by active_from desc, key_id`;
}

async function activeKey(
  tx: Tx,
  { tenantId, purpose }: SigningKeyArguments,
): Promise<SigningKeyRow | undefined> {
  const [row] = await tx<SigningKeyRow[]>`
    with t as materialized (select latchkey_now() as now)
    select key_id, purpose, public_jwk, kek_id, sealed_private from t, signing_key
    where tenant_id = ${tenantId} and purpose = ${purpose} and active_from <= t.now and retired_at is null
    order by active_from desc limit 1`;
  return row;
}

async function make(
  tx: Tx,
  { tenantId, purpose, kms, newId }: SigningKeyArguments,
): Promise<SigningKeyRow> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = newId('signingKey');
  const publicJwk = publicHalf(privateKey);
  const { kekId, sealed } = await kms.wrap(
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    sealContext(tenantId, keyId, purpose),
  );
  // The first key of a purpose has no predecessor whose tokens anybody checks: it signs at once.
  await tx`insert into signing_key (tenant_id, key_id, purpose, public_jwk, kek_id, sealed_private, active_from)
    values (${tenantId}, ${keyId}, ${purpose}, ${tx.json({ ...publicJwk })}, ${kekId}, ${sealed}, latchkey_now())`;
  return { keyId, purpose, publicJwk, kekId, sealedPrivate: sealed };
}

function publicHalf(privateKey: KeyObject): SigningPublicJwk {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new TypeError('a P-256 key has two coordinates');
  return { kty: 'EC', crv: 'P-256', x, y };
}

async function open(
  row: SigningKeyRow,
  { tenantId, kms }: SigningKeyArguments,
): Promise<SigningKey> {
  const der = await kms.unwrap(
    row.kekId,
    row.sealedPrivate,
    sealContext(tenantId, row.keyId, row.purpose),
  );
  const { keyId, purpose, publicJwk } = row;
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  return { keyId, purpose, publicJwk, privateKey };
}

function sealContext(tenantId: string, keyId: string, purpose: SigningPurpose): string {
  return `signing-key/${tenantId}/${keyId}/${purpose}`;
}
