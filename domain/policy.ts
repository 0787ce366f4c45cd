/**
 * The one table of numbers, and of the amounts from which an action needs more. A tenant's policy document is this shape, versioned in PostgreSQL; a ceremony keeps the version that it
 * started with, sessions are held to the stricter of their row and the current version. No other file names a lifetime or a limit.
 */
import { DEFAULT_FREEZE_POLICY, FREEZE_BOUNDS, type FreezePolicy } from './freeze-policy.ts';
import type { LimitName } from './limits.ts';
import { currencyDigits, minorUnits, normalAmount } from './money.ts';
import {
  DEFAULT_RECOVERY_POLICY,
  RECOVERY_BOUNDS,
  type RecoveryPolicy,
} from './recovery-policy.ts';

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
  readonly login: {
    /** From which risk a login needs a code too: 1 low (every login), 2 medium and not evaluated, 3 high, 4 none. */
    readonly secondFactorFromRisk: number;
  };
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
  readonly stepUp: {
    readonly approveSeconds: number;
    readonly consumeSeconds: number;
    readonly maxUpdates: number;
    /** So many refusals by the customer within the window give him a rest from that requester. */
    readonly denialsToPause: number;
    readonly denialWindowSeconds: number;
    readonly pauseSeconds: number;
    /** So many prompts of one requester that the customer did not answer, asked for within the window, and it waits. */
    readonly unansweredToPause: number;
    readonly unansweredWindowSeconds: number;
    /** Wrong codes of one customer by all keys together that belong to no trusted device of his, within so many seconds. */
    readonly wrongOfUnknownKeys: number;
    readonly wrongOfUnknownKeysSeconds: number;
    /** 1: "this wasn't me" cuts the customer off and holds him, as a fraud signal does. */
    readonly holdOnNotMe: number;
    /** How long after its approval an action cannot be used that was approved on a call, with a shared screen or beside an accessibility service. */
    readonly contextDelaySeconds: number;
    /**
     * By currency (ISO 4217), amounts as decimals of it; an action that reaches one needs that much. `day…` counts all of a customer's day (UTC)
     * together. What has no thresholds needs all there is.
     */
    readonly thresholds: {
      readonly [currency: string]: {
        readonly passkeyFrom: string;
        readonly secondChannelFrom: string;
        readonly dayPasskeyFrom: string;
        readonly daySecondChannelFrom: string;
      };
    };
  };
  readonly freeze: Readonly<Record<keyof FreezePolicy, number>>;
  readonly recovery: Readonly<Record<keyof RecoveryPolicy, number>>;
  /** What domain/limits.ts counts: so many in a window of so many seconds. */
  readonly limits: Readonly<Record<LimitName | `${LimitName}Seconds`, number>>;
  /** Of one member of staff: so many searches for customers at once, then one an interval. */
  readonly staffSearch: { readonly searchesAtOnce: number; readonly intervalSeconds: number };
}

export type StepUpThresholds = Policy['stepUp']['thresholds'][string];

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
  login: { secondFactorFromRisk: 3 },
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
  stepUp: {
    approveSeconds: 5 * MINUTE,
    consumeSeconds: 10 * MINUTE,
    maxUpdates: 30,
    denialsToPause: 2,
    denialWindowSeconds: 30 * MINUTE,
    pauseSeconds: 30 * MINUTE,
    unansweredToPause: 5,
    unansweredWindowSeconds: 10 * MINUTE,
    wrongOfUnknownKeys: 50,
    wrongOfUnknownKeysSeconds: HOUR,
    holdOnNotMe: 0,
    contextDelaySeconds: MINUTE,
    thresholds: {
      NZD: thresholds('100.00', '10000.00', '300.00', '20000.00'),
      AUD: thresholds('100.00', '10000.00', '300.00', '20000.00'),
      USD: thresholds('100.00', '10000.00', '300.00', '20000.00'),
      EUR: thresholds('100.00', '10000.00', '300.00', '20000.00'),
      GBP: thresholds('100.00', '10000.00', '300.00', '20000.00'),
      JPY: thresholds('10000', '1000000', '30000', '2000000'),
    },
  },
  freeze: DEFAULT_FREEZE_POLICY,
  recovery: DEFAULT_RECOVERY_POLICY,
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
    freezesOfSource: 60,
    freezesOfSourceSeconds: 10 * MINUTE,
    freezesOfDevice: 20,
    freezesOfDeviceSeconds: 10 * MINUTE,
  },
  staffSearch: { searchesAtOnce: 20, intervalSeconds: 15 },
};

const THRESHOLDS = 'stepUp.thresholds.';
const THRESHOLD_NAMES = [
  'passkeyFrom',
  'secondChannelFrom',
  'dayPasskeyFrom',
  'daySecondChannelFrom',
] as const;

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
  'login.secondFactorFromRisk': [1, 4],
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
  'stepUp.approveSeconds': [30, HOUR],
  'stepUp.consumeSeconds': [30, DAY],
  'stepUp.maxUpdates': [10, 100],
  'stepUp.denialsToPause': [1, 10],
  'stepUp.denialWindowSeconds': [MINUTE, DAY],
  'stepUp.pauseSeconds': [MINUTE, DAY],
  'stepUp.unansweredToPause': [2, 100],
  'stepUp.unansweredWindowSeconds': [MINUTE, DAY],
  'stepUp.wrongOfUnknownKeys': [10, 100],
  'stepUp.wrongOfUnknownKeysSeconds': [HOUR, DAY],
  'stepUp.holdOnNotMe': [0, 1],
  'stepUp.contextDelaySeconds': [0, HOUR],
  ...Object.fromEntries(
    Object.entries(FREEZE_BOUNDS).map(([name, bounds]) => [`freeze.${name}`, bounds]),
  ),
  ...Object.fromEntries(
    Object.entries(RECOVERY_BOUNDS).map(([name, bounds]) => [`recovery.${name}`, bounds]),
  ),
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
  'limits.freezesOfSource': [5, 1_000_000],
  'limits.freezesOfSourceSeconds': [10, DAY],
  'limits.freezesOfDevice': [5, 1_000_000],
  'limits.freezesOfDeviceSeconds': [10, DAY],
  'staffSearch.searchesAtOnce': [2, 200],
  'staffSearch.intervalSeconds': [1, HOUR],
};

/** Every breach of the bounds, one line each; empty when the document may be used. Extra and missing members are breaches. */
export function policyBreaches(document: unknown): string[] {
  const breaches: string[] = [];
  const seen = new Set<string>();
  for (const [path, value] of leaves(document, '')) {
    if (`${path}.`.startsWith(THRESHOLDS)) continue;
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
  breaches.push(...thresholdBreaches(document));
  if (breaches.length === 0 && isPolicy(document)) {
    if (document.stepUp.contextDelaySeconds >= document.stepUp.consumeSeconds) {
      breaches.push('stepUp.contextDelaySeconds: must be below stepUp.consumeSeconds');
    }
    if (document.session.idleSeconds > document.session.absoluteSeconds) {
      breaches.push('session.idleSeconds: must not exceed session.absoluteSeconds');
    }
    if (document.enrollment.reminderSeconds >= document.enrollment.abandonSeconds) {
      breaches.push('enrollment.reminderSeconds: must be below enrollment.abandonSeconds');
    }
    if (document.freeze.seconds > document.freeze.longestUnprovedSeconds) {
      breaches.push('freeze.seconds: must not exceed freeze.longestUnprovedSeconds');
    }
    if (document.freeze.longestUnprovedSeconds >= document.freeze.unprovedWindowSeconds) {
      breaches.push('freeze.longestUnprovedSeconds: must be below freeze.unprovedWindowSeconds');
    }
  }
  return breaches;
}

/** The one part of the document that is not whole numbers: for each currency four amounts, none below the weaker one. */
function thresholdBreaches(document: unknown): string[] {
  if (!hasThresholds(document)) return [`${THRESHOLDS.slice(0, -1)}: missing`];
  const found = new Map(
    [...leaves(document, '')].flatMap(([path, value]) =>
      `${path}.`.startsWith(THRESHOLDS) ? [[path.slice(THRESHOLDS.length), value] as const] : [],
    ),
  );
  if (found.has('')) return [`${THRESHOLDS.slice(0, -1)}: must be amounts by currency`];
  const currencies = new Set([...found.keys()].map((path) => path.split('.')[0] ?? ''));
  return [...currencies].flatMap((currency) => {
    const at = `${THRESHOLDS}${currency}`;
    if (currencyDigits(currency) === undefined) return [`${at}: not a currency of ISO 4217`];
    const minor = (name: string): bigint | undefined => {
      const amount = found.get(`${currency}.${name}`);
      if (typeof amount !== 'string' || normalAmount(amount, currency) === undefined)
        return undefined;
      return minorUnits(amount, currency);
    };
    const wrong = THRESHOLD_NAMES.filter((name) => minor(name) === undefined);
    const known: ReadonlySet<string> = new Set(
      THRESHOLD_NAMES.map((name) => `${currency}.${name}`),
    );
    const stray = [...found.keys()].filter(
      (path) => path.split('.')[0] === currency && !known.has(path),
    );
    const isWeaker = (strong: string, weak: string) => (minor(strong) ?? 0n) < (minor(weak) ?? 0n);
    const isUpsideDown =
      isWeaker('secondChannelFrom', 'passkeyFrom') ||
      isWeaker('daySecondChannelFrom', 'dayPasskeyFrom');
    return [
      ...wrong.map((name) => `${at}.${name}: must be an amount of ${currency} as text`),
      ...stray.map((path) => `${THRESHOLDS}${path}: not a policy setting`),
      ...(isUpsideDown ? [`${at}: a second channel must not be asked for before a passkey`] : []),
    ];
  });
}

function hasThresholds(document: unknown): boolean {
  if (typeof document !== 'object' || document === null || !('stepUp' in document)) return false;
  const { stepUp } = document;
  return typeof stepUp === 'object' && stepUp !== null && 'thresholds' in stepUp;
}

function thresholds(
  passkeyFrom: string,
  secondChannelFrom: string,
  dayPasskeyFrom: string,
  daySecondChannelFrom: string,
): StepUpThresholds {
  return { passkeyFrom, secondChannelFrom, dayPasskeyFrom, daySecondChannelFrom };
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
