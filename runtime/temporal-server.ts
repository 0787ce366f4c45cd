/**
 * Temporal's development server as a child process: one namespace `latchkey` with seven days of retention and the search
 * attributes that the workflows use. Never for production, where TEMPORAL_ADDRESS names a cluster.
 */
import { Connection } from '@temporalio/client';
import { prepareNamespace } from '../temporal/namespace.ts';
import { SEARCH_ATTRIBUTES } from '../temporal/search-attributes.ts';
import { startProcess } from './managed-process.ts';
import type { ManagedProcess } from './managed-process.ts';
import { describeTakenPort, isPortTaken } from './ports.ts';
import { waitUntilReady } from './readiness.ts';

const HOST = '127.0.0.1';
const PREPARATION_TIMEOUT_MS = 30_000;
/** As the server's own command line names the types. */
const TYPE_NAMES = { KEYWORD: 'Keyword', DATETIME: 'Datetime' } as const;

export interface TemporalServerOptions {
  /** Temporal's own program, as the finder found it. */
  readonly executable: string;
  readonly port: number;
  /** Temporal's web UI, to stand behind the operations door; left out, there is none. */
  readonly uiPort?: number;
  /** Left out, everything is forgotten at the end. */
  readonly databaseFile?: string;
  readonly namespace: string;
  readonly onLine?: (line: string) => void;
}

export interface TemporalServer {
  readonly address: string;
  /** An origin; the UI serves below /temporal there. */
  readonly uiUpstream: string | undefined;
  readonly process: ManagedProcess;
  stop(): Promise<void>;
}

/**
 * Starts the server and returns when its gRPC health check says SERVING and the namespace is ready for use.
 * @throws Error naming the holder of a taken port, or what the server said when it ended.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  await refuseTakenPort('Temporal', options.port);
  if (options.uiPort !== undefined) await refuseTakenPort("Temporal's web UI", options.uiPort);
  const lastLines: string[] = [];
  const started = await startProcess({
    name: 'temporal',
    command: options.executable,
    args: serverArguments(options),
    // The developer's own profile must not point our server's client elsewhere.
    env: { ...process.env, TEMPORAL_DISABLE_CONFIG_FILE: '1' },
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      options.onLine?.(line);
    },
  });
  try {
    await prepare(options.port, options.namespace, started.exited);
  } catch (cause) {
    await started.stop();
    throw new Error(`Temporal did not start:\n${lastLines.join('\n')}`, { cause });
  }
  return {
    address: `${HOST}:${options.port}`,
    uiUpstream: options.uiPort === undefined ? undefined : `http://${HOST}:${options.uiPort}`,
    process: started,
    stop: () => started.stop(),
  };
}

function serverArguments(options: TemporalServerOptions): string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    HOST,
    '--port',
    String(options.port),
    '--namespace',
    options.namespace,
    // From its first moment: a start that names one the server does not know yet is refused for good.
    ...SEARCH_ATTRIBUTES.flatMap(({ name, type }) => [
      '--search-attribute',
      `${name}=${TYPE_NAMES[type]}`,
    ]),
    '--log-level',
    'error',
    '--log-format',
    'json',
    ...(options.uiPort === undefined
      ? ['--headless']
      : [
          '--headless=false',
          '--ui-port',
          String(options.uiPort),
          // As the operations door passes its addresses on.
          '--ui-public-path',
          '/temporal',
          '--ui-disable-news-fetch',
        ]),
    ...(options.databaseFile === undefined ? [] : ['--db-filename', options.databaseFile]),
  ];
}

async function refuseTakenPort(purpose: string, port: number): Promise<void> {
  if (await isPortTaken(port)) throw new Error(await describeTakenPort(purpose, port));
}

/** Waits for health, then gives the namespace what ours has everywhere. */
async function prepare(port: number, namespace: string, gaveUp: Promise<unknown>): Promise<void> {
  const server = { what: 'the Temporal server', timeoutMs: 60_000, gaveUp };
  await waitUntilReady(() => isPortTaken(port), server);
  const connection = await Connection.connect({
    address: `${HOST}:${port}`,
    connectTimeout: 30_000,
  });
  try {
    await waitUntilReady(async () => {
      const health = await connection.healthService.check({
        service: 'temporal.api.workflowservice.v1.WorkflowService',
      });
      return health.status === 1;
    }, server);
    await prepareNamespace(connection, {
      namespace,
      signal: AbortSignal.timeout(PREPARATION_TIMEOUT_MS),
    });
  } finally {
    await connection.close();
  }
}
