/**
 * What waits for a customer, as server-sent events (WHATWG HTML section 9.2): each step-up with its status, and again when that changes. One loop
 * a process reads PostgreSQL for everybody who listens. A listener hears the whole picture first, so whoever comes back has missed nothing.
 * It must never say more than id and status, nor outlive its session's right to hear it.
 */
import type { StepUpStanding } from '../../db/step-up-statuses.ts';
import type { Clock } from '../../domain/clock.ts';
import type { StepUpStatus } from '../../domain/step-up-status.ts';
import { createPolling } from './polling.ts';

const POLL_MS = 250;
/** SECURITY.md section 1: a session is judged anew so often, and told that it still stands. */
const RECHECK_MS = 15_000;
/** Sessions judged in one statement. */
const CHECKS = 200;
/** Of one process. */
const MAX_LISTENERS = 2_000;
/** Of a listener that does not read: then its connection ends, and it begins anew. */
const MAX_WAITING = 100;

export interface AppStreamSource {
  standings(
    tenantId: string,
    asked: { readonly customerIds: readonly string[]; readonly stepUpIds: readonly string[] },
  ): Promise<readonly StepUpStanding[]>;
  /** The sessions that may not listen any more. */
  ended(tenantId: string, sessionIds: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface ListenerIdentity {
  readonly tenantId: string;
  readonly customerId: string;
  readonly sessionId: string;
  /** When the token ends that opened it. */
  readonly expiresAtMs: number;
}

export interface Listening {
  /** Text frames, until it is over. */
  readonly frames: AsyncGenerator<string>;
  end(): void;
}

export interface AppStreams {
  /** undefined: too many listen. A session that listens already hears it here, and there no more. */
  listen(identity: ListenerIdentity): Listening | undefined;
}

interface Listener extends ListenerIdentity {
  readonly told: Map<string, StepUpStatus>;
  waiting: string[];
  checkedAtMs: number;
  isOver: boolean;
  wake: () => void;
}

export interface AppStreamOptions {
  readonly source: AppStreamSource;
  readonly clock: Clock;
  readonly isClosing: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly maxListeners?: number;
  readonly pollMs?: number;
}

export function createAppStreams(options: AppStreamOptions): AppStreams {
  const { clock, isClosing, onError, maxListeners = MAX_LISTENERS, pollMs = POLL_MS } = options;
  const listeners = new Map<string, Listener>();

  const look = async (): Promise<number> => {
    for (const [tenantId, group] of byTenant(listeners.values())) {
      try {
        await tellTenant(options, tenantId, group);
      } catch (error) {
        onError(error);
        for (const listener of group) finish(listener);
      }
    }
    for (const [key, listener] of listeners) if (listener.isOver) listeners.delete(key);
    return pollMs;
  };
  const begin = createPolling({
    isWanted: () => listeners.size > 0 && !isClosing(),
    look,
    whenDone: () => {
      for (const listener of listeners.values()) finish(listener);
      listeners.clear();
    },
  });

  return {
    listen: (identity) => {
      const key = `${identity.tenantId}/${identity.sessionId}`;
      const before = listeners.get(key);
      if (before === undefined && listeners.size >= maxListeners) return undefined;
      if (before !== undefined) finish(before);
      const listener = createListener(identity, clock.nowMs());
      listeners.set(key, listener);
      begin();
      return {
        frames: framesOf(listener),
        end: () => {
          finish(listener);
          if (listeners.get(key) === listener) listeners.delete(key);
        },
      };
    },
  };
}

function createListener(identity: ListenerIdentity, nowMs: number): Listener {
  return {
    ...identity,
    told: new Map(),
    waiting: [': open\n\n'],
    checkedAtMs: nowMs,
    isOver: false,
    wake: () => undefined,
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

async function tellTenant(
  { source, clock }: AppStreamOptions,
  tenantId: string,
  group: readonly Listener[],
): Promise<void> {
  const nowMs = clock.nowMs();
  for (const listener of group) if (nowMs >= listener.expiresAtMs) finish(listener);
  await recheck(source, tenantId, group, nowMs);
  const present = group.filter(({ isOver }) => !isOver);
  if (present.length === 0) return;
  const standings = await source.standings(tenantId, {
    customerIds: [...new Set(present.map(({ customerId }) => customerId))],
    // What was told as open may have ended since: it is asked for by its name.
    stepUpIds: [...new Set(present.flatMap(({ told }) => [...told.keys()]))],
  });
  const ofCustomer = Map.groupBy(standings, ({ customerId }) => customerId);
  for (const listener of present)
    for (const standing of ofCustomer.get(listener.customerId) ?? []) tell(listener, standing);
}

function tell(listener: Listener, { stepUpId, status, isEnded }: StepUpStanding): void {
  const before = listener.told.get(stepUpId);
  // Somebody else of this customer was told of it; this listener came after its end.
  if (isEnded && before === undefined) return;
  if (isEnded) listener.told.delete(stepUpId);
  else listener.told.set(stepUpId, status);
  if (before !== status)
    say(listener, `event: step_up\ndata: ${JSON.stringify({ stepUpId, status })}\n\n`);
}

/** Ends those that may not listen any more; says to the others that they still may. */
async function recheck(
  source: AppStreamSource,
  tenantId: string,
  group: readonly Listener[],
  nowMs: number,
): Promise<void> {
  const due = group.filter(
    ({ isOver, checkedAtMs }) => !isOver && nowMs - checkedAtMs >= RECHECK_MS,
  );
  for (let first = 0; first < due.length; first += CHECKS) {
    const some = due.slice(first, first + CHECKS);
    const ended = await source.ended(
      tenantId,
      some.map(({ sessionId }) => sessionId),
    );
    for (const listener of some) {
      listener.checkedAtMs = nowMs;
      if (ended.has(listener.sessionId)) finish(listener);
      else say(listener, 'event: beat\ndata: {}\n\n');
    }
  }
}

function byTenant(listeners: Iterable<Listener>): ReadonlyMap<string, readonly Listener[]> {
  return Map.groupBy(listeners, ({ tenantId }) => tenantId);
}
