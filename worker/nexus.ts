/** What requesters reach through Nexus: the operation, and the workflow and activities that answer it. */
import { createStepUpAnswerActivities } from '../activities/step-up-answer.ts';
import { newId } from '../adapters/random.ts';
import { createStepUpAnswerStore } from '../db/step-up-answers.ts';
import { createNexusWorker } from '../temporal/nexus-worker.ts';
import type { NexusWorkerOptions } from '../temporal/nexus-worker.ts';
import type { WorkerParts } from './parts.ts';
import { createStepUpService } from './step-up-operation.ts';

export async function createRequesterWorker(
  parts: WorkerParts,
  options: Omit<NexusWorkerOptions, 'activities' | 'service'>,
) {
  const answers = createStepUpAnswerStore(parts.database, {
    personalData: parts.personalData,
    newId,
  });
  return await createNexusWorker({
    ...options,
    activities: createStepUpAnswerActivities({ store: answers }),
    service: createStepUpService(parts, answers),
  });
}
