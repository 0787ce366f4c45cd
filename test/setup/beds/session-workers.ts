/** Workers for the session workflow on the test Temporal server, in a namespace of their own, over a real database. */
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { createSessionActivities } from '../../../activities/session.ts';
import { systemClock } from '../../../adapters/clock.ts';
import type { SessionStore } from '../../../activities/session.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import type { BuiltWorkflows } from '../../../temporal/workflow-bundle.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import { quietTemporal } from '../temporal/quiet-temporal.ts';
import { createTestNamespace } from '../temporal.ts';

/** Errors that the code under test logged, for the tests that expect one. */
export const loggedErrors: unknown[] = [];

export interface SessionTemporal {
  readonly namespace: string;
  readonly connection: Connection;
  readonly gateway: TemporalGateway;
  /** Starts Workers; several may run one after the other. */
  work(options: { readonly store: SessionStore; readonly buildId?: string }): Promise<WorkerGroup>;
  readonly workflows: BuiltWorkflows;
  close(): Promise<void>;
}

export async function createSessionTemporal(): Promise<SessionTemporal> {
  quietTemporal();
  const { namespace } = await createTestNamespace();
  const { address } = inject('servers').temporal;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const dataConverter = createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS });
  const workflows = await buildWorkflows();
  const groups: WorkerGroup[] = [];
  return {
    namespace,
    connection,
    workflows,
    gateway: createTemporalGateway({
      connection,
      namespace,
      dataConverter,
      identity: 'test-client',
      clock: systemClock,
    }),
    async work({ store, buildId }) {
      const group = await startWorkerGroup({
        connection: native,
        namespace,
        workflows,
        dataConverter,
        // As long as a real instance id: it counts in the size of a history.
        identity: 'worker-000000000000',
        buildId,
        log: { error: (fields) => loggedErrors.push(fields['err']) },
        activities: {
          sessions: createSessionActivities({ store }),
          ceremonies: {},
          revocations: {},
          vendors: {},
        },
      });
      groups.push(group);
      return group;
    },
    async close() {
      for (const group of groups) group.shutdown();
      await Promise.all(groups.map((group) => group.stopped));
      await native.close();
      await connection.close();
    },
  };
}
