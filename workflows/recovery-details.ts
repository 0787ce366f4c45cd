/**
 * A recovery in words for staff: what each state waits for, who acts, and what happens when nobody does. Only words: states, deadlines and
 * outcomes are domain/recovery.ts's.
 */
import {
  dueEvent,
  nextDueMs,
  type RecoveryEvent,
  type RecoverySnapshot,
  type RecoveryState,
} from '../domain/recovery.ts';
import { describeNow, utcTime } from './current-details.ts';

interface StateWords {
  readonly now: string;
  /** For the timer's one line. */
  readonly waitsFor: string;
  readonly whoActs: string;
  /** How many of STEPS are behind it. */
  readonly stepsDone: number;
}

const STEPS = ['contact', 'person', 'review', 'time to object', 'new phone'] as const;

const WORDS: { readonly [S in Exclude<RecoveryState, 'ended'>]: StateWords } = {
  starting: {
    now: 'It is about to open.',
    waitsFor: 'its row to open',
    whoActs: 'Latchkey',
    stepsDone: 0,
  },
  contact: {
    now: 'A contact of the customer has still to answer.',
    waitsFor: 'a contact to answer',
    whoActs: 'the customer, by link or code; or an agent, by calling back',
    stepsDone: 0,
  },
  identity: {
    now: 'The customer proves to be the person who was enrolled.',
    waitsFor: 'a liveness check, or evidence instead',
    whoActs: 'the customer, in the app; or staff, with evidence of equal strength',
    stepsDone: 1,
  },
  review: {
    now: 'Staff look at the case.',
    waitsFor: 'staff to look at it',
    whoActs: 'staff, as many different people as the policy asks for',
    stepsDone: 2,
  },
  cooling: {
    now: 'The owner may object.',
    waitsFor: 'the time to object to be over',
    whoActs: 'nobody, unless somebody objects',
    stepsDone: 3,
  },
  rebind: {
    now: 'The customer creates a passkey on the new phone.',
    waitsFor: 'a passkey on the new phone',
    whoActs: 'the customer, in the app',
    stepsDone: 4,
  },
  held: {
    now: 'It is held: fraud was signalled, or somebody objected.',
    waitsFor: 'a supervisor',
    whoActs: 'a supervisor, who releases or refuses it',
    stepsDone: 0,
  },
};

const WHAT_HAPPENS: { readonly [E in RecoveryEvent]?: string } = {
  review_overdue: 'it goes to the supervisors',
  cooling_over: 'the new phone may be bound',
};

/** What the timer of this row stands for. */
export function describeRecoveryTimer(row: RecoverySnapshot): string {
  if (row.state === 'ended') return 'nothing: it has ended';
  return `${WORDS[row.state].waitsFor}, until ${utcTime(nextDueMs(row))}, then ${whatHappens(row)}`;
}

export function describeRecovery(row: RecoverySnapshot): string {
  if (row.state === 'ended') {
    const reason = (row.reason ?? 'no reason').replaceAll('_', ' ');
    return describeNow({
      now: `It has ended: ${row.outcome ?? 'unknown'} (${reason}).`,
      whoActs: 'nobody any more',
      done: [],
      next: [],
      runbook: 'recovery',
    });
  }
  const { now, whoActs, stepsDone } = WORDS[row.state];
  const isTimed = row.state !== 'held';
  return describeNow({
    now,
    whoActs,
    ...(isTimed ? { untilMs: nextDueMs(row), otherwise: whatHappens(row) } : {}),
    done: isTimed ? STEPS.slice(0, stepsDone) : [],
    next: isTimed ? STEPS.slice(stepsDone) : [],
    runbook: 'recovery',
  });
}

/** The most final of the timers that run out next. */
function whatHappens(row: RecoverySnapshot): string {
  const due = dueEvent(row, nextDueMs(row));
  return (due === undefined ? undefined : WHAT_HAPPENS[due]) ?? 'it expires';
}
