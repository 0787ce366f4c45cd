/** One enrollment in each state that a customer waits in, for tests of refusals: they leave all of them as they were. */
import { expect } from 'vitest';
import type { Answer } from '../callers.ts';
import { footprintOf } from '../rows/enrollment-rows.ts';
import type { Enrollee, EnrollmentStack } from './enrollment-stack.ts';

const WAITING = ['phone', 'identity', 'email', 'passkey'] as const;
type WaitingState = (typeof WAITING)[number];

export interface WaitingEnrollees {
  in(state: WaitingState): Enrollee;
}

/** In the states that are named; in all of them when none is. */
export async function beginWaiting(
  stack: EnrollmentStack,
  states: readonly WaitingState[] = WAITING,
): Promise<WaitingEnrollees> {
  const at = new Map<WaitingState, Enrollee>();
  for (const state of states) {
    const enrollee = await stack.begin();
    if (state !== 'phone') await stack.to(enrollee, state);
    at.set(state, enrollee);
  }
  return {
    in: (state) => {
      const enrollee = at.get(state);
      if (enrollee === undefined) throw new Error(`nobody is in ${state}`);
      return enrollee;
    },
  };
}

export type RefusalCheck = (
  enrollee: Enrollee,
  expected: { readonly status: number; readonly code: string },
  act: () => Promise<Answer>,
) => Promise<void>;

/** Refused so, and every row as it was. */
export function refusalCheck(stack: EnrollmentStack): RefusalCheck {
  return async (enrollee, expected, act) => {
    const before = await footprintOf(stack.api, enrollee);
    const answer = await act();
    expect({ status: answer.status, code: answer.body.code }).toEqual(expected);
    expect(await footprintOf(stack.api, enrollee)).toEqual(before);
  };
}
