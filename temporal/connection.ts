/**
 * Connections to Temporal, one way for each who needs one: servers that must come up while it is down, and commands that are of no use without
 * it. That of the Workers is in worker-connection.ts, apart, because it loads the SDK's native core.
 */
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/** As long as a call may take (temporal/client.ts). */
const LAZY_TIMEOUT_MS = 3_000;
const COMMAND_TIMEOUT_MS = 10_000;
/**
 * Over a connection that just broke, well within the deadline: the SDK's own ten attempts went on beyond it (measured: 5.6 s for 3 s) and, once
 * the connection was closed, threw into the process.
 */
const RETRIES = { maxAttempts: 3, maxIntervalMs: () => 300 };

export interface TemporalAddress {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls: boolean;
}

/** Connects lazily: the API must come up while Temporal is down. */
export function connectTemporal(temporal: TemporalAddress): Connection {
  return Connection.lazy({
    ...addressOf(temporal),
    connectTimeout: LAZY_TIMEOUT_MS,
    interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions(RETRIES))],
  });
}

/** For one command: connected while `work` runs, or an error after 10 s. */
export async function withTemporal<T>(
  temporal: TemporalAddress,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({
    ...addressOf(temporal),
    connectTimeout: COMMAND_TIMEOUT_MS,
  });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** What the SDK is told: an API key that is not there is left out. */
export function addressOf({ address, tls, apiKey }: TemporalAddress) {
  return { address, tls, ...(apiKey === undefined ? {} : { apiKey }) };
}
