/** The catalogue that the pages show, and a refusal in a customer's words. */
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import type { RecoveryReason } from '../../sdk/recovery-types.ts';
import type { EnrollmentReason } from '../../sdk/types.ts';
import { en } from './en.ts';

export const texts = en;

export interface ProblemText {
  readonly title: string;
  readonly text: string;
}

export function problemText({ code }: Pick<LatchkeyProblem, 'code'>): ProblemText {
  return isKnown(code) ? texts.problems[code] : texts.problems.unknown;
}

/** Every reason has its words: a new one does not compile without. */
export function endingText(reason: EnrollmentReason | undefined): ProblemText {
  const { endings } = texts.phone;
  return reason === undefined || reason === 'completed' ? endings.unknown : endings[reason];
}

/** Likewise. */
export function recoveryEndText(reason: RecoveryReason | undefined): ProblemText {
  const { ends } = texts.recovery;
  return reason === undefined || reason === 'completed' ? ends.unknown : ends[reason];
}

function isKnown(code: string): code is keyof typeof texts.problems {
  return Object.hasOwn(texts.problems, code);
}
