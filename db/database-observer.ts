/** Who watches the pool and hears what was committed. It is called on the hot path: it must be quick and must never throw. */
import type { CommittedFact } from './committed-facts.ts';

export interface DatabaseObserver {
  /** A transaction asks for a connection. */
  asked(): void;
  /** It has one. */
  began(waitedSeconds: number): void;
  /** `code`: of the error that ended it, undefined after a commit. `held`: false when it never had a connection. */
  ended(facts: { readonly code: string | undefined; readonly held: boolean }): void;
  committed(facts: readonly CommittedFact[]): void;
}

export const nobodyWatches: DatabaseObserver = {
  asked: () => undefined,
  began: () => undefined,
  ended: () => undefined,
  committed: () => undefined,
};
