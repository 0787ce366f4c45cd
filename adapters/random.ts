/** New ids for rows: the machine's clock and its cryptographic random source. Ids are opaque, never secrets. */
import { randomBytes } from 'node:crypto';
import { formatId } from '../domain/ids.ts';
import type { IdKind } from '../domain/ids.ts';
import { systemClock } from './clock.ts';

const ID_BYTES = 10;
/** Asked of the source at once: a question for ten bytes costs as much as one for hundreds. */
const POOLED_IDS = 64;
let pool = Buffer.alloc(0);

export function newId(kind: IdKind): string {
  if (pool.length < ID_BYTES) pool = randomBytes(ID_BYTES * POOLED_IDS);
  const random = pool.subarray(0, ID_BYTES);
  pool = pool.subarray(ID_BYTES);
  return formatId(kind, systemClock.nowMs(), random);
}
