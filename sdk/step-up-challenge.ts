/**
 * A service that wants more than a login (RFC 9470) has asked Latchkey for a step-up and names it in its refusal: the app shows that, and repeats
 * the very same request once the customer has answered. It must never change the request in between.
 */
import { LatchkeyProblem } from './problem.ts';

export interface StepUpChallenge {
  readonly stepUpId: string;
  /** What is asked for. */
  readonly acrValues: readonly string[];
}

/** undefined: that error asks for nothing a customer could approve. */
export function stepUpChallengeOf(error: unknown): StepUpChallenge | undefined {
  if (!(error instanceof LatchkeyProblem)) return undefined;
  const { stepUpId, acrValues } = error.extra;
  if (error.code !== 'insufficient_user_authentication' || typeof stepUpId !== 'string')
    return undefined;
  return { stepUpId, acrValues: typeof acrValues === 'string' ? acrValues.split(' ') : [] };
}

/** Runs `call`; when it asks for a step-up, waits for `answer` to say that the customer has answered, and runs it once more. */
export async function withStepUp<Answer>(
  call: () => Promise<Answer>,
  answer: (challenge: StepUpChallenge) => Promise<void>,
): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const challenge = stepUpChallengeOf(error);
    if (challenge === undefined) throw error;
    await answer(challenge);
    return await call();
  }
}
