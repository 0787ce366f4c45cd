/**
 * The tenant's signing keys as this process holds them. What is remembered is looked up again in the background while keys are asked for
 * and is never older than KEPT_MS: that is how long a key that was taken away in an emergency can still sign or verify here. Opened keys stay
 * open without the key management. Keys of one purpose never sign or verify for another.
 */
import type { CryptoKey } from 'jose';
import { importJWK } from 'jose';
import { currentKeys, ensureFirstKey, openKey } from '../../db/signing-keys.ts';
import type {
  PublishedKey,
  SealedSigningKey,
  SigningKey,
  SigningPurpose,
} from '../../db/signing-keys.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { ROTATED_PURPOSES } from '../../domain/signing-keys.ts';
import type { AppDependencies } from '../dependencies.ts';

/** Older than this, what is remembered is used once more and looked up beside. */
const FRESH_MS = 2_000;
/** Older than this, it is looked up first. */
const KEPT_MS = 10_000;
/** An unknown key id is looked up at most this often: strangers choose key ids. */
const REFETCH_MS = 100;

export type TokenPurpose = Exclude<SigningPurpose, 'receipt'>;

export interface TokenKeys {
  signingKey(tenantId: string, purpose: TokenPurpose): Promise<SigningKey>;
  /** undefined: no such key of that purpose. */
  verificationKey(
    tenantId: string,
    purpose: TokenPurpose,
    keyId: string,
  ): Promise<CryptoKey | undefined>;
  /** What the JWKS shows: keys of tokens, not of receipts; also those that will sign next. */
  published(tenantId: string): Promise<readonly PublishedKey[]>;
}

type KeyDependencies = Pick<AppDependencies, 'database' | 'kms' | 'newId' | 'logger'>;

interface Keyset {
  readonly published: readonly PublishedKey[];
  readonly verifying: ReadonlyMap<string, { readonly purpose: string; readonly key: CryptoKey }>;
  readonly opened: ReadonlyMap<string, SigningKey>;
  /** Absent: none of its keys that are due could be opened. */
  readonly signing: ReadonlyMap<string, SigningKey>;
  readonly readAtMs: number;
}

export function createTokenKeys(deps: KeyDependencies): TokenKeys {
  const keysets = new Map<string, Keyset>();
  const underWay = new Map<string, Promise<Keyset>>();

  const readAgain = (tenantId: string): Promise<Keyset> => {
    const already = underWay.get(tenantId);
    if (already !== undefined) return already;
    const reading = readKeyset(deps, tenantId, keysets.get(tenantId))
      .then((keyset) => {
        keysets.set(tenantId, keyset);
        return keyset;
      })
      .finally(() => {
        underWay.delete(tenantId);
      });
    underWay.set(tenantId, reading);
    return reading;
  };

  const keysetOf = (tenantId: string): Keyset | Promise<Keyset> => {
    const known = keysets.get(tenantId);
    const ageMs = known === undefined ? Infinity : performance.now() - known.readAtMs;
    if (known === undefined || ageMs >= KEPT_MS) return readAgain(tenantId);
    if (ageMs >= FRESH_MS && !underWay.has(tenantId)) {
      readAgain(tenantId).catch((error: unknown) => {
        deps.logger.warn({ err: error }, 'the signing keys could not be looked up');
      });
    }
    return known;
  };

  const find = (keyset: Keyset, purpose: TokenPurpose, keyId: string): CryptoKey | undefined => {
    const found = keyset.verifying.get(keyId);
    return found?.purpose === purpose ? found.key : undefined;
  };

  return {
    signingKey: async (tenantId, purpose) => {
      const key = (await keysetOf(tenantId)).signing.get(purpose);
      if (key === undefined) throw new LatchkeyError('vendor_unavailable');
      return key;
    },
    verificationKey: async (tenantId, purpose, keyId) => {
      const keyset = await keysetOf(tenantId);
      const found = find(keyset, purpose, keyId);
      if (found !== undefined || performance.now() - keyset.readAtMs < REFETCH_MS) return found;
      return find(await readAgain(tenantId), purpose, keyId);
    },
    published: async (tenantId) => (await keysetOf(tenantId)).published,
  };
}

async function readKeyset(
  deps: KeyDependencies,
  tenantId: string,
  before: Keyset | undefined,
): Promise<Keyset> {
  // From before the question: what changed while it was asked is not known.
  const readAtMs = performance.now();
  const rows = await readRows(deps, tenantId);
  const opened = await openThoseToSign(deps, tenantId, rows, before?.opened ?? new Map());
  const verifying = await Promise.all(
    rows.map(async ({ keyId, purpose, publicJwk }) => {
      const key = before?.verifying.get(keyId)?.key ?? (await importKey(publicJwk));
      return [keyId, { purpose, key }] as const;
    }),
  );
  return {
    readAtMs,
    opened,
    published: rows.map(({ keyId, purpose, publicJwk }) => ({ keyId, purpose, publicJwk })),
    verifying: new Map(verifying),
    signing: new Map(
      ROTATED_PURPOSES.flatMap((purpose) => {
        const row = rows.find(
          (one) => one.purpose === purpose && one.isDue && opened.has(one.keyId),
        );
        const key = row === undefined ? undefined : opened.get(row.keyId);
        return key === undefined ? [] : [[purpose, key] as const];
      }),
    ),
  };
}

async function readRows(
  { database, kms, newId }: KeyDependencies,
  tenantId: string,
): Promise<readonly SealedSigningKey[]> {
  const read = async () =>
    (await database.tenant(tenantId, (tx) => currentKeys(tx, tenantId))).filter(
      ({ purpose }) => purpose !== 'receipt',
    );
  const rows = await read();
  const lacking = ROTATED_PURPOSES.filter(
    (purpose) => !rows.some((row) => row.purpose === purpose && row.isDue),
  );
  if (lacking.length === 0) return rows;
  for (const purpose of lacking) {
    await database.tenant(tenantId, (tx) => ensureFirstKey(tx, { tenantId, purpose, kms, newId }));
  }
  return await read();
}

/**
 * Those that sign now and those that will, opened as soon as they are seen: a key management that is away when the day changes is not missed.
 * When the newest cannot be opened, older ones are tried.
 */
async function openThoseToSign(
  { kms, logger }: KeyDependencies,
  tenantId: string,
  rows: readonly SealedSigningKey[],
  before: ReadonlyMap<string, SigningKey>,
): Promise<ReadonlyMap<string, SigningKey>> {
  const opened = new Map<string, SigningKey>();
  const open = async (row: SealedSigningKey): Promise<boolean> => {
    try {
      opened.set(row.keyId, before.get(row.keyId) ?? (await openKey(kms, tenantId, row)));
      return true;
    } catch (error) {
      logger.error({ err: error, keyId: row.keyId }, 'a signing key could not be opened');
      return false;
    }
  };
  for (const purpose of ROTATED_PURPOSES) {
    const ours = rows.filter((row) => row.purpose === purpose);
    for (const row of ours.filter(({ isDue }) => !isDue)) await open(row);
    for (const row of ours.filter(({ isDue }) => isDue)) if (await open(row)) break;
  }
  return opened;
}

async function importKey(publicJwk: PublishedKey['publicJwk']): Promise<CryptoKey> {
  const key = await importJWK({ ...publicJwk }, 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('an EC key is no secret');
  return key;
}
