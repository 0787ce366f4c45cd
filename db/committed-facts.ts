/**
 * What a transaction has done, told once and only after it committed: a repeat that found the work done notes nothing, a rollback takes its
 * notes with it. So whoever counts, counts each fact once, retries or not. A process that dies in between loses the count, never the fact.
 */
import type { CeremonyOutcome, EnrollmentReason, EnrollmentState } from '../domain/enrollment.ts';
import type { RecoveryReason, RecoveryState } from '../domain/recovery.ts';
import type { SessionEndReason } from '../domain/session.ts';
import type { StepUpReason, StepUpState } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';

export type CommittedFact =
  | {
      readonly kind: 'ceremony_moved';
      readonly ceremony: 'enrollment';
      readonly from: EnrollmentState;
      readonly to: EnrollmentState;
      readonly outcome: CeremonyOutcome | null;
      readonly reason: EnrollmentReason | null;
    }
  | {
      readonly kind: 'ceremony_moved';
      readonly ceremony: 'step_up';
      readonly from: StepUpState;
      readonly to: StepUpState;
      readonly outcome: CeremonyOutcome | null;
      readonly reason: StepUpReason | null;
    }
  | {
      readonly kind: 'ceremony_moved';
      readonly ceremony: 'recovery';
      readonly from: RecoveryState;
      readonly to: RecoveryState;
      readonly outcome: CeremonyOutcome | null;
      readonly reason: RecoveryReason | null;
    }
  | { readonly kind: 'session_started'; readonly acr: string }
  | { readonly kind: 'sessions_ended'; readonly reason: SessionEndReason; readonly count: number }
  | { readonly kind: 'refresh_decided'; readonly outcome: string }
  | { readonly kind: 'cut_off'; readonly reason: string }
  | { readonly kind: 'revocation_sealed'; readonly afterSeconds: number }
  | { readonly kind: 'revocation_alarmed' };

const notes = new WeakMap<Tx, CommittedFact[]>();

/** Opens the list of a transaction; whoever commits it reads the list then. */
export function collectFacts(tx: Tx): readonly CommittedFact[] {
  const facts: CommittedFact[] = [];
  notes.set(tx, facts);
  return facts;
}

/** Heard by nobody when the transaction was not opened by db/connection.ts. */
export function noteFact(tx: Tx, fact: CommittedFact): void {
  notes.get(tx)?.push(fact);
}
