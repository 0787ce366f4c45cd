/** A secret as what node:crypto takes without preparing it each time: several HMACs make up a refresh, and the preparing costs most of each. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const prepared = new WeakMap<Uint8Array, KeyObject>();

/** The same for the same array, whose bytes must not change. */
export function hmacKey(secret: Uint8Array): KeyObject {
  const found = prepared.get(secret);
  if (found !== undefined) return found;
  const made = createSecretKey(secret);
  prepared.set(secret, made);
  return made;
}
