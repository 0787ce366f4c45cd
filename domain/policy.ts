/**
 * The one table of numbers, and of the amounts from which an action needs more. A tenant's policy document is this shape, versioned in PostgreSQL; a ceremony keeps the version that it
 * started with, sessions are held to the stricter of their row and the current version. No other file names a lifetime or a limit.
 */
import { DEFAULT_FREEZE_POLICY, type FreezePolicy } from './freeze-policy.ts';
import type { LimitName } from './limits.ts';
import { DEFAULT_RECOVERY_POLICY, type RecoveryPolicy } from './recovery-policy.ts';

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

function thresholds(
  passkeyFrom: string,
  secondChannelFrom: string,
  dayPasskeyFrom: string,
  daySecondChannelFrom: string,
): StepUpThresholds {
  return { passkeyFrom, secondChannelFrom, dayPasskeyFrom, daySecondChannelFrom };
}
