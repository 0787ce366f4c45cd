/**
 * The cut-off feed as server-sent events (WHATWG HTML section 9.2). One reading of PostgreSQL a tenant and process serves every follower. It
 * must never say that it is up to date when it has not just read, nor outlive its follower's right to read.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FeedPage, PlacedCutOff } from '../../db/cut-off-feed.ts';
import type { Clock } from '../../domain/clock.ts';
import { isoTime } from '../iso-time.ts';

/** How late a cut-off reaches a service, at worst, in ordinary times. */
const POLL_MS = 250;
/** A follower that missed a few of these stops answering. */
const BEAT_MS = 2_000;
/** SECURITY.md section 1. */
const RECHECK_MS = 15_000;
const PAGE = 1_000;
/** Of a follower that does not read: then its connection ends, and it begins anew. */
const MAX_WAITING = 100_000;

export interface FeedSource {
  read(after: string, limit: number): Promise<FeedPage>;
  /** Whatever is committed from now on comes after it. */
  positionNow(): Promise<string>;
}

type Listener = (page: FeedPage | undefined) => void;

/** Reads for all followers of one tenant, while there are any. */
export interface FeedTap {
  /** Once it resolves nothing that is committed later is missing from what the listener hears; undefined ends it: come back. */
  follow(listener: Listener): Promise<() => void>;
}

export function createFeedTap(source: FeedSource, isClosing: () => boolean): FeedTap {
  const followers = new Set<Listener>();
  let beginning: Promise<void> | undefined;

  const run = async (from: string): Promise<void> => {
    let after = from;
    while (followers.size > 0 && !isClosing()) {
      const page = await source.read(after, PAGE).catch(() => undefined);
      for (const tell of followers) tell(page);
      if (page === undefined) break;
      after = page.next;
      if (page.asOfMs !== undefined) await pause(POLL_MS);
    }
    for (const tell of followers) tell(undefined);
    followers.clear();
    beginning = undefined;
  };
  return {
    follow: async (listener) => {
      followers.add(listener);
      beginning ??= source.positionNow().then((from) => void run(from));
      try {
        await beginning;
      } catch (error) {
        followers.delete(listener);
        beginning = undefined;
        throw error;
      }
      return () => followers.delete(listener);
    },
  };
}

export interface FollowerOptions {
  readonly source: FeedSource;
  readonly tap: FeedTap;
  readonly after: string;
  readonly expiresAtMs: number;
  readonly clock: Clock;
  /** Whether its client still has the right. */
  readonly mayRead: () => Promise<boolean>;
}

/** Text frames: what happened since `after`, then a beat that says until when that is all, then both as they come. */
export async function* cutOffFrames(options: FollowerOptions): AsyncGenerator<string> {
  const { source, tap, clock, expiresAtMs } = options;
  const inbox = createInbox();
  const leave = await tap.follow(inbox.put);
  try {
    for (let { after } = options, isUpToDate = false; !isUpToDate;) {
      const page = await source.read(after, PAGE);
      yield* framesOf(page);
      after = page.next;
      isUpToDate = page.asOfMs !== undefined;
    }
    let beatAtMs = clock.nowMs();
    let checkedAtMs = clock.nowMs();
    while (clock.nowMs() < expiresAtMs) {
      const heard = await inbox.take();
      if (heard === undefined) return;
      if (clock.nowMs() - checkedAtMs >= RECHECK_MS) {
        if (!(await options.mayRead())) return;
        checkedAtMs = clock.nowMs();
      }
      if (heard.entries.length === 0 && clock.nowMs() - beatAtMs < BEAT_MS) continue;
      beatAtMs = clock.nowMs();
      yield* framesOf(heard);
    }
  } finally {
    leave();
  }
}

/** What the tap told since the follower last took, as one page; each cut-off once as long as the tap repeats it. */
function createInbox(): { put: Listener; take: () => Promise<FeedPage | undefined> } {
  const told = new Set<number>();
  let entries: PlacedCutOff[] = [];
  let latest: FeedPage | undefined;
  let isOver = false;
  let wake: () => void = () => undefined;
  return {
    put: (page) => {
      latest = page;
      if (page?.entries.length === 0) told.clear();
      for (const entry of page?.entries ?? []) {
        if (told.has(entry.position)) continue;
        told.add(entry.position);
        entries.push(entry);
      }
      isOver ||= page === undefined || entries.length > MAX_WAITING;
      wake();
    },
    take: async () => {
      while (latest === undefined && !isOver)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      if (isOver || latest === undefined) return undefined;
      const page = { ...latest, entries };
      entries = [];
      latest = undefined;
      return page;
    },
  };
}

function* framesOf({ entries, next, asOfMs }: FeedPage): Generator<string> {
  const cutOffs = entries.map(({ cutOff: { atMs, ...cutOff } }) => ({
    ...cutOff,
    at: isoTime(atMs),
  }));
  if (cutOffs.length > 0) yield frame('cut-offs', next, { cutOffs });
  if (asOfMs !== undefined) yield frame('beat', next, { asOf: isoTime(asOfMs) });
}

function frame(event: string, id: string, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
