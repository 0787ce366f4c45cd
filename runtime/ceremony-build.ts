/** Which build of the workers has a ceremony in hand, as Temporal itself says. For the stage alone: nothing is decided by it. */
import type { Clock } from '../domain/clock.ts';
import { connectTemporal } from '../temporal/connection.ts';
import type { TemporalAddress } from '../temporal/connection.ts';
import { withinDeadline } from '../temporal/deadline.ts';

const DEADLINE_MS = 1_000;

export interface CeremonyBuilds {
  /** The build that did the workflow's last piece of work; undefined when nobody can tell, while Temporal is down for example. */
  of(workflowId: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export function createCeremonyBuilds(
  temporal: TemporalAddress & { readonly namespace: string },
  clock: Clock,
): CeremonyBuilds {
  const connection = connectTemporal(temporal);
  return {
    of: async (workflowId) => {
      const answer = await withinDeadline({ connection, clock }, DEADLINE_MS, () =>
        connection.workflowService.describeWorkflowExecution({
          namespace: temporal.namespace,
          execution: { workflowId },
        }),
      ).catch(() => undefined);
      const version = answer?.workflowExecutionInfo?.versioningInfo?.deploymentVersion;
      return version?.buildId || undefined;
    },
    stop: () => connection.close(),
  };
}
