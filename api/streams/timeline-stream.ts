/**
 * The timeline as server-sent events (WHATWG HTML section 9.2): audit rows as they are committed. It reads PostgreSQL again and again and
 * keeps nothing open there. It must never outlive the token that opened it, nor its reader's right to read.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { TimelineEntry } from '../../db/timeline.ts';
import type { Clock } from '../../domain/clock.ts';
import { isoTime } from '../iso-time.ts';

const POLL_MS = 250;
const BEAT_MS = 15_000;
const PAGE = 200;
/** Positions are given out before the commit: a slow transaction appears below what was read already. So this many are read again. */
const OVERLAP = 500;

export interface TimelineSource {
  /** undefined: the reader may not read any more. */
  read(after: number, limit: number): Promise<readonly TimelineEntry[] | undefined>;
}

/**
 * Yields text frames until `expiresAtMs`, when the reader must come back with a new token and `Last-Event-ID`. Each entry at least once:
 * a reader that comes back is told again what stands shortly before, and knows it by its position.
 */
export async function* timelineFrames(
  source: TimelineSource,
  options: { readonly after: number; readonly expiresAtMs: number; readonly clock: Clock },
): AsyncGenerator<string> {
  const { clock, expiresAtMs } = options;
  const sent = new Set<number>();
  let highest = options.after;
  let spokeAtMs = clock.nowMs();
  yield ': open\n\n';
  while (clock.nowMs() < expiresAtMs) {
    const rows = await source.read(Math.max(0, highest - OVERLAP), PAGE + OVERLAP);
    if (rows === undefined) return;
    const entries = rows.filter(({ position }) => !sent.has(position));
    for (const entry of entries) {
      sent.add(entry.position);
      highest = Math.max(highest, entry.position);
      yield frame(entry);
    }
    for (const position of sent) if (position < highest - 2 * OVERLAP) sent.delete(position);
    if (entries.length > 0) spokeAtMs = clock.nowMs();
    else if (clock.nowMs() - spokeAtMs >= BEAT_MS) {
      spokeAtMs = clock.nowMs();
      yield ': still here\n\n';
    }
    if (entries.length < PAGE) await pause(POLL_MS);
  }
}

function frame({ atMs, customerId, ceremonyId, ...entry }: TimelineEntry): string {
  const data = {
    ...entry,
    at: isoTime(atMs),
    ...(customerId === null ? {} : { customerId }),
    ...(ceremonyId === null ? {} : { ceremonyId }),
  };
  return `id: ${String(entry.position)}\nevent: audit\ndata: ${JSON.stringify(data)}\n\n`;
}
