/**
 * A workflow that does nothing of its own, with as many local activities and updates as an approved step-up: what Temporal itself costs. Its
 * local activities write nothing, so that every statement and commit of a step-up counts against the step-up; it has no receipt either. One timer runs
 * and is never cancelled, as in a step-up that is used in its time.
 */
import {
  condition,
  defineSignal,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';

export interface BareActivities {
  nothing(id: string): Promise<null>;
  /** Tells the load that it may go on. */
  opened(id: string): Promise<null>;
}

const { nothing, opened } = proxyLocalActivities<BareActivities>({
  startToCloseTimeout: '10 seconds',
});

export async function bareStepUp({ id }: { readonly id: string }): Promise<void> {
  let isApproved = false;
  let isOver = false;
  setHandler(defineUpdate<void>('approve'), async () => {
    await nothing(id);
    await nothing(id);
    await nothing(id);
    isApproved = true;
  });
  setHandler(defineSignal('end'), () => {
    isOver = true;
  });
  await opened(id);
  void sleep('5 minutes');
  await condition(() => isApproved);
  await condition(() => isOver);
  await nothing(id);
}
