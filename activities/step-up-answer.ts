/**
 * What the workflow that answers a requester may do: read how its step-up stands, and take it back when the requester gave up. It grants
 * nothing and learns nothing but the status.
 */
import type { StepUpAnswerStore } from '../db/step-up-answers.ts';
import type { StepUpSubject } from '../domain/step-up.ts';

export function createStepUpAnswerActivities({ store }: { readonly store: StepUpAnswerStore }) {
  return {
    /** null when there is no such step-up. */
    readStepUpAnswer: async (subject: StepUpSubject) => (await store.read(subject)) ?? null,
    /** Of a step-up that a machine client asked for, unless it is over. */
    withdrawStepUp: (subject: StepUpSubject) => store.withdraw(subject),
  };
}

export type StepUpAnswerActivities = ReturnType<typeof createStepUpAnswerActivities>;
