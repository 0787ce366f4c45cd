/**
 * What a shown refresh token is answered with: the table of SECURITY.md section 2 as a pure rule. The row is read, this decides, and one
 * statement that repeats every condition acts; losing that race means reading and deciding again. Nothing here knows a token.
 */

/** The session's row, as far as it decides. */
export interface RefreshFamily {
  readonly generation: number;
  /** How often the current generation was delivered again. */
  readonly redeliveries: number;
  /** Generations in a row, before the current one, that needed redelivery. */
  readonly troubled: number;
  /** Whether the client named the request that made the current generation. */
  readonly isRequestNamed: boolean;
}

/** What was shown, compared with the row. */
export interface ShownToken {
  readonly generation: number;
  /** The proof's key is the family's. */
  readonly isKeyRight: boolean;
  /** The token's hash is the one the row keeps for its generation; never asked of generations that the row forgot. */
  readonly isHashRight: boolean;
  /** This request carries the id of the one that made the current generation, or neither carries one. */
  readonly isSameRequest: boolean;
}

export interface RefreshLimits {
  readonly maxRedeliveries: number;
  readonly maxTroubledGenerations: number;
}

export type RefreshDecision =
  /** Make the next generation. */
  | 'rotate'
  /** The answer was lost: the same generation again. */
  | 'redeliver'
  /** Redelivered as often as policy allows: log in again, nothing is killed. */
  | 'redelivery_exhausted'
  /** Somebody with the same key has a newer token: refused, kills nothing, raises risk. */
  | 'superseded'
  /** An old token: the family ends. */
  | 'reused'
  /** A generation the database has never seen, after a failover that lost commits: log in again, not reuse. */
  | 'future'
  /** Too many generations in a row were lost on their way: the person is asked for the passkey. */
  | 'passkey_needed'
  /** Right generation, other bytes: cannot happen while our keys are ours. Log in again. */
  | 'unknown'
  | 'wrong_key';

export function decideRefresh(
  family: RefreshFamily,
  shown: ShownToken,
  limits: RefreshLimits,
): RefreshDecision {
  if (!shown.isKeyRight) return 'wrong_key';
  if (shown.generation > family.generation) return 'future';
  if (shown.generation < family.generation - 1) return 'reused';
  if (!shown.isHashRight) return 'unknown';
  if (shown.generation === family.generation) {
    return needsPasskey(family, limits) ? 'passkey_needed' : 'rotate';
  }
  if (!shown.isSameRequest) return 'superseded';
  return family.redeliveries < limits.maxRedeliveries ? 'redeliver' : 'redelivery_exhausted';
}

/** How many generations in a row needed redelivery, the current one included. */
export function troubledGenerations({
  redeliveries,
  troubled,
}: Pick<RefreshFamily, 'redeliveries' | 'troubled'>): number {
  return redeliveries > 0 ? troubled + 1 : 0;
}

/** Only where requests are not named: there a clone that holds the key can pass its refreshes off as lost answers. */
function needsPasskey(family: RefreshFamily, limits: RefreshLimits): boolean {
  return !family.isRequestNamed && troubledGenerations(family) >= limits.maxTroubledGenerations;
}

/** Sessions end by the stricter of what their row says and what policy says now. */
export function effectiveDeadlines(
  row: {
    readonly startedAtMs: number;
    readonly lastSeenAtMs: number;
    readonly idleDeadlineMs: number;
    readonly absoluteDeadlineMs: number;
  },
  policy: { readonly idleSeconds: number; readonly absoluteSeconds: number },
): { readonly idleMs: number; readonly absoluteMs: number } {
  const absoluteMs = Math.min(
    row.absoluteDeadlineMs,
    row.startedAtMs + policy.absoluteSeconds * 1000,
  );
  const idleMs = Math.min(row.idleDeadlineMs, row.lastSeenAtMs + policy.idleSeconds * 1000);
  return { idleMs: Math.min(idleMs, absoluteMs), absoluteMs };
}
