/** How a check says what it found. A check that cannot be carried out has failed: nothing is good by default. */
import type { Check, CheckResult } from './types.ts';

export interface Finding {
  readonly result: CheckResult;
  readonly says: string;
}

export const passed = (says: string): Finding => ({ result: 'passed', says });
export const failed = (says: string): Finding => ({ result: 'failed', says });
export const notChecked = (says: string): Finding => ({ result: 'not_checked', says });

export interface PlannedCheck {
  readonly id: string;
  readonly question: string;
  readonly find: () => Finding | Promise<Finding>;
}

export async function carriedOut({ id, question, find }: PlannedCheck): Promise<Check> {
  try {
    return { id, question, ...(await find()) };
  } catch {
    return {
      id,
      question,
      ...failed('This part of the file cannot be read as what it should be.'),
    };
  }
}
