/**
 * The parts of a development stack that the stage's buttons break and mend: the phone's line, the worker with its build, Temporal. One
 * change at a time, each remembered with its moment. What a button stopped is no reason to end the rest; production has none of this.
 */
import type { Clock } from '../domain/clock.ts';
import type { LostAnswer } from './dropping-proxy.ts';
import { PartHistory } from './part-history.ts';
import type { Deployment, PartRefusal, Parts, PartStatus, PartsView } from './parts.ts';
import type { WorkerProcess } from './latchkey-processes.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { LineStatus, PhoneLine } from './phone-line.ts';
import type { WantedEnds } from './wanted-ends.ts';

export interface StackPartsOptions {
  readonly clock: Clock;
  readonly line: PhoneLine;
  readonly ends: WantedEnds;
  readonly worker: WorkerProcess;
  /** A worker with the given build, its own when left out. */
  readonly launchWorker: (buildId: string | undefined) => Promise<WorkerProcess>;
  /** undefined: not ours. */
  readonly temporal:
    | {
        readonly process: ManagedProcess;
        readonly launch: () => Promise<ManagedProcess>;
        /** Keeps its port while it is down; resolves with how to let it go. */
        readonly holdPort: () => Promise<() => Promise<void>>;
      }
    | undefined;
}

interface Standing {
  readonly status: PartStatus;
  readonly sinceMs: number;
}

export class StackParts implements Parts {
  readonly #options: StackPartsOptions;
  #worker: WorkerProcess;
  #temporal: ManagedProcess | undefined;
  #letPortGo = (): Promise<void> => Promise.resolve();
  #standing: { worker: Standing; temporal: Standing };
  #lineSinceMs: number;
  #isLineDown = false;
  #buildId: string | undefined;
  /** What the next start of the worker brings; its own build until another one was deployed. */
  #deployedBuildId: string | undefined;
  #deployment: Deployment | undefined;
  readonly #history: PartHistory;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: StackPartsOptions) {
    this.#options = options;
    const sinceMs = options.clock.nowMs();
    this.#history = new PartHistory(options.clock);
    this.#lineSinceMs = sinceMs;
    this.#standing = {
      worker: { status: 'starting', sinceMs },
      temporal: { status: 'up', sinceMs },
    };
    this.#temporal = options.temporal?.process;
    this.#worker = options.worker;
    this.#watchWorker(options.worker);
    options.line.onChange((status, lost) => {
      this.#lineChanged(status, lost);
    });
  }

  view(): PartsView {
    const { worker, temporal } = this.#standing;
    return {
      line: { status: this.#options.line.status(), since: isoOf(this.#lineSinceMs) },
      worker: {
        status: worker.status,
        since: isoOf(worker.sinceMs),
        ...(this.#buildId === undefined ? {} : { buildId: this.#buildId }),
      },
      temporal: {
        status: this.#temporal === undefined ? 'not_ours' : temporal.status,
        since: isoOf(temporal.sinceMs),
      },
      ...(this.#deployment === undefined ? {} : { deployment: this.#deployment }),
      events: this.#history.events(),
    };
  }

  dropNextAnswer(): void {
    this.#options.line.dropNextAnswer();
  }

  restoreLine(): void {
    this.#options.line.restore();
  }

  stopWorker(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#standing.worker.status === 'down') return;
      this.#become('worker', 'stopping');
      await this.#options.ends.end(this.#worker);
      this.#become('worker', 'down');
      this.#history.remember({ what: 'worker_stopped' });
    });
  }

  startWorker(): Promise<void> {
    return this.#inTurn(() => this.#startWorker());
  }

  stopTemporal(): Promise<PartRefusal | undefined> {
    return this.#inTurn(async () => {
      const { temporal } = this.#options;
      if (temporal === undefined || this.#temporal === undefined) return 'not_ours';
      if (this.#standing.temporal.status === 'down') return undefined;
      this.#become('temporal', 'stopping');
      await this.#options.ends.end(this.#temporal);
      this.#letPortGo = await temporal.holdPort();
      this.#become('temporal', 'down');
      this.#history.remember({ what: 'temporal_stopped' });
      return undefined;
    });
  }

  startTemporal(): Promise<PartRefusal | undefined> {
    return this.#inTurn(() => this.#startTemporal());
  }

  deploy(): Promise<PartRefusal | undefined> {
    return this.#inTurn(async () => {
      const from = this.#buildId;
      if (this.#standing.temporal.status !== 'up') return 'temporal_down';
      if (this.#standing.worker.status !== 'up' || from === undefined) return 'worker_down';
      const to = followingBuild(from);
      this.#deployment = { from, to, phase: 'starting' };
      const before = this.#worker;
      const next = await this.#options.launchWorker(to);
      const promoted = await Promise.race([next.promoted, next.exited.then(() => undefined)]);
      if (promoted === undefined) {
        await this.#options.ends.end(next);
        this.#deployment = { from, to, phase: 'failed' };
        return undefined;
      }
      this.#worker = next;
      this.#deployedBuildId = to;
      this.#deployment = { from, to, phase: 'draining' };
      this.#watchWorker(next);
      await this.#options.ends.end(before);
      this.#deployment = { from, to, phase: 'done' };
      this.#history.remember({ what: 'deployed', from, to });
      return undefined;
    });
  }

  resumeAll(): Promise<void> {
    this.#options.line.restore();
    return this.#inTurn(async () => {
      await this.#startTemporal();
      await this.#startWorker();
    });
  }

  async startOver(): Promise<void> {
    this.#deployment = undefined;
    await this.#history.forgetAnd(() => this.resumeAll());
  }

  async #startWorker(): Promise<void> {
    if (this.#standing.worker.status !== 'down') return;
    this.#become('worker', 'starting');
    try {
      this.#worker = await this.#options.launchWorker(this.#deployedBuildId);
    } catch (error) {
      this.#become('worker', 'down');
      throw error;
    }
    this.#watchWorker(this.#worker);
    // Without Temporal no build becomes current: the worker waits for it.
    if (this.#standing.temporal.status === 'up')
      await Promise.race([this.#worker.promoted, this.#worker.exited]);
    this.#history.remember({ what: 'worker_started' });
  }

  async #startTemporal(): Promise<PartRefusal | undefined> {
    const { temporal } = this.#options;
    if (temporal === undefined) return 'not_ours';
    if (this.#standing.temporal.status !== 'down') return undefined;
    this.#become('temporal', 'starting');
    await this.#letPortGo();
    try {
      this.#temporal = await temporal.launch();
    } catch (error) {
      this.#letPortGo = await temporal.holdPort();
      this.#become('temporal', 'down');
      throw error;
    }
    this.#become('temporal', 'up');
    this.#history.remember({ what: 'temporal_started' });
    return undefined;
  }

  /** It is up once its build is the current one; one that ended is down, whoever ended it. */
  #watchWorker(worker: WorkerProcess): void {
    void worker.promoted.then((buildId) => {
      if (worker !== this.#worker || buildId === undefined) return;
      this.#buildId = buildId;
      if (this.#standing.worker.status === 'starting') this.#become('worker', 'up');
    });
    void worker.exited.then(() => {
      if (worker === this.#worker && this.#standing.worker.status !== 'stopping')
        this.#become('worker', 'down');
    });
  }

  #lineChanged(status: LineStatus, lost: LostAnswer | undefined): void {
    this.#lineSinceMs = this.#options.clock.nowMs();
    if (lost !== undefined)
      this.#history.remember({ what: 'answer_lost', path: lost.path, status: lost.status });
    else if (status === 'up' && this.#isLineDown) this.#history.remember({ what: 'line_restored' });
    this.#isLineDown = status === 'down';
  }

  #become(part: 'worker' | 'temporal', status: PartStatus): void {
    this.#standing = {
      ...this.#standing,
      [part]: { status, sinceMs: this.#options.clock.nowMs() },
    };
  }

  /** One change at a time, in the order of the buttons. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

const isoOf = (ms: number): string => new Date(ms).toISOString();

/** `3f2a…` → `3f2a….2` → `3f2a….3`: the same code under a new name, which is what a deployment is to Temporal. */
function followingBuild(buildId: string): string {
  const [, base = buildId, number = '1'] = /^(.+)\.(\d{1,6})$/.exec(buildId) ?? [];
  return `${base}.${String(Number(number) + 1)}`;
}
