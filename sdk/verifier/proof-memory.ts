/**
 * Which proofs were used, in this process. Several instances of a service that must not each take the same proof give the verifier a memory
 * that they share. It must never forget a proof while it could be shown again: when it is full it refuses.
 */

/** How the verifier remembers. `full`: it could not, so the request is not let in. */
export interface ProofMemory {
  spend(mark: string, issuedAtMs: number): SpentProof | Promise<SpentProof>;
}

export type SpentProof = 'fresh' | 'replayed' | 'full';

export interface ProofMemoryOptions {
  readonly nowMs: () => number;
  /** How long a proof can be valid, from the earliest clock to the latest. */
  readonly keptSeconds: number;
  readonly skewSeconds: number;
  readonly maxProofs?: number;
}

const MAX_PROOFS = 500_000;

/** Two generations, each as old as a proof can get: what is in neither is too old to be shown. */
export function createProofMemory(options: ProofMemoryOptions): ProofMemory {
  const { nowMs, keptSeconds, skewSeconds, maxProofs = MAX_PROOFS } = options;
  // What came before this process is unknown to it; a clock that runs ahead may have dated it later.
  const knowsSinceMs = nowMs() + skewSeconds * 1_000;
  let current = new Set<string>();
  let previous = new Set<string>();
  let turnsAtMs = nowMs() + keptSeconds * 1_000;
  return {
    spend: (mark, issuedAtMs) => {
      if (nowMs() >= turnsAtMs) {
        const isLongAgo = nowMs() >= turnsAtMs + keptSeconds * 1_000;
        previous = isLongAgo ? new Set() : current;
        current = new Set();
        turnsAtMs = nowMs() + keptSeconds * 1_000;
      }
      if (issuedAtMs < knowsSinceMs || current.has(mark) || previous.has(mark)) return 'replayed';
      if (current.size >= maxProofs) return 'full';
      current.add(mark);
      return 'fresh';
    },
  };
}
