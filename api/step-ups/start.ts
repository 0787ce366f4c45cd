/** The start of a step-up's workflow, after its row. A failure leaves the row in `starting`: the same request tries again, or it expires. */
import type { StepUpRecord } from '../../db/step-up.ts';
import type { AppDependencies } from '../dependencies.ts';

/** Once more for a repeat: a workflow that is there already is as good. @throws LatchkeyError temporal_unavailable */
export async function startStepUp(
  { temporal }: Pick<AppDependencies, 'temporal'>,
  { tenantId, stepUpId, customerId, healCount, state }: StepUpRecord,
): Promise<void> {
  if (state !== 'starting') return;
  await temporal.start('step_up', {
    tenantId,
    id: stepUpId,
    healCount,
    searchAttributes: { state, customerId },
  });
}
