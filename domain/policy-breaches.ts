/** What a policy document may not say: each number's bounds, amounts that are none, and settings that contradict each other. */
import { FREEZE_BOUNDS } from './freeze-policy.ts';
import { currencyDigits, minorUnits, normalAmount } from './money.ts';
import { LONGEST_ACCESS_TOKEN_SECONDS } from './policy.ts';
import type { Policy } from './policy.ts';
import { RECOVERY_BOUNDS } from './recovery-policy.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

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
