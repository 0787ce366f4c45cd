/** A revocation in words for staff: what it does now and what is left. Only words; domain/revocation.ts holds the states. */
import type { RevocationState } from '../domain/revocation.ts';
import { describeNow } from './current-details.ts';

const NOW: { readonly [S in RevocationState]: string } = {
  ending_rows: 'The sessions and ceremonies of the customer are being ended.',
  waking: 'The workflows of what was ended are being woken.',
  second_listing: 'It waits for the second listing.',
  sealed: 'The receipt is sealed; the last workflows are closing.',
  closed: 'It is over: everything has closed.',
};

const ALARM = 'The receipt is sealed, but a workflow does not close.';

const STEPS = ['rows ended', 'workflows woken', 'second listing empty', 'receipt sealed', 'closed'];
const STEPS_DONE: { readonly [S in RevocationState]: number } = {
  ending_rows: 0,
  waking: 1,
  second_listing: 2,
  sealed: 4,
  closed: 5,
};

/** The cut-off came before any of this: the words must never read as if it still had to happen. */
export function describeRevocation(state: RevocationState, isAlarmed: boolean): string {
  const done = STEPS_DONE[state];
  return describeNow({
    now: isAlarmed ? ALARM : NOW[state],
    whoActs: isAlarmed
      ? 'an administrator: the runbook says how; the cut-off itself holds'
      : 'Latchkey; the cut-off is effective since before this began',
    done: ['cut-off', ...STEPS.slice(0, done)],
    next: STEPS.slice(done),
    runbook: 'revocation',
  });
}
