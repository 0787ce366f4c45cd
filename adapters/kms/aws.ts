/**
 * Key management by AWS KMS: what is sealed is sealed there and bound to its context; secrets are derived from master keys that KMS opened at
 * the start. What was opened once stays open in this process, so that KMS may be away. It must never hand out a master key.
 */
import { createHash } from 'node:crypto';
import { LatchkeyError } from '../../domain/errors.ts';
import { KeyCanaryError } from '../../domain/key-canary.ts';
import type { KeyManagement } from '../../domain/ports.ts';
import type { AwsCalls } from './aws-calls.ts';
import { createEmbeddedKms } from './embedded.ts';
import type { MasterKey } from './embedded.ts';

/** A key of KMS and the short name that rows call it by. */
export interface KmsKey {
  readonly kid: string;
  readonly arn: string;
}

/** Of opened values; the least lately used goes first. A customer's key takes about 200 bytes. */
const REMEMBERED = 10_000;

export interface AwsKmsParts {
  readonly calls: AwsCalls;
  /** The first seals, every one opens. */
  readonly keys: readonly KmsKey[];
  /** Opened. They derive the secrets, and open what the embedded key management had sealed before. */
  readonly masterKeys: readonly MasterKey[];
}

/** @throws TypeError without a key, or with two of one name. */
export function createAwsKms({ calls, keys, masterKeys }: AwsKmsParts): KeyManagement {
  const embedded = createEmbeddedKms(masterKeys);
  const [current] = keys;
  if (current === undefined) throw new TypeError('at least one key of KMS is needed');
  const names = [...keys, ...masterKeys].map(({ kid }) => kid);
  if (new Set(names).size < names.length) throw new TypeError('two keys have one name');
  const remembered = new Map<string, Uint8Array>();

  const remember = (name: string, plain: Uint8Array): void => {
    remembered.delete(name);
    remembered.set(name, plain);
    if (remembered.size <= REMEMBERED) return;
    const [oldest] = remembered.keys();
    if (oldest !== undefined) remembered.delete(oldest);
  };

  return {
    wrap: async (plain, context) => {
      const sealed = await calls.encrypt(current.arn, plain, context);
      remember(nameOf(current.kid, sealed, context), Uint8Array.from(plain));
      return { kekId: current.kid, sealed };
    },
    unwrap: async (kekId, sealed, context) => {
      const key = keys.find(({ kid }) => kid === kekId);
      if (key === undefined) return await embedded.unwrap(kekId, sealed, context);
      const name = nameOf(kekId, sealed, context);
      const plain = remembered.get(name) ?? (await calls.decrypt([key.arn], sealed, context));
      remember(name, plain);
      return Uint8Array.from(plain);
    },
    secret: (label, kekId) => embedded.secret(label, kekId),
  };
}

/** Nobody finds an opened value without its sealed bytes, which a row holds: an erased row erases. */
function nameOf(kekId: string, sealed: Uint8Array, context: string): string {
  return createHash('sha256').update(`${kekId}\0${context}\0`).update(sealed).digest('base64');
}

/** What a key of the configuration is bound to. */
export function keyringContext(purpose: 'master' | 'payload', kid: string): string {
  return `latchkey/keyring/1/${purpose}/${kid}`;
}

/** The keys of a list, opened. @throws LatchkeyError vendor_unavailable; KeyCanaryError, which names a key that KMS refuses for good. */
export async function openKeyList(
  { calls, keys }: Pick<AwsKmsParts, 'calls' | 'keys'>,
  purpose: 'master' | 'payload',
  sealed: readonly MasterKey[],
): Promise<readonly MasterKey[]> {
  const arns = keys.map(({ arn }) => arn);
  return await Promise.all(
    sealed.map(async ({ kid, key: bytes }) => {
      const key = await calls
        .decrypt(arns, bytes, keyringContext(purpose, kid))
        .catch((error: unknown) => {
          const isAway = error instanceof LatchkeyError && error.code === 'vendor_unavailable';
          throw isAway ? error : new KeyCanaryError([{ purpose, kid, wrong: 'changed' }]);
        });
      if (key.length !== 32) throw new KeyCanaryError([{ purpose, kid, wrong: 'changed' }]);
      return { kid, key: new Uint8Array(key) };
    }),
  );
}
