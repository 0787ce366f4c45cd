/** Random bytes for every refresh: asking the source for 32 bytes costs as much as for thousands, so it is asked for many pieces at once. */
import { randomBytes } from 'node:crypto';

const PIECES = 64;

/** Each piece is given once and is nobody else's: none is ever given again or overwritten. */
export function createRandomSource(pieceBytes: number): () => Uint8Array {
  let pool = randomBytes(pieceBytes * PIECES);
  let used = 0;
  return () => {
    if (used === PIECES) {
      pool = randomBytes(pieceBytes * PIECES);
      used = 0;
    }
    const start = used * pieceBytes;
    used += 1;
    return pool.subarray(start, start + pieceBytes);
  };
}
