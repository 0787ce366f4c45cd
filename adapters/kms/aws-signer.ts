/**
 * Lasting statements signed by AWS KMS: the private half never leaves it. Public halves are asked for once; what a signature is made by is named by
 * the key's own thumbprint, never by an ARN that could be pointed elsewhere.
 */
import { createPublicKey } from 'node:crypto';
import type { LastingKey, LastingPurpose, LastingSigner } from '../../domain/ports.ts';
import type { AwsCalls } from './aws-calls.ts';
import { lastingKey, oneSpelling } from './lasting-keys.ts';

/** @throws TypeError without a key for a purpose, when it is asked for. */
export function createAwsSigner(
  calls: Pick<AwsCalls, 'publicKey' | 'sign'>,
  arns: Readonly<Record<LastingPurpose, readonly string[]>>,
): LastingSigner {
  const known = new Map<string, LastingKey>();

  async function keyOf(arn: string): Promise<LastingKey> {
    const found = known.get(arn);
    if (found !== undefined) return found;
    const der = Buffer.from(await calls.publicKey(arn));
    const key = lastingKey(createPublicKey({ key: der, format: 'der', type: 'spki' }));
    known.set(arn, key);
    return key;
  }

  function currentOf(purpose: LastingPurpose): string {
    const [current] = arns[purpose];
    if (current === undefined) throw new TypeError('at least one key that signs is needed');
    return current;
  }

  return {
    publicKeys: async (purpose) => {
      const [, ...others] = arns[purpose];
      const [first, ...rest] = await Promise.all([
        keyOf(currentOf(purpose)),
        ...others.map((arn) => keyOf(arn)),
      ]);
      return [first, ...rest];
    },
    sign: async (purpose, message) => {
      const arn = currentOf(purpose);
      const { keyId } = await keyOf(arn);
      return { keyId, signature: oneSpelling(await calls.sign(arn, message)) };
    },
  };
}
