/**
 * What a kind of ceremony hands to its shell (ceremony.ts): its domain's table, its words, and the shapes that rows and their stores answer
 * with. Types only; a kind's own states, events and reasons stay in its domain.
 */
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import type { CeremonyOutcome } from '../domain/enrollment.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { RefusalExtra } from './failure.ts';

export interface CeremonyInput {
  readonly tenantId: string;
  /** The ceremony's id. */
  readonly id: string;
}

/** A handle of what the API wrote; past `notAfterMs` no activity acts on it. */
export interface StepHandle {
  readonly submissionId: string;
  readonly notAfterMs: number;
}

export interface Doorbell {
  readonly signalId: string;
}

/** The part of a ceremony's row that the shell goes by. */
export interface CeremonyRow {
  readonly state: string;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: string | null;
  /** Counts the moves. */
  readonly seq: number;
  /** The database's time when the row was read. */
  readonly nowMs: number;
  readonly maxUpdates: number;
}

export interface CeremonyResult<Row extends CeremonyRow> {
  readonly outcome: CeremonyOutcome | 'unknown';
  readonly reason: Row['reason'];
}

/** What one kind of ceremony says of a row: its domain's table and its words. All pure. */
export interface CeremonyRule<Row extends CeremonyRow, Event extends string> {
  readonly transition: (
    row: Row,
    event: Event,
    nowMs: number,
  ) =>
    | { readonly move: { readonly state: Row['state'] } }
    | { readonly stay: true }
    | { readonly refused: ErrorCode };
  readonly nextDueMs: (row: Row) => number;
  /** Facts that the caller whose guess found them is told as a refusal. */
  readonly refusedGuesses: { readonly [E in Event]?: ErrorCode };
  readonly describe: (row: Row) => string;
  readonly describeTimer: (row: Row) => string;
  readonly attributes: (row: Row) => SearchAttributeUpdatePair[];
  readonly notFound: ErrorCode;
  /** Until the row and the policy that it pinned have been read. */
  readonly defaultMaxUpdates: number;
  /**
   * Whether a timer goes on through doorbells while its deadline holds, which saves the events of starting it anew. Fixed for ever by the
   * histories of its kind.
   */
  readonly isTimerKept: boolean;
}

/** For the row's transaction, which derives it again. */
export interface Move<Row extends CeremonyRow, Event extends string> {
  readonly from: { readonly state: Row['state']; readonly seq: number };
  readonly event: Event;
  readonly to: Row['state'];
}

export interface Refusal {
  readonly refused: ErrorCode;
  readonly extra?: RefusalExtra;
}

/** What that transaction answers. `isMoved` false: somebody else moved it first. A `fact` is what the rows say instead: that is followed. */
export type Moved<Row extends CeremonyRow, Event extends string> =
  | { readonly isMoved: boolean; readonly snapshot: Row }
  | { readonly fact: Event }
  | Refusal;

export interface Judged<Row extends CeremonyRow, Event extends string> {
  readonly fact: Event;
  readonly snapshot: Row;
  readonly attemptsLeft: number | null;
}
