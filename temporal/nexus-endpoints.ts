/**
 * The address under which one requester reaches us: an endpoint of its own, so that whoever runs Temporal lets in the namespaces of that
 * requester alone. It proves nothing; the JWS in the request does. Harmless to repeat.
 */
import type { Connection } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { NEXUS_QUEUE } from './nexus-worker.ts';

const ALREADY_EXISTS = 6;

export interface NexusEndpoint {
  /** Unique in the cluster: letters, digits and dashes. */
  readonly name: string;
  /** Ours, where the operation is handled. */
  readonly namespace: string;
}

/** One that is there already stays as it is. */
export async function prepareNexusEndpoint(
  connection: Connection,
  { name, namespace }: NexusEndpoint,
): Promise<void> {
  try {
    await connection.operatorService.createNexusEndpoint({
      spec: { name, target: { worker: { namespace, taskQueue: NEXUS_QUEUE } } },
    });
  } catch (error) {
    if (!isGrpcServiceError(error) || error.code !== ALREADY_EXISTS) throw error;
  }
}
