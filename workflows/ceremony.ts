/**
 * The shell of every ceremony: a bounded number of steps that take turns, doorbells, one timer, moves by compare-and-set, and what Temporal's UI
 * shows. Rows decide: the shell reads them, hands a fact to its kind's rule (domain/) and makes the move that the rule names. It must never
 * hold what a step carried, nor name a state. Its commands stand in recorded histories: their order is part of the contract.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { SignalDefinition, UpdateDefinition } from '@temporalio/common';
import type { ErrorCode } from '../domain/errors.ts';
import type {
  CeremonyResult,
  CeremonyRow,
  CeremonyRule,
  Doorbell,
  Judged,
  Move,
  Moved,
  Refusal,
  StepHandle,
} from './ceremony-rule.ts';
import { fail, type RefusalExtra } from './failure.ts';

type StepUpdate = UpdateDefinition<void, [StepHandle]>;

interface Timer {
  readonly dueMs: number;
  readonly scope: CancellationScope;
  /** Resolves when it has run out or was cancelled. */
  readonly over: Promise<void>;
}

/** Timers look again at least this much later: the database's clock may be a little behind Temporal's. */
const RECHECK_MS = 100;

export const stepUpdate = (name: string): StepUpdate => defineUpdate<void, [StepHandle]>(name);

export abstract class Ceremony<Row extends CeremonyRow, Event extends string> {
  protected row: Row | undefined;
  private updates = 0;
  private rings = 0;
  /** Steps and timers take turns: each sees the row as the one before left it. */
  private turn: Promise<unknown> = Promise.resolve();
  private timer: Timer | undefined;
  private readonly rule: CeremonyRule<Row, Event>;
  /** Whether this run spares Temporal what only its lists would show, and timers that a running one rings in time for. */
  protected isQuiet = false;
  /** Whether it spares Temporal's lists the end that nearly all come to, too. */
  protected isLean = false;

  constructor(rule: CeremonyRule<Row, Event>) {
    this.rule = rule;
  }

  /** Reads the row and follows what it holds: a fact nobody acted on, then the timer that has run out. */
  protected abstract look(): Promise<void>;
  /** Notes on the row that its workflow is over. */
  protected abstract markClosed(): Promise<void>;

  /** What it does first, in whatever state its row is. */
  protected async begin(): Promise<void> {
    await this.look();
  }

  /** What it owes once its row has ended. */
  protected async settle(): Promise<void> {}

  /** From its first look at the row to the row's end. Whoever asks Temporal to cancel it does not: only rows end a ceremony. */
  async run(): Promise<CeremonyResult<Row>> {
    return await CancellationScope.nonCancellable(() => this.story());
  }

  private async story(): Promise<CeremonyResult<Row>> {
    let ringsHeard = this.rings;
    await this.inTurn(() => this.begin());
    while (this.row !== undefined && this.row.outcome === null) {
      const { seq } = this.row;
      this.arm(this.row);
      await condition(() => this.row?.seq !== seq || this.rings !== ringsHeard);
      if (!this.rule.isTimerKept) await this.disarm();
      // After a step the row in hand is fresh; a timer or a doorbell asks it.
      if (this.rings === ringsHeard) continue;
      ringsHeard = this.rings;
      await this.inTurn(() => this.look());
    }
    await this.settle();
    await condition(allHandlersFinished);
    await this.markClosed();
    return { outcome: this.row?.outcome ?? 'unknown', reason: this.row?.reason ?? null };
  }

  /** A step that may be refused; after as many as its policy allows no more are taken, or a stranger grew its history. */
  protected step(update: StepUpdate, act: (handle: StepHandle) => Promise<void>): void {
    const handler = (handle: StepHandle): Promise<void> => {
      this.updates += 1;
      return this.inTurn(() => act(handle));
    };
    const validator = (): void => {
      const limit = this.row?.maxUpdates ?? this.rule.defaultMaxUpdates;
      if (this.updates >= limit) fail('too_many_updates');
    };
    setHandler<void, [StepHandle], StepUpdate>(update, handler, { validator });
  }

  /** Signals that say only that there is something to read. */
  protected doorbells(...signals: readonly SignalDefinition<[Doorbell]>[]): void {
    for (const signal of signals) {
      setHandler(signal, () => {
        this.ring();
      });
    }
  }

  /** Something that the workflow waited for has come: the rows are asked. */
  protected ring(): void {
    this.rings += 1;
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    await mine;
  }

  /** A timer that runs out is one more ring; a row that waits for nobody's time has none. */
  private arm(row: Row): void {
    const dueMs = this.rule.nextDueMs(row);
    if (this.rule.isTimerKept && this.timer !== undefined) {
      const { dueMs: ringsAtMs } = this.timer;
      // One that rings too early is one look at the row, and rarer than the approval that comes in time.
      if (ringsAtMs === dueMs || (this.isQuiet && ringsAtMs < dueMs && dueMs !== Infinity)) return;
    }
    this.timer?.scope.cancel();
    this.timer = undefined;
    // Held: time stands still until somebody rings.
    if (dueMs === Infinity) return;
    const waitMs = Math.max(dueMs - row.nowMs, RECHECK_MS);
    const summary = this.rule.describeTimer(row);
    const scope = new CancellationScope();
    const over = scope
      .run(() => sleep(waitMs, { summary }))
      .then(() => {
        if (this.timer === timer) this.timer = undefined;
        this.ring();
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    const timer = { dueMs, scope, over };
    this.timer = timer;
  }

  private async disarm(): Promise<void> {
    this.timer?.scope.cancel();
    await this.timer?.over;
  }

  /** Makes the move that follows from a fact. Answers why not, when the domain or the move's transaction refused it. */
  protected async move(
    event: Event,
    advance: (move: Move<Row, Event>) => Promise<Moved<Row, Event>>,
  ): Promise<ErrorCode | undefined> {
    for (let fact = event; ;) {
      if (this.row === undefined) return this.rule.notFound;
      const next = this.rule.transition(this.row, fact, this.row.nowMs);
      if ('refused' in next) return next.refused;
      if ('stay' in next) return undefined;
      const { state, seq } = this.row;
      const moved = await advance({ from: { state, seq }, event: fact, to: next.move.state });
      if ('refused' in moved) return moved.refused;
      if ('fact' in moved) {
        fact = moved.fact;
        continue;
      }
      this.show(moved.snapshot);
      if (moved.isMoved) return undefined;
    }
  }

  /** Follows what a typed code turned out to be, in the state that waits for it; who typed it is told what was wrong. */
  protected async followGuess(
    judged: Judged<Row, Event> | Refusal,
    state: Row['state'],
    follow: (fact: Event) => Promise<ErrorCode | undefined>,
  ): Promise<void> {
    const { fact, snapshot, attemptsLeft } = this.take<Judged<Row, Event>>(judged);
    // A repeat of what has been followed already: told the same, nothing moves.
    const refused = snapshot.state === state ? await follow(fact) : undefined;
    if (refused !== undefined) this.refuse(refused);
    const code = this.rule.refusedGuesses[fact];
    if (code !== undefined) this.refuse(code, attemptsLeft === null ? {} : { attemptsLeft });
  }

  /** An answer of the rows to a step, which stands on their newest state. */
  protected take<Answer extends { readonly snapshot: Row }>(answer: Answer | Refusal): Answer {
    if ('refused' in answer) this.refuse(answer.refused, answer.extra);
    this.show(answer.snapshot);
    return answer;
  }

  protected refuse(code: ErrorCode, extra: RefusalExtra = {}): never {
    fail(code, { ...extra, ...(this.row === undefined ? {} : { state: this.row.state }) });
  }

  protected show(row: Row): void {
    if (row.state !== this.row?.state && this.isForLists(row))
      upsertSearchAttributes(this.rule.attributes(row));
    this.row = row;
    setCurrentDetails(this.rule.describe(row));
  }

  /** Each is an event and a write of Temporal's visibility store. */
  private isForLists({ outcome }: Row): boolean {
    if (!this.isQuiet) return true;
    return outcome !== null && !(this.isLean && outcome === 'completed');
  }
}
