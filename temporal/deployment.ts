/**
 * Which build of the workers gets the work. Nothing runs before a build is current; in production `latchkey deploy promote` names it,
 * so that an old replica that restarts does not switch it back, and only `npm start` promotes by itself.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';

export const DEPLOYMENT_NAME = 'latchkey';

const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const RETRY_EVERY_MS = 250;

/** The current build id, undefined when none was ever promoted. For readiness: until then no workflow moves. */
export async function currentBuildId(
  connection: Connection,
  namespace: string,
): Promise<string | undefined> {
  try {
    const { workerDeploymentInfo } = await connection.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName: DEPLOYMENT_NAME,
    });
    const version = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion;
    return version?.buildId ?? undefined;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}

/** Makes the build current, waiting until its first Worker has polled: before that Temporal does not know it. */
export async function promote(
  connection: Connection,
  options: {
    readonly namespace: string;
    readonly buildId: string;
    readonly identity: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  for (;;) {
    try {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: options.namespace,
        deploymentName: DEPLOYMENT_NAME,
        buildId: options.buildId,
        identity: options.identity,
        ignoreMissingTaskQueues: false,
      });
      return;
    } catch (error) {
      // FAILED_PRECONDITION: some of its task queues have not been polled yet.
      const isTooEarly =
        isGrpcServiceError(error) && [NOT_FOUND, FAILED_PRECONDITION].includes(error.code);
      if (!isTooEarly) throw error;
      await pause(RETRY_EVERY_MS, undefined, { signal: options.signal });
    }
  }
}
