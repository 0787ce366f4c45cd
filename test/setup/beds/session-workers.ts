/** Workers for the session workflow on the test Temporal server, in a namespace of their own, over a real database. */
import { createSessionActivities } from '../../../activities/session.ts';
import type { SessionStore } from '../../../activities/session.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { openTestTemporal } from '../temporal/test-temporal.ts';
import type { TestTemporal } from '../temporal/test-temporal.ts';

/** Errors that the code under test logged, for the tests that expect one. */
export const loggedErrors: unknown[] = [];

export interface SessionTemporal extends Omit<TestTemporal, 'work' | 'native'> {
  /** Starts Workers; several may run one after the other. */
  work(options: { readonly store: SessionStore; readonly buildId?: string }): Promise<WorkerGroup>;
}

export async function createSessionTemporal(): Promise<SessionTemporal> {
  const temporal = await openTestTemporal();
  return {
    ...temporal,
    work: ({ store, buildId }) =>
      temporal.work({
        // As long as a real instance id: it counts in the size of a history.
        identity: 'worker-000000000000',
        buildId,
        log: { error: (fields) => loggedErrors.push(fields['err']) },
        activities: { sessions: createSessionActivities({ store }) },
      }),
  };
}
