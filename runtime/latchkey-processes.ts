/**
 * The API and the worker as processes of their own, run from the checkout as they are. A development worker's build becomes current by
 * itself; in production only `latchkey deploy promote` does that.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withTemporal } from '../temporal/connection.ts';
import { promote } from '../temporal/deployment.ts';
import { API_MEMORY_FLAGS } from './api-memory.ts';
import { startProcess } from './managed-process.ts';
import type { ManagedProcess } from './managed-process.ts';
import { nodeExecutable } from './node-executable.ts';
import type { GroupMember } from './process-group.ts';

export const CHECKOUT = fileURLToPath(new URL('..', import.meta.url));
const PROMOTION_TIMEOUT_MS = 60_000;

/** Whoever runs the processes: it ends them and hears what they say. */
export interface ProcessHost {
  readonly adopt: (member: GroupMember & { readonly pid?: number }) => Promise<void>;
  /** A line of a member's own output. */
  readonly onLine: (name: string, line: string) => void;
}

/** The API as a process of its own, ready or not. */
export async function startApi(
  host: ProcessHost,
  environment: NodeJS.ProcessEnv,
): Promise<ManagedProcess> {
  const api = await startServerProcess(host, {
    name: 'api',
    file: 'api/server.ts',
    flags: API_MEMORY_FLAGS,
    environment: withMetricsPort(environment, 'LATCHKEY_API_METRICS_PORT'),
  });
  await host.adopt(api);
  return api;
}

export interface WorkerProcess extends ManagedProcess {
  /** The build that it brought, once that is the current one; undefined when it could not be made so. */
  readonly promoted: Promise<string | undefined>;
}

/** The worker as a process of its own; the build that it brings becomes the current one as soon as it polls. */
export async function startWorker(
  host: ProcessHost,
  environment: NodeJS.ProcessEnv,
  temporal: { readonly address: string; readonly namespace: string },
): Promise<WorkerProcess> {
  const { promise: promoted, resolve } = Promise.withResolvers<string | undefined>();
  const tellError = errorLine(host, 'worker');
  const onBuildId = (buildId: string) => {
    promoteBuild(temporal, buildId).then(
      () => {
        resolve(buildId);
      },
      (error: unknown) => {
        tellError(error);
        resolve(undefined);
      },
    );
  };
  const started = await startServerProcess(host, {
    name: 'worker',
    file: 'worker.ts',
    environment: withMetricsPort(environment, 'LATCHKEY_WORKER_METRICS_PORT'),
    onLine: (line) => {
      const buildId = /"buildId":"([A-Za-z0-9._-]+)"/.exec(line)?.[1];
      if (buildId !== undefined) onBuildId(buildId);
    },
  });
  const worker = { ...started, promoted };
  await host.adopt(worker);
  return worker;
}

function withMetricsPort(environment: NodeJS.ProcessEnv, variable: string): NodeJS.ProcessEnv {
  const port = environment[variable];
  return port === undefined ? environment : { ...environment, LATCHKEY_METRICS_PORT: port };
}

interface ServerProcess {
  readonly name: string;
  readonly file: string;
  readonly flags?: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly onLine?: (line: string) => void;
}

async function startServerProcess(
  { onLine }: ProcessHost,
  server: ServerProcess,
): Promise<ManagedProcess> {
  return await startProcess({
    name: server.name,
    command: nodeExecutable(),
    args: [...(server.flags ?? []), join(CHECKOUT, server.file)],
    env: server.environment,
    cwd: CHECKOUT,
    stopGraceMs: 15_000,
    onLine: (line) => {
      server.onLine?.(line);
      onLine(server.name, line);
    },
  });
}

/** Makes the build current, which it can be only once its Workers poll. */
async function promoteBuild(
  { address, namespace }: { readonly address: string; readonly namespace: string },
  buildId: string,
): Promise<void> {
  await withTemporal({ address, tls: false }, (connection) =>
    promote(connection, {
      namespace,
      buildId,
      identity: 'latchkey-start',
      signal: AbortSignal.timeout(PROMOTION_TIMEOUT_MS),
    }),
  );
}

/** Turns an error of a member into a line of it. */
export function errorLine({ onLine }: ProcessHost, name: string): (error: unknown) => void {
  return (error) => {
    onLine(name, `error: ${error instanceof Error ? error.message : 'unknown'}`);
  };
}
