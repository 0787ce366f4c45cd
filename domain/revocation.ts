/**
 * The cut-off of a customer as a rule: what each stage of a revocation may follow, and what its receipt says. The cut-off itself has
 * already happened, in the API's transaction, before a revocation starts: nothing here makes it safer, it only tells and confirms.
 */

export interface RevocationSubject {
  readonly tenantId: string;
  readonly revocationId: string;
}

/** A workflow to ring because its row was ended. */
export interface WakeTarget {
  readonly kind: 'session' | 'enrollment';
  readonly id: string;
  readonly healCount: number;
}

/** What PostgreSQL knows of a revocation; times in milliseconds. */
export interface RevocationFacts {
  readonly revocationId: string;
  readonly customerId: string;
  readonly status: 'running' | 'sealed';
  readonly reason: string;
  readonly requestedBy: string;
  readonly oldEpoch: number;
  readonly newEpoch: number;
  readonly effectiveAtMs: number;
  /** When the last access token that a service may still check by itself, without asking, has expired. */
  readonly lastTokenDiesAtMs: number;
  readonly devices: number;
  readonly credentials: number;
  readonly sessionsEnded: number | null;
  readonly ceremoniesEnded: number | null;
  readonly rowsEndedAtMs: number | null;
  readonly sealedAtMs: number | null;
  readonly workflowsClosedAtMs: number | null;
}

/** Says what was stopped, when it was effective, and when the last local token dies. No personal data. */
export interface RevocationReceipt {
  readonly version: 1;
  readonly revocationId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly oldEpoch: number;
  readonly newEpoch: number;
  readonly effectiveAt: string;
  readonly rowsEndedAt: string;
  readonly secondListingEmptyAt: string;
  readonly lastTokenDiesAt: string;
  readonly stopped: {
    readonly devices: number;
    readonly credentials: number;
    readonly sessions: number;
    readonly ceremonies: number;
  };
}

/** With the bank's signature over everything else of it, as sdk/receipt verifies it. */
export interface SignedRevocationReceipt extends Omit<RevocationReceipt, 'version'> {
  readonly type: 'latchkey-revocation-receipt';
  readonly version: 2;
  /** The tenant's issuer: where its receipt keys are published. */
  readonly iss: string;
  readonly tenant: string;
  readonly signature: string;
}

/** @throws TypeError when the rows have not been ended yet: such a revocation has no receipt. */
export function revocationReceipt(facts: RevocationFacts, sealedAtMs: number): RevocationReceipt {
  const { sessionsEnded, ceremoniesEnded, rowsEndedAtMs } = facts;
  if (sessionsEnded === null || ceremoniesEnded === null || rowsEndedAtMs === null) {
    throw new TypeError('a revocation whose rows are still live has no receipt');
  }
  return {
    version: 1,
    revocationId: facts.revocationId,
    customerId: facts.customerId,
    reason: facts.reason,
    requestedBy: facts.requestedBy,
    oldEpoch: facts.oldEpoch,
    newEpoch: facts.newEpoch,
    effectiveAt: isoTime(facts.effectiveAtMs),
    rowsEndedAt: isoTime(rowsEndedAtMs),
    secondListingEmptyAt: isoTime(sealedAtMs),
    lastTokenDiesAt: isoTime(facts.lastTokenDiesAtMs),
    stopped: {
      devices: facts.devices,
      credentials: facts.credentials,
      sessions: sessionsEnded,
      ceremonies: ceremoniesEnded,
    },
  };
}

export type RevocationState = 'ending_rows' | 'waking' | 'second_listing' | 'sealed' | 'closed';
export type RevocationEvent =
  | 'rows_ended'
  | 'workflows_woken'
  | 'stragglers_found'
  | 'listing_empty'
  | 'workflows_closed'
  | 'alarm_raised';

const NEXT: {
  readonly [S in RevocationState]: { readonly [E in RevocationEvent]?: RevocationState };
} = {
  ending_rows: { rows_ended: 'waking' },
  waking: { workflows_woken: 'second_listing' },
  second_listing: { stragglers_found: 'waking', listing_empty: 'sealed' },
  sealed: { workflows_closed: 'closed', alarm_raised: 'sealed' },
  closed: {},
};

/** The next state, or undefined when the event cannot happen there. docs/flows/revocation.mermaid draws the same table. */
export function revocationTransition(
  state: RevocationState,
  event: RevocationEvent,
): RevocationState | undefined {
  return NEXT[state][event];
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
