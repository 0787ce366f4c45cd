/**
 * A bell for whoever has a case of recovery on the screen, as server-sent events (WHATWG HTML section 9.2). One loop a process reads PostgreSQL for
 * everybody who listens. It must say no more than that something changed, and never outlive the session of the staff who listens.
 */
import type { RecoveryMark } from '../../db/recovery-marks.ts';
import type { Clock } from '../../domain/clock.ts';
import { createPolling } from './polling.ts';

const POLL_MS = 500;
/** SECURITY.md section 1: a session is judged anew so often, and told that it still stands. */
const RECHECK_MS = 15_000;
/** Of one process: every desk of a contact centre. */
const MAX_LISTENERS = 1_000;
/** Of a listener that does not read: then its connection ends. */
const MAX_WAITING = 50;

export interface RecoveryStreamSource {
  marks(tenantId: string, recoveryIds: readonly string[]): Promise<readonly RecoveryMark[]>;
  /** Those sessions that still may. */
  mayLook(tenantId: string, staffSessionIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface CaseListener {
  readonly tenantId: string;
  readonly recoveryId: string;
  readonly staffSessionId: string;
}

interface Listener extends CaseListener {
  told: string | undefined;
  waiting: string[];
  checkedAtMs: number;
  isOver: boolean;
  wake: () => void;
}

export interface RecoveryStreamOptions {
  readonly source: RecoveryStreamSource;
  readonly clock: Clock;
  readonly isClosing: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly maxListeners?: number;
}

export function createRecoveryStreams(options: RecoveryStreamOptions) {
  const { clock, isClosing, onError, maxListeners = MAX_LISTENERS } = options;
  const listeners = new Set<Listener>();
  const look = async (): Promise<number> => {
    for (const [tenantId, group] of Map.groupBy(listeners, (one) => one.tenantId)) {
      try {
        await recheck(options, tenantId, group);
        await tell(options, tenantId, group);
      } catch (error) {
        onError(error);
        for (const listener of group) finish(listener);
      }
    }
    for (const listener of listeners) if (listener.isOver) listeners.delete(listener);
    return POLL_MS;
  };
  const begin = createPolling({
    isWanted: () => listeners.size > 0 && !isClosing(),
    look,
    whenDone: () => {
      for (const listener of listeners) finish(listener);
      listeners.clear();
    },
  });
  return {
    /** undefined: too many listen. */
    listen: (who: CaseListener) => {
      if (listeners.size >= maxListeners) return undefined;
      const listener: Listener = {
        ...who,
        told: undefined,
        waiting: [': open\n\n'],
        checkedAtMs: clock.nowMs(),
        isOver: false,
        wake: () => undefined,
      };
      listeners.add(listener);
      begin();
      return {
        frames: framesOf(listener),
        end: () => {
          finish(listener);
          listeners.delete(listener);
        },
      };
    },
  };
}

async function* framesOf(listener: Listener): AsyncGenerator<string> {
  while (!listener.isOver || listener.waiting.length > 0) {
    const frames = listener.waiting;
    listener.waiting = [];
    yield* frames;
    if (listener.waiting.length > 0 || listener.isOver) continue;
    await new Promise<void>((resolve) => {
      listener.wake = resolve;
    });
  }
}

function finish(listener: Listener): void {
  listener.isOver = true;
  listener.wake();
}

function say(listener: Listener, frame: string): void {
  listener.waiting.push(frame);
  if (listener.waiting.length > MAX_WAITING) listener.isOver = true;
  listener.wake();
}

async function recheck(
  { source, clock }: RecoveryStreamOptions,
  tenantId: string,
  group: readonly Listener[],
): Promise<void> {
  const nowMs = clock.nowMs();
  const due = group.filter(
    ({ isOver, checkedAtMs }) => !isOver && nowMs - checkedAtMs >= RECHECK_MS,
  );
  if (due.length === 0) return;
  const may = await source.mayLook(tenantId, [
    ...new Set(due.map(({ staffSessionId }) => staffSessionId)),
  ]);
  for (const listener of due) {
    listener.checkedAtMs = nowMs;
    if (may.has(listener.staffSessionId)) say(listener, 'event: beat\ndata: {}\n\n');
    else finish(listener);
  }
}

async function tell(
  { source }: RecoveryStreamOptions,
  tenantId: string,
  group: readonly Listener[],
): Promise<void> {
  const present = group.filter(({ isOver }) => !isOver);
  if (present.length === 0) return;
  const marks = await source.marks(tenantId, [
    ...new Set(present.map(({ recoveryId }) => recoveryId)),
  ]);
  const byId = new Map(marks.map((mark) => [mark.recoveryId, mark]));
  for (const listener of present) {
    const mark = byId.get(listener.recoveryId);
    if (mark === undefined) continue;
    const { revision, seq, entries } = mark;
    const now = `${String(revision)}/${String(seq)}/${String(entries)}`;
    if (now === listener.told) continue;
    listener.told = now;
    say(listener, `event: recovery\ndata: ${JSON.stringify({ revision, seq })}\n\n`);
  }
}
