/**
 * Signing keys: ES256 pairs of a tenant and purpose, the private half sealed by the key management. It never hands out a private key except
 * opened for its one purpose, never makes two for one day, and never forgets a public half.
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

export interface SealedSigningKey extends PublishedKey {
  readonly kekId: string;
  readonly sealedPrivate: Uint8Array;
  readonly activeFrom: Date;
  /** It may sign: the newest of a purpose that is due does. */
  readonly isDue: boolean;
}

export interface KeyMaker {
  readonly kms: KeyManagement;
  readonly newId: (kind: IdKind) => string;
}

/** Every key whose signatures may still be met or will be, newest first. */
export async function currentKeys(
  tx: Tx,
  tenantId: string,
  purpose?: SigningPurpose,
): Promise<readonly SealedSigningKey[]> {
  return await tx<SealedSigningKey[]>`
    with t as materialized (select latchkey_now() as now)
    select key_id, purpose, public_jwk, kek_id, sealed_private, active_from, active_from <= t.now as is_due from t, signing_key
    where tenant_id = ${tenantId} and retired_at is null ${purpose === undefined ? tx`` : tx`and purpose = ${purpose}`}
    order by active_from desc, key_id`;
}

/** Makes the first key of a purpose, by one caller at a time; it signs at once. Nothing when one is due. */
export async function ensureFirstKey(
  tx: Tx,
  args: { readonly tenantId: string; readonly purpose: SigningPurpose } & KeyMaker,
): Promise<void> {
  await lockKeys(tx, args);
  const keys = await currentKeys(tx, args.tenantId, args.purpose);
  if (keys.some(({ isDue }) => isDue)) return;
  await makeKey(tx, { ...args, activeFrom: await nowIn(tx) });
}

/** Whoever makes or retires keys of one tenant and purpose does it alone, until its transaction ends. */
export async function lockKeys(
  tx: Tx,
  { tenantId, purpose }: { readonly tenantId: string; readonly purpose: SigningPurpose },
): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`signing-key/${tenantId}/${purpose}`}, 0))`;
}

export async function nowIn(tx: Tx): Promise<Date> {
  const [row] = await tx<{ now: Date }[]>`select latchkey_now() as now`;
  if (row === undefined) throw new TypeError('a function answers one row');
  return row.now;
}

/** Under lockKeys. @throws LatchkeyError of the key management, which is asked once. */
export async function makeKey(
  tx: Tx,
  {
    tenantId,
    purpose,
    activeFrom,
    kms,
    newId,
  }: {
    readonly tenantId: string;
    readonly purpose: SigningPurpose;
    readonly activeFrom: Date;
  } & KeyMaker,
): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyId = newId('signingKey');
  const publicJwk = publicHalf(privateKey);
  const { kekId, sealed } = await kms.wrap(
    privateKey.export({ type: 'pkcs8', format: 'der' }),
    sealContext(tenantId, keyId, purpose),
  );
  await tx`insert into signing_key (tenant_id, key_id, purpose, public_jwk, kek_id, sealed_private, active_from)
    values (${tenantId}, ${keyId}, ${purpose}, ${tx.json({ ...publicJwk })}, ${kekId}, ${sealed}, ${activeFrom})`;
  return keyId;
}

/** @throws LatchkeyError of the key management. */
export async function openKey(
  kms: KeyManagement,
  tenantId: string,
  { keyId, purpose, publicJwk, kekId, sealedPrivate }: SealedSigningKey,
): Promise<SigningKey> {
  const der = await kms.unwrap(kekId, sealedPrivate, sealContext(tenantId, keyId, purpose));
  const privateKey = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  return { keyId, purpose, publicJwk, privateKey };
}

function publicHalf(privateKey: KeyObject): SigningPublicJwk {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (x === undefined || y === undefined) throw new TypeError('a P-256 key has two coordinates');
  return { kty: 'EC', crv: 'P-256', x, y };
}

function sealContext(tenantId: string, keyId: string, purpose: SigningPurpose): string {
  return `signing-key/${tenantId}/${keyId}/${purpose}`;
}
