/** Every end of a request is told in the words of what was asked for: a limit that stays is no payment that was not made. */
import { describe, expect, it } from 'vitest';
import { texts } from '../../console/texts/texts.ts';
import { STEP_UP_REASONS } from '../../domain/step-up.ts';

const { ends, unchanged, unchangedOther } = texts.approvals;
const DONE_OR_REPLACED = ['consumed', 'superseded'];
const TYPES = [
  ['payment', 'The payment was not made.'],
  ['add_payee', 'The payee was not added.'],
  ['change_limits', 'Your limits stay as they were.'],
  ['change_contact', 'Your contact details stay as they were.'],
  ['log_in', 'Nobody was logged in.'],
  ['verified_call', 'The bank was not told that it is you.'],
] as const;

describe.each(TYPES)('the end of %s', (type, words) => {
  it.each(STEP_UP_REASONS)(
    'by %s says what stays as it was, unless it was done or replaced',
    (reason) => {
      const text = ends[reason].text(unchanged[type] ?? unchangedOther);
      expect(text.includes(words)).toBe(!DONE_OR_REPLACED.includes(reason));
    },
  );
});
