/**
 * The test Temporal server for one test file: a namespace of its own, our gateway into it, and the house's workers, which start and stop as the
 * test likes. Which activities they get is the test's business.
 */
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { systemClock } from '../../../adapters/clock.ts';
import { createTemporalGateway } from '../../../temporal/client.ts';
import type { TemporalGateway } from '../../../temporal/client.ts';
import { createDataConverter } from '../../../temporal/data-converter.ts';
import { startWorkerGroup } from '../../../temporal/worker-group.ts';
import type { WorkerGroup, WorkerGroupOptions } from '../../../temporal/worker-group.ts';
import { buildWorkflows } from '../../../temporal/workflow-bundle.ts';
import type { BuiltWorkflows } from '../../../temporal/workflow-bundle.ts';
import { TEST_PAYLOAD_KEYS } from '../payload-keys.ts';
import { createTestNamespace } from '../temporal.ts';
import { quietTemporal } from './quiet-temporal.ts';

/** A queue that is left out has no activities. */
export type TestActivities = Partial<WorkerGroupOptions['activities']>;

export interface TestWork extends Partial<
  Pick<WorkerGroupOptions, 'identity' | 'buildId' | 'log' | 'beside'>
> {
  readonly activities: TestActivities;
}

export interface TestTemporal {
  readonly connection: Connection;
  readonly native: NativeConnection;
  readonly namespace: string;
  readonly workflows: BuiltWorkflows;
  readonly gateway: TemporalGateway;
  /** Workers that run until they are shut down, or until `close`. */
  work(work: TestWork): Promise<WorkerGroup>;
  close(): Promise<void>;
}

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function openTestTemporal(): Promise<TestTemporal> {
  quietTemporal();
  const { address, namespace } = await createTestNamespace();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const workflows = await buildWorkflows();
  const groups: WorkerGroup[] = [];
  return {
    connection,
    native,
    namespace,
    workflows,
    gateway: gatewayInto({ connection, namespace }),
    work: async (work) => {
      const group = await startTestWorkers({ connection: native, namespace, workflows }, work);
      groups.push(group);
      return group;
    },
    close: async () => {
      for (const group of groups) group.shutdown();
      await Promise.all(groups.map((group) => group.stopped));
      await native.close();
      await connection.close();
    },
  };
}

export function gatewayInto({
  connection,
  namespace,
}: {
  readonly connection: Connection;
  readonly namespace: string;
}): TemporalGateway {
  return createTemporalGateway({
    connection,
    namespace,
    dataConverter: createDataConverter({ namespace, keys: TEST_PAYLOAD_KEYS }),
    identity: 'test-client',
    clock: systemClock,
  });
}

export async function startTestWorkers(
  place: Pick<WorkerGroupOptions, 'connection' | 'namespace' | 'workflows'>,
  { activities, ...given }: TestWork,
): Promise<WorkerGroup> {
  return await startWorkerGroup({
    ...place,
    dataConverter: createDataConverter({ namespace: place.namespace, keys: TEST_PAYLOAD_KEYS }),
    identity: 'test-worker',
    buildId: undefined,
    log: { error: () => undefined },
    activities: { sessions: {}, ceremonies: {}, revocations: {}, vendors: {}, ...activities },
    ...given,
  });
}
