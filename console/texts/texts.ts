/** The catalogue that the pages show, and a refusal in a customer's words. */
import type { LatchkeyProblem } from '../../sdk/problem.ts';
import { en } from './en.ts';

export const texts = en;

export interface ProblemText {
  readonly title: string;
  readonly text: string;
}

export function problemText({ code }: Pick<LatchkeyProblem, 'code'>): ProblemText {
  return isKnown(code) ? texts.problems[code] : texts.problems.unknown;
}

export function endingText(reason: string | undefined): ProblemText {
  const { endings } = texts.phone;
  return reason !== undefined && isEnding(reason) ? endings[reason] : endings.unknown;
}

function isKnown(code: string): code is keyof typeof texts.problems {
  return Object.hasOwn(texts.problems, code);
}

function isEnding(reason: string): reason is keyof typeof texts.phone.endings {
  return Object.hasOwn(texts.phone.endings, reason);
}
