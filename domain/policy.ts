/**
 * The one table of numbers. A tenant's policy document is this shape, versioned in PostgreSQL; a ceremony keeps the version that it
 * started with, sessions are held to the stricter of their row and the current version. No other file names a lifetime or a limit.
 */
import type { LimitName } from './limits.ts';

export interface Policy {
  readonly otp: {
    readonly digits: number;
    readonly ttlSeconds: number;
    readonly maxWrong: number;
    readonly maxSends: number;
    readonly resendCoolDownSeconds: number;
  };
  readonly enrollment: {
    readonly stepSeconds: number;
    readonly abandonSeconds: number;
    readonly reminderSeconds: number;
    readonly identityCheckSeconds: number;
    readonly maxUpdates: number;
    /** Of one number: so many starts at once, then one an interval. */
    readonly startsPerNumber: number;
    readonly startIntervalSeconds: number;
  };
  readonly session: {
    readonly idleSeconds: number;
    readonly absoluteSeconds: number;
    readonly accessTokenSeconds: number;
    readonly maxRedeliveries: number;
    readonly maxTroubledGenerations: number;
    /** Live sessions of one customer; a device never has more than one. */
    readonly maxOfCustomer: number;
    /** Of these, such whose key belongs to no device. */
    readonly maxWithoutDevice: number;
    /** 1: a login past a cap is refused; 0: it ends the oldest session. */
    readonly refuseWhenFull: number;
  };
  readonly challenge: { readonly ttlSeconds: number };
  readonly dpop: {
    readonly windowSeconds: number;
    readonly skewSeconds: number;
    readonly nonceSeconds: number;
    /** 1: a proof without a fresh server nonce passes no gateway. At token, login, enrollment and step-up endpoints it is always asked for. */
    readonly requireNonceAtGateway: number;
    /** 0: a gateway lets the same proof pass again while it is young. Everywhere else each is good once. */
    readonly rememberProofsAtGateway: number;
  };
  readonly revocation: { readonly alarmSeconds: number; readonly secondListingSeconds: number };
  readonly idempotency: { readonly keptSeconds: number };
  readonly submission: { readonly notAfterSeconds: number };
  /** Of a request that a second person has to approve. */
  readonly approval: { readonly ttlSeconds: number };
  /** What domain/limits.ts counts: so many in a window of so many seconds. */
  readonly limits: Readonly<Record<LimitName | `${LimitName}Seconds`, number>>;
  /** Of one member of staff: so many searches for customers at once, then one an interval. */
  readonly staffSearch: { readonly searchesAtOnce: number; readonly intervalSeconds: number };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Of any tenant: what must be remembered as long as a token can live is remembered for this long and a little more. */
export const LONGEST_ACCESS_TOKEN_SECONDS = 15 * MINUTE;

export const DEFAULT_POLICY: Policy = {
  otp: { digits: 6, ttlSeconds: 5 * MINUTE, maxWrong: 5, maxSends: 4, resendCoolDownSeconds: 30 },
  enrollment: {
    stepSeconds: 30 * MINUTE,
    abandonSeconds: 72 * HOUR,
    reminderSeconds: 24 * HOUR,
    identityCheckSeconds: 24 * HOUR,
    maxUpdates: 60,
    startsPerNumber: 6,
    startIntervalSeconds: HOUR,
  },
  session: {
    idleSeconds: 30 * DAY,
    absoluteSeconds: 90 * DAY,
    accessTokenSeconds: 5 * MINUTE,
    maxRedeliveries: 5,
    maxTroubledGenerations: 3,
    maxOfCustomer: 20,
    maxWithoutDevice: 5,
    refuseWhenFull: 0,
  },
  challenge: { ttlSeconds: 5 * MINUTE },
  dpop: {
    windowSeconds: 60,
    skewSeconds: 5,
    nonceSeconds: 3 * MINUTE,
    requireNonceAtGateway: 0,
    rememberProofsAtGateway: 1,
  },
  revocation: { alarmSeconds: 10 * MINUTE, secondListingSeconds: 30 },
  idempotency: { keptSeconds: DAY },
  submission: { notAfterSeconds: 30 },
  approval: { ttlSeconds: HOUR },
  limits: {
    startsOfSource: 120,
    startsOfSourceSeconds: 10 * MINUTE,
    stepsOfDevice: 120,
    stepsOfDeviceSeconds: 10 * MINUTE,
    loginsOfSource: 600,
    loginsOfSourceSeconds: MINUTE,
    loginsOfDevice: 60,
    loginsOfDeviceSeconds: 5 * MINUTE,
    loginsOfCredential: 60,
    loginsOfCredentialSeconds: 5 * MINUTE,
    refreshesOfDevice: 120,
    refreshesOfDeviceSeconds: MINUTE,
    tokensOfSource: 600,
    tokensOfSourceSeconds: MINUTE,
    requestsOfDevice: 240,
    requestsOfDeviceSeconds: MINUTE,
    staffLoginsOfSource: 120,
    staffLoginsOfSourceSeconds: MINUTE,
  },
  staffSearch: { searchesAtOnce: 20, intervalSeconds: 15 },
};

/** What no policy may exceed; a document outside is refused with every breach named. */
const BOUNDS: { readonly [path: string]: readonly [minimum: number, maximum: number] } = {
  'otp.digits': [6, 10],
  'otp.ttlSeconds': [30, 15 * MINUTE],
  'otp.maxWrong': [1, 10],
  'otp.maxSends': [1, 10],
  'otp.resendCoolDownSeconds': [5, 10 * MINUTE],
  'enrollment.stepSeconds': [MINUTE, DAY],
  'enrollment.abandonSeconds': [10 * MINUTE, 14 * DAY],
  'enrollment.reminderSeconds': [5 * MINUTE, 14 * DAY],
  'enrollment.identityCheckSeconds': [MINUTE, 7 * DAY],
  'enrollment.maxUpdates': [10, 200],
  'enrollment.startsPerNumber': [2, 50],
  'enrollment.startIntervalSeconds': [MINUTE, DAY],
  'session.idleSeconds': [MINUTE, 90 * DAY],
  'session.absoluteSeconds': [MINUTE, 365 * DAY],
  'session.accessTokenSeconds': [30, LONGEST_ACCESS_TOKEN_SECONDS],
  'session.maxRedeliveries': [1, 10],
  'session.maxTroubledGenerations': [1, 10],
  'session.maxOfCustomer': [1, 1_000],
  'session.maxWithoutDevice': [1, 1_000],
  'session.refuseWhenFull': [0, 1],
  'challenge.ttlSeconds': [30, 10 * MINUTE],
  'dpop.windowSeconds': [10, 2 * MINUTE],
  'dpop.skewSeconds': [0, 30],
  'dpop.nonceSeconds': [30, 10 * MINUTE],
  'dpop.requireNonceAtGateway': [0, 1],
  'dpop.rememberProofsAtGateway': [0, 1],
  'revocation.alarmSeconds': [MINUTE, DAY],
  'revocation.secondListingSeconds': [1, 10 * MINUTE],
  'idempotency.keptSeconds': [HOUR, 7 * DAY],
  'submission.notAfterSeconds': [5, 5 * MINUTE],
  'approval.ttlSeconds': [5 * MINUTE, DAY],
  'limits.startsOfSource': [5, 1_000_000],
  'limits.startsOfSourceSeconds': [10, DAY],
  'limits.stepsOfDevice': [5, 1_000_000],
  'limits.stepsOfDeviceSeconds': [10, DAY],
  'limits.loginsOfSource': [5, 1_000_000],
  'limits.loginsOfSourceSeconds': [10, DAY],
  'limits.loginsOfDevice': [5, 1_000_000],
  'limits.loginsOfDeviceSeconds': [10, DAY],
  'limits.loginsOfCredential': [5, 1_000_000],
  'limits.loginsOfCredentialSeconds': [10, DAY],
  'limits.refreshesOfDevice': [5, 1_000_000],
  'limits.refreshesOfDeviceSeconds': [10, DAY],
  'limits.tokensOfSource': [5, 1_000_000],
  'limits.tokensOfSourceSeconds': [10, DAY],
  'limits.requestsOfDevice': [5, 1_000_000],
  'limits.requestsOfDeviceSeconds': [10, DAY],
  'limits.staffLoginsOfSource': [5, 1_000_000],
  'limits.staffLoginsOfSourceSeconds': [10, DAY],
  'staffSearch.searchesAtOnce': [2, 200],
  'staffSearch.intervalSeconds': [1, HOUR],
};

/** Every breach of the bounds, one line each; empty when the document may be used. Extra and missing members are breaches. */
export function policyBreaches(document: unknown): string[] {
  const breaches: string[] = [];
  const seen = new Set<string>();
  for (const [path, value] of leaves(document, '')) {
    // Own members only: `toString` is no setting.
    const bounds = Object.hasOwn(BOUNDS, path) ? BOUNDS[path] : undefined;
    if (bounds === undefined) {
      breaches.push(`${path}: not a policy setting`);
      continue;
    }
    seen.add(path);
    const [minimum, maximum] = bounds;
    if (
      typeof value !== 'number' ||
      !Number.isInteger(value) ||
      value < minimum ||
      value > maximum
    ) {
      breaches.push(
        `${path}: must be a whole number from ${String(minimum)} to ${String(maximum)}`,
      );
    }
  }
  for (const path of Object.keys(BOUNDS)) if (!seen.has(path)) breaches.push(`${path}: missing`);
  if (breaches.length === 0 && isPolicy(document)) {
    if (document.session.idleSeconds > document.session.absoluteSeconds) {
      breaches.push('session.idleSeconds: must not exceed session.absoluteSeconds');
    }
    if (document.enrollment.reminderSeconds >= document.enrollment.abandonSeconds) {
      breaches.push('enrollment.reminderSeconds: must be below enrollment.abandonSeconds');
    }
  }
  return breaches;
}

// Only called once every leaf was found and bounded.
function isPolicy(document: unknown): document is Policy {
  return typeof document === 'object' && document !== null;
}

function* leaves(value: unknown, path: string): Generator<readonly [string, unknown]> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, member] of Object.entries(value)) {
      yield* leaves(member, path === '' ? name : `${path}.${name}`);
    }
    return;
  }
  yield [path, value];
}
