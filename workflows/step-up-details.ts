/**
 * A step-up in words for staff: what each state waits for, who acts, and what happens when nobody does. Only words: states, deadlines and
 * outcomes are domain/step-up.ts's. It never says what is to be approved: that stands under the customer's key, and not in Temporal.
 */
import { nextDueMs, type StepUpSnapshot, type StepUpState } from '../domain/step-up.ts';
import { describeNow, utcTime } from './current-details.ts';

interface StateWords {
  readonly now: string;
  /** For the timer's one line. */
  readonly waitsFor: string;
  readonly whoActs: string;
}

const CUSTOMER = 'the customer, in the app';
const KEYS = 'passkey and approval key';
const CODE = 'the code sent by SMS';
/** One timer for both steps: a summary cannot change while it runs. */
const APPROVAL = 'the approval';

const WORDS: { readonly [S in Exclude<StepUpState, 'ended'>]: StateWords } = {
  starting: {
    now: 'It is about to open.',
    waitsFor: 'its row to open',
    whoActs: 'Latchkey',
  },
  open: {
    now: 'The customer approves or refuses in the app.',
    waitsFor: APPROVAL,
    whoActs: CUSTOMER,
  },
  second_factor: {
    now: 'The customer types the code sent by SMS.',
    waitsFor: APPROVAL,
    whoActs: CUSTOMER,
  },
  approved: {
    now: 'It is approved; the requester uses it once.',
    waitsFor: 'the requester to use it',
    whoActs: 'the requester, through the API',
  },
};

const USE = 'use by the requester';

/** What the timer of this row stands for. */
export function describeStepUpTimer(row: StepUpSnapshot): string {
  if (row.state === 'ended') return 'nothing: it has ended';
  return `${WORDS[row.state].waitsFor}, until ${utcTime(nextDueMs(row))}, then it expires`;
}

export function describeStepUp(row: StepUpSnapshot): string {
  if (row.state === 'ended') {
    const reason = (row.reason ?? 'no reason').replaceAll('_', ' ');
    return describeNow({
      now: `It has ended: ${row.outcome ?? 'unknown'} (${reason}).`,
      whoActs: 'nobody any more',
      done: [],
      next: [],
      runbook: 'step_up',
    });
  }
  const { now, whoActs } = WORDS[row.state];
  const steps = [
    ...(row.isLogin ? [] : [KEYS]),
    ...(row.required === 'latchkey:4' ? [CODE] : []),
    USE,
  ];
  const doneSteps = DONE[row.state](steps);
  return describeNow({
    now,
    whoActs,
    untilMs: nextDueMs(row),
    otherwise: 'it expires',
    done: steps.slice(0, doneSteps),
    next: steps.slice(doneSteps),
    runbook: 'step_up',
  });
}

const DONE: {
  readonly [S in Exclude<StepUpState, 'ended'>]: (steps: readonly string[]) => number;
} = {
  starting: () => 0,
  open: () => 0,
  second_factor: (steps) => Math.max(steps.indexOf(CODE), 0),
  approved: (steps) => steps.indexOf(USE),
};
