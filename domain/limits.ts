/**
 * Which requests are counted, by what, and which way each count fails. The numbers stand in the policy; a count is forgotten when its window
 * ends, so nobody stays locked out. No counter is keyed by something that a stranger can spend for somebody else.
 */
import type { Policy } from './policy.ts';

/**
 * source: the address that the request came from (of IPv6 its /64) · device: the key that made the DPoP proof · credential: the passkey,
 * counted only after it proved itself.
 */
export type LimitSubject = 'source' | 'device' | 'credential';

interface Limit {
  readonly subject: LimitSubject;
  /** shared: one count for all replicas, in PostgreSQL · process: each replica for itself. */
  readonly counted: 'shared' | 'process';
  readonly what: string;
  /** What happens when the counter cannot be asked. */
  readonly fails: string;
}

const WITH_ITS_OPERATION =
  'closed: the counter is in the database that decides the operation, which answers 503 without it';
const NEVER = 'never: it is in memory';

export const LIMITS = {
  startsOfSource: {
    subject: 'source',
    counted: 'shared',
    what: 'Enrollments and recoveries begun, links of recoveries. Branches and mobile networks share one address.',
    fails: WITH_ITS_OPERATION,
  },
  stepsOfDevice: {
    subject: 'device',
    counted: 'shared',
    what: 'Everything that an enrolling or recovering phone sends.',
    fails: WITH_ITS_OPERATION,
  },
  loginsOfSource: {
    subject: 'source',
    counted: 'shared',
    what: 'Login options and logins, good and bad.',
    fails: WITH_ITS_OPERATION,
  },
  loginsOfDevice: {
    subject: 'device',
    counted: 'shared',
    what: 'The same by one key.',
    fails: WITH_ITS_OPERATION,
  },
  loginsOfCredential: {
    subject: 'credential',
    counted: 'shared',
    what: 'Logins that a passkey has proved, on whichever devices. What fails is not counted, so only its holder can use it up.',
    fails: WITH_ITS_OPERATION,
  },
  refreshesOfDevice: {
    subject: 'device',
    counted: 'process',
    what: 'Refreshes by one key. In memory: one more question to PostgreSQL would be half the price of a refresh.',
    fails: NEVER,
  },
  tokensOfSource: {
    subject: 'source',
    counted: 'shared',
    what: 'Tokens that machine clients ask for.',
    fails: WITH_ITS_OPERATION,
  },
  requestsOfDevice: {
    subject: 'device',
    counted: 'shared',
    what: 'What a customer reads and changes at Latchkey itself.',
    fails: WITH_ITS_OPERATION,
  },
  staffLoginsOfSource: {
    subject: 'source',
    counted: 'shared',
    what: 'Staff logins begun and ended. A whole office shares one address.',
    fails: WITH_ITS_OPERATION,
  },
  freezesOfSource: {
    subject: 'source',
    counted: 'shared',
    what: 'Freezes asked for by nobody known: links of notices, codes to a number.',
    fails: WITH_ITS_OPERATION,
  },
  freezesOfDevice: {
    subject: 'device',
    counted: 'shared',
    what: 'The same by one key, and the codes it hands in.',
    fails: WITH_ITS_OPERATION,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export type LimitName = keyof typeof LIMITS;

export interface LimitNumbers {
  /** So many in one window. */
  readonly points: number;
  readonly seconds: number;
}

export function limitNumbers(policy: Policy['limits'], name: LimitName): LimitNumbers {
  return { points: policy[name], seconds: policy[`${name}Seconds`] };
}
