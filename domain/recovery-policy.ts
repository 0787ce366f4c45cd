/**
 * What a tenant's policy says of account recovery, and what follows from it for one case: how many contacts and people it takes, and how
 * long the owner may object. A case keeps what it began with; later doubt may only ask for more. Pure.
 */
import type { LedgerRequirement } from './factor-ledger.ts';
import type { Risk } from './ports.ts';
import type { RecoveryTimes } from './recovery.ts';

export interface RecoveryPolicy {
  /** Of a link or code to a contact, before there is a case. */
  readonly linkSeconds: number;
  readonly contactSeconds: number;
  readonly identitySeconds: number;
  readonly maxLivenessAttempts: number;
  /** Of a hundred: below it the check is made again. */
  readonly minLivenessConfidence: number;
  readonly minMatchConfidence: number;
  readonly reviewSeconds: number;
  /** By then somebody should have taken it; after it a supervisor's queue has it. */
  readonly reviewSlaSeconds: number;
  /** How many people approve a case at that risk; not evaluated is medium. What staff have seen instead of a liveness check takes two. */
  readonly peopleLow: number;
  readonly peopleMedium: number;
  readonly peopleHigh: number;
  readonly coolingLowSeconds: number;
  readonly coolingMediumSeconds: number;
  readonly coolingHighSeconds: number;
  /** Below this nobody shortens it. */
  readonly coolingFloorSeconds: number;
  /** A contact or device so young makes the floor the following one. */
  readonly recentChangeSeconds: number;
  readonly recentChangeFloorSeconds: number;
  readonly rebindSeconds: number;
  readonly abandonSeconds: number;
  readonly maxUpdates: number;
  /** How long limits are lowered afterwards. */
  readonly limitedSeconds: number;
  /** How long "that was not me" is still heard after the end. */
  readonly objectionSeconds: number;
  /** Of one contact: so many requests at once, then one an interval. */
  readonly requestsPerContact: number;
  readonly requestIntervalSeconds: number;
  /** How long the record of a recovery is kept. */
  readonly recordSeconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const DEFAULT_RECOVERY_POLICY: RecoveryPolicy = {
  linkSeconds: 15 * MINUTE,
  contactSeconds: DAY,
  identitySeconds: 3 * DAY,
  maxLivenessAttempts: 5,
  minLivenessConfidence: 90,
  minMatchConfidence: 95,
  reviewSeconds: 7 * DAY,
  reviewSlaSeconds: 4 * HOUR,
  peopleLow: 1,
  peopleMedium: 2,
  peopleHigh: 2,
  coolingLowSeconds: HOUR,
  coolingMediumSeconds: DAY,
  coolingHighSeconds: 3 * DAY,
  coolingFloorSeconds: 15 * MINUTE,
  recentChangeSeconds: 30 * DAY,
  recentChangeFloorSeconds: DAY,
  rebindSeconds: 3 * DAY,
  abandonSeconds: 21 * DAY,
  maxUpdates: 100,
  limitedSeconds: 3 * DAY,
  objectionSeconds: 30 * DAY,
  requestsPerContact: 5,
  requestIntervalSeconds: HOUR,
  recordSeconds: 7 * 365 * DAY,
};

/** As BOUNDS of domain/policy.ts: no tenant may leave them. */
export const RECOVERY_BOUNDS: {
  readonly [Name in keyof RecoveryPolicy]: readonly [minimum: number, maximum: number];
} = {
  linkSeconds: [5 * MINUTE, HOUR],
  contactSeconds: [HOUR, 7 * DAY],
  identitySeconds: [HOUR, 14 * DAY],
  maxLivenessAttempts: [1, 10],
  minLivenessConfidence: [50, 100],
  minMatchConfidence: [80, 100],
  reviewSeconds: [HOUR, 30 * DAY],
  reviewSlaSeconds: [MINUTE, 7 * DAY],
  peopleLow: [0, 2],
  peopleMedium: [1, 2],
  peopleHigh: [1, 2],
  coolingLowSeconds: [0, 3 * DAY],
  coolingMediumSeconds: [HOUR, 7 * DAY],
  coolingHighSeconds: [DAY, 14 * DAY],
  coolingFloorSeconds: [0, 3 * DAY],
  recentChangeSeconds: [30 * DAY, 90 * DAY],
  recentChangeFloorSeconds: [MINUTE, 7 * DAY],
  rebindSeconds: [HOUR, 14 * DAY],
  abandonSeconds: [3 * DAY, 90 * DAY],
  maxUpdates: [20, 200],
  limitedSeconds: [0, 30 * DAY],
  objectionSeconds: [30 * DAY, 90 * DAY],
  requestsPerContact: [2, 50],
  requestIntervalSeconds: [MINUTE, DAY],
  recordSeconds: [30 * DAY, 20 * 365 * DAY],
};

/** What speaks for more care, beyond the risk. */
export interface RecoveryDoubt {
  readonly risk: Risk;
  /** A thief has the phone, and what reaches it. */
  readonly isStolen: boolean;
  /** A contact or a device of the customer is younger than `recentChangeSeconds`. */
  readonly hasRecentChange: boolean;
  /** Staff saw evidence where others look into a camera. */
  readonly isByEvidence: boolean;
}

export interface RecoveryRequirement {
  readonly ledger: LedgerRequirement;
  readonly people: 0 | 1 | 2;
  readonly coolingSeconds: number;
  readonly coolingFloorSeconds: number;
}

/** As the identity vendor proofed the customer at enrollment: nothing below that gives an account back. */
const IDENTITY_STRENGTH = 3;

/** Silence of the engine counts as medium. */
const RISK_GRAVITY = { low: 0, not_evaluated: 1, medium: 1, high: 2 } as const;

/** Of two verdicts on one case, the first where they weigh the same. */
export function graverRisk(first: Risk, later: Risk): Risk {
  return RISK_GRAVITY[later] > RISK_GRAVITY[first] ? later : first;
}

/** What a case takes. More doubt never asks for less. */
export function recoveryRequirement(
  policy: RecoveryPolicy,
  { risk, isStolen, hasRecentChange, isByEvidence }: RecoveryDoubt,
): RecoveryRequirement {
  const isHigh = risk === 'high';
  const isLow = risk === 'low' && !isStolen;
  const people = isHigh
    ? Math.max(policy.peopleHigh, policy.peopleMedium, policy.peopleLow)
    : isLow
      ? policy.peopleLow
      : Math.max(policy.peopleLow, policy.peopleMedium);
  const coolingSeconds = isHigh
    ? Math.max(policy.coolingHighSeconds, policy.coolingMediumSeconds, policy.coolingLowSeconds)
    : isLow
      ? policy.coolingLowSeconds
      : Math.max(policy.coolingMediumSeconds, policy.coolingLowSeconds);
  const floorSeconds = Math.max(
    policy.coolingFloorSeconds,
    hasRecentChange ? policy.recentChangeFloorSeconds : 0,
  );
  return {
    ledger: { identityStrength: IDENTITY_STRENGTH, contacts: isHigh || hasRecentChange ? 2 : 1 },
    people: isByEvidence ? 2 : atMostTwo(people),
    coolingSeconds: Math.max(coolingSeconds, floorSeconds),
    coolingFloorSeconds: floorSeconds,
  };
}

/** As it stands with what has become known since: never less than before. */
export function stricterRequirement(
  before: RecoveryRequirement,
  now: RecoveryRequirement,
): RecoveryRequirement {
  return {
    ledger: {
      identityStrength: IDENTITY_STRENGTH,
      contacts: before.ledger.contacts === 2 ? 2 : now.ledger.contacts,
    },
    people: atMostTwo(Math.max(before.people, now.people)),
    coolingSeconds: Math.max(before.coolingSeconds, now.coolingSeconds),
    coolingFloorSeconds: Math.max(before.coolingFloorSeconds, now.coolingFloorSeconds),
  };
}

export function recoveryTimes(
  policy: RecoveryPolicy,
  { coolingSeconds, coolingFloorSeconds }: RecoveryRequirement,
): RecoveryTimes {
  return {
    contactMs: policy.contactSeconds * 1000,
    identityMs: policy.identitySeconds * 1000,
    reviewMs: policy.reviewSeconds * 1000,
    reviewSlaMs: policy.reviewSlaSeconds * 1000,
    coolingMs: coolingSeconds * 1000,
    coolingFloorMs: coolingFloorSeconds * 1000,
    rebindMs: policy.rebindSeconds * 1000,
  };
}

const atMostTwo = (people: number): 0 | 1 | 2 => (people >= 2 ? 2 : people >= 1 ? 1 : 0);
