/**
 * Which key management seals: the embedded one, or AWS KMS with the keys that it may use. Credentials are no business of this file: the SDK
 * finds them as every AWS program does.
 */
import { readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

export interface KmsConfiguration {
  readonly region: string;
  readonly endpoint?: string;
  /** The first seals, every one opens. */
  readonly keys: readonly { readonly kid: string; readonly arn: string }[];
  /** ARNs of keys of ECC_NIST_P256. The first signs receipts; every one is published. */
  readonly receiptKeys: readonly string[];
}

/** A key, never an alias: an alias can be pointed at another key. */
const keyEntry =
  /^([A-Za-z0-9_-]{1,32})=(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[A-Za-z0-9-]+)$/;
const receiptArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[A-Za-z0-9-]+$/;
const receiptForm =
  'use arn:aws:kms:region:account:key/id of keys that sign (ECC_NIST_P256), separated by commas, the current one first';
const form =
  'use kid=arn:aws:kms:region:account:key/id, separated by commas, the current one first';

/** undefined: the embedded one. */
export const readKms = (reader: EnvironmentReader): KmsConfiguration | undefined => {
  const choice = reader.oneOf('LATCHKEY_KMS', ['embedded', 'aws'], 'embedded');
  const keyList = reader.optional('LATCHKEY_KMS_KEYS');
  const receiptList = reader.optional('LATCHKEY_KMS_RECEIPT_KEYS');
  const region = reader.shaped(
    'LATCHKEY_KMS_REGION',
    (value) => /^[a-z0-9-]{1,32}$/.test(value),
    'use the name of a region, such as eu-central-1',
  );
  const endpoint = readEndpoint(reader);
  if (choice === 'embedded') {
    if (keyList !== undefined)
      reader.refuse('LATCHKEY_KMS_KEYS', 'is given without LATCHKEY_KMS=aws', 'give both or none');
    if (receiptList !== undefined) {
      reader.refuse(
        'LATCHKEY_KMS_RECEIPT_KEYS',
        'is given without LATCHKEY_KMS=aws',
        'give both or none',
      );
    }
    return undefined;
  }
  const keys = readKeys(reader, keyList);
  const receiptKeys = readReceiptKeys(reader, receiptList);
  if (region === undefined) {
    reader.refuse('LATCHKEY_KMS_REGION', 'is missing', 'name the region of the keys');
    return undefined;
  }
  return { region, keys, receiptKeys, ...(endpoint === undefined ? {} : { endpoint }) };
};

const readKeys = (
  reader: EnvironmentReader,
  list: string | undefined,
): KmsConfiguration['keys'] => {
  if (list === undefined) {
    reader.refuse('LATCHKEY_KMS_KEYS', 'is missing', form);
    return [];
  }
  const keys = list.split(',').map((entry) => {
    const [, kid, arn] = keyEntry.exec(entry.trim()) ?? [];
    return kid === undefined || arn === undefined ? undefined : { kid, arn };
  });
  const sound = keys.filter((key) => key !== undefined);
  const kids = new Set(sound.map(({ kid }) => kid));
  if (sound.length < keys.length) reader.refuse('LATCHKEY_KMS_KEYS', 'has the wrong form', form);
  else if (kids.size < sound.length)
    reader.refuse('LATCHKEY_KMS_KEYS', 'repeats a key id', 'give every key its own id');
  return sound;
};

/** Apart from the keys that seal: KMS lets a key do one of the two. */
const readReceiptKeys = (
  reader: EnvironmentReader,
  list: string | undefined,
): KmsConfiguration['receiptKeys'] => {
  if (list === undefined) {
    reader.refuse('LATCHKEY_KMS_RECEIPT_KEYS', 'is missing', receiptForm);
    return [];
  }
  const arns = list.split(',').map((entry) => entry.trim());
  if (arns.some((arn) => !receiptArn.test(arn)))
    reader.refuse('LATCHKEY_KMS_RECEIPT_KEYS', 'has the wrong form', receiptForm);
  else if (new Set(arns).size < arns.length)
    reader.refuse('LATCHKEY_KMS_RECEIPT_KEYS', 'repeats a key', 'name every key once');
  return arns;
};

const readEndpoint = (reader: EnvironmentReader): string | undefined => {
  const value = reader.shaped(
    'LATCHKEY_KMS_ENDPOINT',
    (text) => ['http:', 'https:'].includes(readUrl(text)?.protocol ?? ''),
    'use https://host',
  );
  if (value !== undefined && reader.isProduction && readUrl(value)?.protocol === 'http:')
    reader.refuse('LATCHKEY_KMS_ENDPOINT', 'is not encrypted', 'use https:// in production');
  return value;
};
