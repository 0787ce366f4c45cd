/**
 * Answers a requester who awaits a step-up through Nexus: completes with its status once the customer has answered, or it is over. Started by
 * the Nexus operation (worker/nexus.ts), rung by the step-up's own workflow; cancelled with the operation, and then it takes the step-up back.
 * Diagram: docs/flows/step-up-answer.mermaid. It runs without the payload codec, because its caller has none of our keys: it must never
 * hold anything but ids and the status, and grants nothing.
 */
import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { StepUpAnswerActivities } from '../activities/step-up-answer.ts';
import { workflowId } from '../domain/ids.ts';
import type { CeremonyInput } from './ceremony-rule.ts';
import { describeNow } from './current-details.ts';
import { explainedLocalActivities } from './explained-activities.ts';
import { fail } from './failure.ts';
import { answeredSignal, watchSignal } from './step-up-bell.ts';

/** As activities read it. */
type Reading = NonNullable<Awaited<ReturnType<StepUpAnswerActivities['readStepUpAnswer']>>>;

// One short transaction each: tried again for as long as the database needs to come back.
const rows = explainedLocalActivities<StepUpAnswerActivities>(
  {
    startToCloseTimeout: '10 seconds',
    retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds' },
  },
  {
    readStepUpAnswer: 'reads how the step-up stands',
    withdrawStepUp: 'takes the step-up back for its requester',
  },
);

/** It expires by its own workflow: this one looks a little later, and again for as long as that is late. */
const LATER_MS = 1_000;

export async function stepUpAnswer({ tenantId, id }: CeremonyInput): Promise<Reading['answer']> {
  const subject = { tenantId, stepUpId: id };
  let rings = 0;
  setHandler(answeredSignal, () => {
    rings += 1;
  });
  try {
    for (let isWatching = false; ;) {
      const heard = rings;
      const reading = await rows.readStepUpAnswer(subject);
      if (reading === null) fail('step_up_not_found');
      show(reading);
      if (reading.isSettled) return reading.answer;
      // Its answer may have come before the bell was there: asked once more right after.
      if (!isWatching) {
        isWatching = true;
        await watch(workflowId('step_up', tenantId, id, reading.healCount));
        continue;
      }
      const waitMs = reading.waitMs + LATER_MS;
      await condition(() => rings !== heard, waitMs, { summary: "the customer's answer" });
    }
  } catch (error) {
    if (isCancellation(error))
      await CancellationScope.nonCancellable(() => rows.withdrawStepUp(subject));
    throw error;
  }
}

async function watch(stepUp: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(stepUp).signal(watchSignal);
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Closed or lost: the row is read again, and the timer stays.
    log.info('the step-up could not be watched', { error });
  }
}

function show({ answer, isSettled, waitMs }: Reading): void {
  setCurrentDetails(
    describeNow({
      now: isSettled ? `It is answered: ${answer.status}.` : 'The customer has not answered yet.',
      whoActs: isSettled ? 'the requester' : 'the customer, in the app',
      ...(isSettled ? {} : { untilMs: Date.now() + waitMs, otherwise: 'it expires' }),
      done: [],
      next: [],
      runbook: 'step_up',
    }),
  );
}
