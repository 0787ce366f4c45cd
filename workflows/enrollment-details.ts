/**
 * An enrollment in words for staff: what each state waits for, who acts, and what happens when nobody does. Only words: states, deadlines
 * and outcomes are domain/enrollment.ts's.
 */
import {
  dueEvent,
  nextDueMs,
  type EnrollmentSnapshot,
  type EnrollmentState,
} from '../domain/enrollment.ts';
import { describeNow, utcTime } from './current-details.ts';

interface StateWords {
  readonly now: string;
  /** For the timer's one line. */
  readonly waitsFor: string;
  readonly whoActs: string;
  /** How many of STEPS are behind it. */
  readonly stepsDone: number;
}

const STEPS = ['phone', 'identity', 'e-mail', 'passkey'] as const;
const CUSTOMER = 'the customer, in the app';

const WORDS: { readonly [S in Exclude<EnrollmentState, 'ended'>]: StateWords } = {
  starting: {
    now: 'It is about to open.',
    waitsFor: 'its row to open',
    whoActs: 'Latchkey',
    stepsDone: 0,
  },
  phone: {
    now: 'The customer types the code sent by SMS.',
    waitsFor: 'the code sent by SMS',
    whoActs: CUSTOMER,
    stepsDone: 0,
  },
  identity: {
    now: 'The customer hands in name and document.',
    waitsFor: 'name and document',
    whoActs: CUSTOMER,
    stepsDone: 1,
  },
  identity_check: {
    now: 'The identity vendor checks the document.',
    waitsFor: "the identity vendor's verdict",
    whoActs: 'the identity vendor; the customer may close the app',
    stepsDone: 1,
  },
  email: {
    now: 'The customer gives an e-mail address.',
    waitsFor: 'an e-mail address',
    whoActs: CUSTOMER,
    stepsDone: 2,
  },
  email_code: {
    now: 'The customer types the code sent by e-mail.',
    waitsFor: 'the code sent by e-mail',
    whoActs: CUSTOMER,
    stepsDone: 2,
  },
  passkey: {
    now: 'The customer creates a passkey.',
    waitsFor: 'a passkey',
    whoActs: CUSTOMER,
    stepsDone: 3,
  },
};

/** What the timer of this row stands for. */
export function describeTimer(row: EnrollmentSnapshot): string {
  if (row.state === 'ended') return 'nothing: it has ended';
  return `${WORDS[row.state].waitsFor}, until ${utcTime(nextDueMs(row))}, then ${whatHappens(row)}`;
}

export function describeEnrollment(row: EnrollmentSnapshot): string {
  if (row.state === 'ended') {
    const reason = (row.reason ?? 'no reason').replaceAll('_', ' ');
    return describeNow({
      now: `It has ended: ${row.outcome ?? 'unknown'} (${reason}).`,
      whoActs: 'nobody any more',
      done: [],
      next: [],
      runbook: 'enrollment',
    });
  }
  const { now, whoActs, stepsDone } = WORDS[row.state];
  return describeNow({
    now,
    whoActs,
    untilMs: nextDueMs(row),
    otherwise: whatHappens(row),
    done: STEPS.slice(0, stepsDone),
    next: STEPS.slice(stepsDone),
    runbook: 'enrollment',
  });
}

/** The most final of the timers that run out next. */
function whatHappens(row: EnrollmentSnapshot): string {
  return dueEvent(row, nextDueMs(row)) === 'reminder_due' ? 'a reminder is sent' : 'it expires';
}
