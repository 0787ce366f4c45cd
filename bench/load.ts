/**
 * Load on the API: as fast as so many connections go (closed), or so many requests a second whatever the answers take (open). Each request
 * counts by its status; one that is not what was expected is an error, and a figure with errors is none.
 */
import { openLine } from './http-line.ts';
import type { HttpAnswer, HttpLine } from './http-line.ts';

/** One kind of request. Requests are made ahead by `prepare`, outside of what is measured. */
export interface Operation {
  readonly name: 'refresh' | 'verify' | 'login' | 'revoke';
  readonly prepare: (count: number) => void;
  readonly next: () => Shot;
}

export interface Shot {
  /** The whole request. */
  readonly request: string;
  /** Whether the answer is right; keeps of it what the next request needs. */
  readonly landed: (answer: HttpAnswer) => boolean;
}

export interface Measured {
  readonly requests: number;
  readonly errors: number;
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
  /** Of the first that was wrong. */
  readonly firstError: string | undefined;
}

interface Tally {
  errors: number;
  firstError: string | undefined;
  readonly latenciesMs: number[];
}

export interface ClosedLoad {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Of all connections together; without it time alone ends. */
  readonly atMost?: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

export async function runClosed(operation: Operation, load: ClosedLoad): Promise<Measured> {
  const lines = await openLines(load.port, load.connections);
  const tally = newTally();
  const beganAt = performance.now();
  const endsAt = beganAt + load.seconds * 1000;
  let left = load.atMost ?? Infinity;
  const isOver = () => performance.now() >= endsAt || load.signal?.aborted === true;
  const drive = async (line: HttpLine) => {
    while (left > 0 && !isOver()) {
      left -= 1;
      await shoot(operation, line, { tally, since: performance.now() });
    }
  };
  try {
    await Promise.all(lines.map(drive));
  } finally {
    for (const line of lines) line.close();
  }
  return summary(tally, (performance.now() - beganAt) / 1000);
}

export interface OpenLoad {
  readonly port: number;
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** A request that finds no free connection waits, and its wait counts: what is late is not forgiven. */
export async function runOpen(operation: Operation, load: OpenLoad): Promise<Measured> {
  const { perSecond, seconds } = load;
  operation.prepare(Math.ceil(perSecond * seconds));
  const lines = await openLines(load.port, load.connections);
  const tally = newTally();
  const idle = [...lines];
  const waiting: number[] = [];
  const underWay = new Set<Promise<void>>();
  const begin = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const [line, since] = [idle.pop(), waiting.shift()];
      if (line === undefined || since === undefined) return;
      const shot = shoot(operation, line, { tally, since }).then(() => {
        underWay.delete(shot);
        idle.push(line);
        begin();
      });
      underWay.add(shot);
    }
  };
  const beganAt = performance.now();
  let sent = 0;
  for (let now = beganAt; now < beganAt + seconds * 1000; now = await nextTick()) {
    // What came due since the last tick arrives with this one.
    const due = Math.floor(((now - beganAt) / 1000) * perSecond);
    for (; sent < due; sent += 1) waiting.push(now);
    begin();
  }
  while (waiting.length > 0 || underWay.size > 0) await nextTick();
  const elapsed = (performance.now() - beganAt) / 1000;
  for (const line of lines) line.close();
  return summary(tally, elapsed);
}

function nextTick(): Promise<number> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve(performance.now());
    }, 1);
  });
}

async function shoot(
  operation: Operation,
  line: HttpLine,
  { tally, since }: { readonly tally: Tally; readonly since: number },
): Promise<void> {
  const { request, landed } = operation.next();
  try {
    const answer = await line.send(request);
    tally.latenciesMs.push(performance.now() - since);
    if (!landed(answer)) note(tally, `${String(answer.status)} ${answer.body.slice(0, 300)}`);
  } catch (error) {
    note(tally, String(error));
    throw error;
  }
}

function note(tally: Tally, what: string): void {
  tally.errors += 1;
  tally.firstError ??= what;
}

function newTally(): Tally {
  return { errors: 0, firstError: undefined, latenciesMs: [] };
}

function summary({ errors, firstError, latenciesMs }: Tally, seconds: number): Measured {
  const requests = latenciesMs.length;
  return { requests, errors, firstError, latenciesMs, perSecond: (requests - errors) / seconds };
}

async function openLines(port: number, count: number): Promise<HttpLine[]> {
  return await Promise.all(Array.from({ length: count }, () => openLine(port)));
}
