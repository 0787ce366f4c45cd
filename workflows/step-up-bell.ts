/**
 * How a step-up and the workflow that answers its requester (step-up-answer.ts) ring each other. Doorbells both: what happened stands on the
 * row. It must never ring another's: the name follows from the step-up's own.
 */
import { defineSignal, getExternalWorkflowHandle, log } from '@temporalio/workflow';
import { stepUpAnswerId } from '../domain/ids.ts';
import type { StepUpSubject } from '../domain/step-up.ts';

/** From the workflow that answers a requester who awaits it: it wants to be rung when it is approved or over. */
export const watchSignal = defineSignal('watch');
/** What that one is sent. */
export const answeredSignal = defineSignal('answered');

export async function ringAnswer({ tenantId, stepUpId }: StepUpSubject): Promise<void> {
  try {
    await getExternalWorkflowHandle(stepUpAnswerId(tenantId, stepUpId)).signal(answeredSignal);
  } catch (error) {
    // Gone already; by its own timer it would have asked the row, too.
    log.info('nobody awaits the step-up any more', { error });
  }
}
