/**
 * The symmetric keys that come from the environment, as lists with ids so that they can be rotated: the first encrypts,
 * every one decrypts. With a KMS they come sealed, and adapters/kms/keyring.ts opens them. It must never accept one key for two purposes, nor a published one in production.
 */
import { createHash } from 'node:crypto';
import { demoMarker } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';
import { readKms } from './kms.ts';
import type { KmsConfiguration } from './kms.ts';

/** A symmetric key of 32 bytes, or what KMS made of one; the first of a list encrypts, every one decrypts. */
export interface NamedKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

export interface Keyring {
  readonly master: readonly NamedKey[];
  readonly payload: readonly NamedKey[];
  /** The keys above are sealed by it. */
  readonly kms?: KmsConfiguration;
}

const keyEntry = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;
/** What KMS seals of 32 bytes is some 180 long. */
const sealedEntry = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{100,1000}={0,2})$/;
const plainForm = 'use kid:base64 of 32 random bytes, separated by commas, the current one first';
const sealedForm =
  'use what `latchkey keys new master|payload ID` prints, separated by commas, the current one first';

/** SHA-256 of the demo's keys: the name that a published key goes by makes it no secret. A test holds them against the demo's own. */
const publishedKeys: ReadonlySet<string> = new Set([
  'eXVX8t3DgdS1/ioTsJomaj4nVT+j3nKMSrBgaqBn7bA=',
  'EJI2dC44qPJ1iI8cFdAlYDSBm9DsGge9Gxp3EFdq+v8=',
]);

const isPublished = ({ kid, key }: NamedKey): boolean =>
  kid.startsWith(demoMarker) ||
  publishedKeys.has(createHash('sha256').update(key).digest('base64'));

const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.from(one).equals(other);

const readKeys = (
  reader: EnvironmentReader,
  variable: string,
  isSealed: boolean,
): readonly NamedKey[] => {
  const form = isSealed ? sealedForm : plainForm;
  const value = reader.required(variable, form);
  if (value === undefined) return [];
  const keys = value.split(',').map((entry): NamedKey | undefined => {
    const [, kid, base64] = (isSealed ? sealedEntry : keyEntry).exec(entry.trim()) ?? [];
    if (kid === undefined || base64 === undefined) return undefined;
    const key = Buffer.from(base64, 'base64');
    return key.toString('base64') === base64 ? { kid, key: new Uint8Array(key) } : undefined;
  });
  const sound = keys.filter((key) => key !== undefined);
  const isRepeated = ({ kid, key }: NamedKey, index: number) =>
    sound.slice(0, index).some((earlier) => earlier.kid === kid || isSame(earlier.key, key));
  if (sound.length < keys.length) reader.refuse(variable, 'has the wrong form', form);
  else if (sound.some(isRepeated)) {
    reader.refuse(variable, 'repeats a key or a key id', 'give every key its own id and bytes');
  } else if (reader.isProduction && sound.some(isPublished)) {
    reader.refuse(variable, 'holds a published demo key', 'generate keys of your own');
  }
  return sound;
};

/** For a command that seals for the database and never speaks to Temporal. */
export const readMasterKeyring = (reader: EnvironmentReader): Keyring => {
  const kms = readKms(reader);
  const master = readKeys(reader, 'LATCHKEY_MASTER_KEYS', kms !== undefined);
  return { master, payload: [], ...(kms === undefined ? {} : { kms }) };
};

/** Master keys seal the embedded KMS, payload keys the Temporal payloads; no bytes serve both. */
export const readKeyring = (reader: EnvironmentReader): Keyring => {
  const kms = readKms(reader);
  const isSealed = kms !== undefined;
  const master = readKeys(reader, 'LATCHKEY_MASTER_KEYS', isSealed);
  const payload = readKeys(reader, 'LATCHKEY_PAYLOAD_KEYS', isSealed);
  if (payload.some(({ key }) => master.some((other) => isSame(key, other.key)))) {
    reader.refuse(
      'LATCHKEY_PAYLOAD_KEYS',
      'shares a key with LATCHKEY_MASTER_KEYS',
      'use a key for one purpose only',
    );
  }
  return { master, payload, ...(kms === undefined ? {} : { kms }) };
};
