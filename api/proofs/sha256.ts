/** SHA-256 as bytes, for the several digests that make up a refresh. */
import { hash } from 'node:crypto';

/** By way of text: asked for bytes, Node makes a buffer of its own memory for each digest, which costs five times the digest. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', data, 'hex'), 'hex');
}
