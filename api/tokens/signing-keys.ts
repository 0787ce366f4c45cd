/**
 * The tenant's signing keys as this process holds them: opened once, remembered for a minute, looked up again when a token names a key
 * that is not known. Keys of one purpose never sign or verify for another.
 */
import type { CryptoKey } from 'jose';
import { importJWK } from 'jose';
import { ensureSigningKey, publishedKeys } from '../../db/signing-keys.ts';
import type { PublishedKey, SigningKey, SigningPurpose } from '../../db/signing-keys.ts';
import type { AppDependencies } from '../dependencies.ts';

const REMEMBERED_MS = 60_000;
/** An unknown key id is looked up at most this often: strangers choose key ids. */
const REFETCH_MS = 2_000;

export type TokenPurpose = Exclude<SigningPurpose, 'receipt'>;

export interface TokenKeys {
  signingKey(tenantId: string, purpose: TokenPurpose): Promise<SigningKey>;
  /** undefined: no such key of that purpose. */
  verificationKey(
    tenantId: string,
    purpose: TokenPurpose,
    keyId: string,
  ): Promise<CryptoKey | undefined>;
  /** What the JWKS shows: keys of tokens, not of receipts. */
  published(tenantId: string): Promise<readonly PublishedKey[]>;
}

interface Remembered<Value> {
  readonly value: Value;
  readonly atMs: number;
}

export function createTokenKeys(
  deps: Pick<AppDependencies, 'database' | 'kms' | 'newId'>,
): TokenKeys {
  const signing = new Map<string, Remembered<SigningKey>>();
  const published = new Map<string, Remembered<readonly PublishedKey[]>>();
  const imported = new Map<string, CryptoKey>();

  const isPublished = (tenantId: string, keyId: string) =>
    published.get(tenantId)?.value.some((key) => key.keyId === keyId) ?? false;

  const readPublished = async (tenantId: string, maxAgeMs: number) => {
    const found = published.get(tenantId);
    if (found !== undefined && performance.now() - found.atMs < maxAgeMs) return found.value;
    const value = (
      await deps.database.tenant(tenantId, (tx) => publishedKeys(tx, tenantId))
    ).filter(({ purpose }) => purpose !== 'receipt');
    published.set(tenantId, { value, atMs: performance.now() });
    return value;
  };

  const signingKey = async (tenantId: string, purpose: TokenPurpose) => {
    const name = `${tenantId}/${purpose}`;
    const found = signing.get(name);
    if (found !== undefined && performance.now() - found.atMs < REMEMBERED_MS) return found.value;
    const value = await deps.database.tenant(tenantId, (tx) =>
      ensureSigningKey(tx, { tenantId, purpose, kms: deps.kms, newId: deps.newId }),
    );
    signing.set(name, { value, atMs: performance.now() });
    // It may have been made just now: what is remembered of the published ones would not know it.
    if (!isPublished(tenantId, value.keyId)) published.delete(tenantId);
    return value;
  };

  const find = async (tenantId: string, purpose: TokenPurpose, keyId: string, maxAgeMs: number) =>
    (await readPublished(tenantId, maxAgeMs)).find(
      (key) => key.keyId === keyId && key.purpose === purpose,
    );

  return {
    signingKey,
    verificationKey: async (tenantId, purpose, keyId) => {
      const key =
        (await find(tenantId, purpose, keyId, REMEMBERED_MS)) ??
        (await find(tenantId, purpose, keyId, REFETCH_MS));
      if (key === undefined) return undefined;
      const known = imported.get(`${tenantId}/${keyId}`);
      if (known !== undefined) return known;
      const made = await importJWK({ ...key.publicJwk }, 'ES256');
      if (made instanceof Uint8Array) throw new TypeError('an EC key is no secret');
      imported.set(`${tenantId}/${keyId}`, made);
      return made;
    },
    published: async (tenantId) => {
      // Published before the first token: asking for the keys makes them.
      await signingKey(tenantId, 'access_token');
      await signingKey(tenantId, 'id_token');
      return await readPublished(tenantId, REFETCH_MS);
    },
  };
}
