/** New ids for rows: the machine's clock and its cryptographic random source. Ids are opaque, never secrets. */
import { randomBytes } from 'node:crypto';
import { formatId } from '../domain/ids.ts';
import type { IdKind } from '../domain/ids.ts';
import { systemClock } from './clock.ts';

export function newId(kind: IdKind): string {
  return formatId(kind, systemClock.nowMs(), randomBytes(10));
}
