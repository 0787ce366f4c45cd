/**
 * A whole Latchkey for a browser or fault test: the API and the worker as real processes over a database and a namespace of their own,
 * with the local vendors and stage control. Parts can be killed and started again; nothing is left at the end.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { startDroppingProxy } from '../../runtime/dropping-proxy.ts';
import type { DroppingProxy } from '../../runtime/dropping-proxy.ts';
import { startApi, startWorker } from '../../runtime/latchkey-processes.ts';
import type { ManagedProcess } from '../../runtime/managed-process.ts';
import { findFreePort } from '../../runtime/ports.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import type { GroupMember } from '../../runtime/process-group.ts';
import { startStack } from '../../runtime/stack.ts';
import type { Stack } from '../../runtime/stack.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import type { TemporalServer } from '../../runtime/temporal-server.ts';
import { createTestDatabase } from './database.ts';
import type { TestDatabase } from './database.ts';
import { createTestNamespace } from './temporal.ts';

export interface TestStackOptions {
  /** More variables for the API and the worker, LATCHKEY_FAIL_POINT for example. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A Temporal server of its own, which the test may kill and start again over the same data. */
  readonly hasOwnTemporal?: boolean;
  /** And its web UI behind the operations door. */
  readonly hasTemporalUi?: boolean;
  /** A PostgreSQL of its own, likewise; its time is the real one. */
  readonly hasOwnPostgres?: boolean;
  /** The public URL is a proxy that can lose answers. */
  readonly isBehindProxy?: boolean;
  /** How long the stage's phone has no line after an answer was lost. */
  readonly noLineMs?: number;
  /** Told before anything starts: for a proxy of the test's own. */
  readonly onPorts?: (ports: { readonly api: number; readonly operations: number }) => void;
}

export interface TestStack extends Omit<Stack, 'api' | 'worker'> {
  readonly database: TestDatabase;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly proxy: DroppingProxy | undefined;
  /** The running process, the newest after a restart. */
  api(): ManagedProcess;
  worker(): ManagedProcess;
  /** With the same environment, changed by what is given; a value of undefined leaves a variable out. */
  startApi(changes?: Readonly<Record<string, string | undefined>>): Promise<ManagedProcess>;
  startWorker(changes?: Readonly<Record<string, string | undefined>>): Promise<ManagedProcess>;
  killTemporal(): Promise<void>;
  startTemporal(): Promise<void>;
  /** SIGKILL for the server and all its backends. */
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** What a process said since the start of the stack; of the servers only those that are its own. */
  lines(name: SpeakingPart): readonly string[];
  /** Where its own servers keep their files. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** Below the stack's folder. */
export const FAULT_ORDER = 'fault-order';

const SPEAKING_PARTS = ['api', 'worker', 'postgres', 'temporal'] as const;
type SpeakingPart = (typeof SPEAKING_PARTS)[number];
type Listener = (line: string) => void;

/** Call it in `beforeAll`, and `stop()` in `afterAll`. */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  const members: GroupMember[] = [];
  const stop = async () => {
    // Processes are killed: what they would do at an orderly end, a test waits for before.
    for (const member of members.toReversed()) await (member.kill?.() ?? member.stop());
  };
  try {
    return await assemble(options, members, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function assemble(
  options: TestStackOptions,
  members: GroupMember[],
  stop: () => Promise<void>,
): Promise<TestStack> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-stack-'));
  await chmod(directory, 0o711);
  members.push({ name: 'folder', stop: () => rm(directory, { recursive: true, force: true }) });
  const said = { api: [], worker: [], postgres: [], temporal: [] } as Record<
    SpeakingPart,
    string[]
  >;
  const listen =
    (name: SpeakingPart): Listener =>
    (line) => {
      said[name].push(line);
    };
  const { database, ...postgres } = await provideDatabase(
    options,
    directory,
    members,
    listen('postgres'),
  );
  const temporal = await provideTemporal(options, directory, members, listen('temporal'));
  const ports = await choosePorts();
  options.onPorts?.(ports);
  const proxy =
    options.isBehindProxy === true
      ? await startDroppingProxy({ port: 0, targetPort: ports.api })
      : undefined;
  if (proxy !== undefined) members.push({ name: 'proxy', stop: () => proxy.stop() });

  const host = {
    adopt: (member: GroupMember) => {
      members.push(member);
      return Promise.resolve();
    },
    onLine: (name: string, line: string) => {
      const part = SPEAKING_PARTS.find((candidate) => candidate === name);
      if (part !== undefined) said[part].push(line);
    },
  };
  const stack = await startStack({
    ...host,
    environment: {
      ...process.env,
      LATCHKEY_MODE: 'development',
      DATABASE_URL: database.applicationUrl,
      DATABASE_OWNER_URL: database.ownerUrl,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
      ...(temporal.uiUpstream === undefined
        ? {}
        : { LATCHKEY_TEMPORAL_UI_UPSTREAM: temporal.uiUpstream }),
      ...(proxy === undefined ? {} : { LATCHKEY_PUBLIC_URL: proxy.url }),
      // A test orders a fault in it, of a process that runs (test/setup/faults.ts).
      LATCHKEY_FAIL_POINT: `@${join(directory, FAULT_ORDER)}`,
      ...options.environment,
    },
    directory,
    ports,
    ...(options.noLineMs === undefined ? {} : { noLineMs: options.noLineMs }),
    onProgress: () => undefined,
  });
  let { api, worker } = stack;
  const changed = (changes: Readonly<Record<string, string | undefined>>) => ({
    ...stack.environment,
    ...changes,
  });
  return {
    ...stack,
    database,
    directory,
    proxy,
    temporalAddress: temporal.address,
    namespace: temporal.namespace,
    api: () => api,
    worker: () => worker,
    startApi: async (changes = {}) => (api = await startApi(host, changed(changes))),
    startWorker: async (changes = {}) =>
      (worker = await startWorker(host, changed(changes), temporal)),
    killTemporal: () => temporal.kill(),
    startTemporal: () => temporal.start(),
    killPostgres: () => postgres.kill(),
    startPostgres: () => postgres.start(),
    lines: (name) => said[name],
    stop,
  };
}

interface ProvidedDatabase {
  readonly database: TestDatabase;
  kill(): Promise<void>;
  start(): Promise<void>;
}

async function provideDatabase(
  options: TestStackOptions,
  directory: string,
  members: GroupMember[],
  onLine: Listener,
): Promise<ProvidedDatabase> {
  if (options.hasOwnPostgres !== true) {
    const refuse = () =>
      Promise.reject(new Error('the shared PostgreSQL stays up: ask for hasOwnPostgres'));
    const database = await createTestDatabase();
    members.push({ name: 'database', stop: () => database.drop() });
    return { database, kill: refuse, start: refuse };
  }
  const port = await findFreePort();
  // A killed process loses no commit without fsync either; only a power cut does.
  const launch = () => startPostgres({ directory, port, isDurable: false, onLine });
  let server = await launch();
  const drop = async () => {
    await server.stop();
    await rm(server.dataDirectory, { recursive: true, force: true });
  };
  members.push({ name: 'postgres', stop: drop });
  return {
    database: {
      name: 'latchkey',
      superuserUrl: server.superuserUrl(),
      ownerUrl: server.ownerUrl(),
      applicationUrl: server.applicationUrl(),
      drop,
    },
    kill: () => server.process.kill(),
    start: async () => {
      server = await launch();
    },
  };
}

interface ProvidedTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly uiUpstream?: string | undefined;
  kill(): Promise<void>;
  start(): Promise<void>;
}

async function provideTemporal(
  options: TestStackOptions,
  directory: string,
  members: GroupMember[],
  onLine: Listener,
): Promise<ProvidedTemporal> {
  if (options.hasOwnTemporal !== true) {
    const refuse = () =>
      Promise.reject(new Error('the shared Temporal stays up: ask for hasOwnTemporal'));
    return { ...(await createTestNamespace()), kill: refuse, start: refuse };
  }
  const namespace = 'latchkey';
  const port = await findFreePort();
  const uiPort = options.hasTemporalUi === true ? await findFreePort() : undefined;
  const launch = (): Promise<TemporalServer> =>
    startTemporalServer({
      executable: inject('servers').temporalExecutable,
      port,
      ...(uiPort === undefined ? {} : { uiPort }),
      databaseFile: join(directory, 'temporal.db'),
      namespace,
      onLine,
    });
  let server = await launch();
  members.push({ name: 'temporal', stop: () => server.process.kill() });
  return {
    address: server.address,
    uiUpstream: server.uiUpstream,
    namespace,
    kill: () => server.process.kill(),
    start: async () => {
      server = await launch();
    },
  };
}

async function choosePorts() {
  const ports: number[] = [];
  while (ports.length < 12) {
    const port = await findFreePort();
    if (!ports.includes(port)) ports.push(port);
  }
  const [
    api = 0,
    stageControl = 0,
    staffDirectory = 0,
    operations = 0,
    apiMetrics = 0,
    workerMetrics = 0,
    inbox = 0,
    smtp = 0,
    identityVendor = 0,
    livenessVendor = 0,
    postgres = 0,
    temporal = 0,
  ] = ports;
  return {
    api,
    stageControl,
    staffDirectory,
    operations,
    apiMetrics,
    workerMetrics,
    inbox,
    smtp,
    identityVendor,
    livenessVendor,
    postgres,
    temporal,
  };
}
