/**
 * What is measured: an own durable PostgreSQL beside the load, migrated and with the demo's tenant, and the API as a process of its own on the
 * other core, as `npm start` wires it. Everything ends and vanishes with `stop`. For measuring only: demo secrets, loopback.
 */
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { createEmbeddedKms } from '../adapters/kms/embedded.ts';
import { bootstrapDemoTenant, DEMO_SLUG } from '../db/bootstrap.ts';
import { migrate } from '../db/migrate.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Policy } from '../domain/policy.ts';
import type { KeyManagement } from '../domain/ports.ts';
import { API_MEMORY_FLAGS } from '../runtime/api-memory.ts';
import { demoEnvironment, DEMO_GATEWAY } from '../runtime/demo-environment.ts';
import { demoBankJwks, demoFraudJwks, DEMO_MASTER_KEYS } from '../runtime/demo-secrets.ts';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { nodeExecutable } from '../runtime/node-executable.ts';
import { findFreePort } from '../runtime/ports.ts';
import { startPostgres } from '../runtime/postgres.ts';
import type { PostgresServer } from '../runtime/postgres.ts';
import { waitUntilReady } from '../runtime/readiness.ts';
import type { Cores } from './cores.ts';

/** Nobody listens there: what has no Temporal finds it down. */
const NOWHERE = '127.0.0.1:1';
const GATEWAY_ORIGIN = 'http://localhost:4601';

/** Every phone of the load calls from one address, the cut-off's 64 have one device, and access tokens outlive a round; nothing else differs. */
const LOAD_POLICY: Policy = {
  ...DEFAULT_POLICY,
  session: { ...DEFAULT_POLICY.session, accessTokenSeconds: 900 },
  limits: {
    ...DEFAULT_POLICY.limits,
    loginsOfSource: 1_000_000,
    tokensOfSource: 1_000_000,
    refreshesOfDevice: 1_000_000,
    startsOfSource: 1_000_000,
    loginsOfSourceSeconds: 10,
    tokensOfSourceSeconds: 10,
    refreshesOfDeviceSeconds: 10,
    startsOfSourceSeconds: 10,
  },
};

export interface Bed {
  readonly cores: Cores;
  readonly postgres: PostgresServer;
  /** Past row-level security: for seeding. */
  readonly sql: postgres.Sql;
  readonly kms: KeyManagement;
  readonly tenantId: string;
  readonly port: number;
  /** The issuer's: what stands in proofs. */
  readonly publicUrl: string;
  readonly prefix: string;
  readonly gateway: { readonly id: string; readonly origin: string; readonly pathPrefix: string };
  readonly directory: string;
  /** Of the API and of a worker. */
  environment(changes?: Readonly<Record<string, string>>): NodeJS.ProcessEnv;
  /** A new API process, instead of the one before. */
  startApi(changes?: Readonly<Record<string, string>>): Promise<void>;
  /** Resident memory of the API now. */
  residentMiB(): Promise<number>;
  /** Processor time of the API so far, all its threads. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export async function startBed(cores: Cores): Promise<Bed> {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-bench-'));
  // PostgreSQL may have to run as another user, who must be able to pass.
  await chmod(directory, 0o711);
  const server = await startPostgres({ directory, port: await findFreePort() });
  await migrate({ ownerUrl: server.ownerUrl() });
  const port = await findFreePort();
  const publicUrl = `http://localhost:${String(port)}`;
  const { tenantId } = await bootstrapDemoTenant({
    ownerUrl: server.ownerUrl(),
    publicUrl,
    fraudClientJwks: demoFraudJwks(),
    bankClientJwks: demoBankJwks(),
    policy: LOAD_POLICY,
  });
  const sql = postgres(server.superuserUrl(), { max: 2, onnotice: () => undefined });
  const environment = apiEnvironment({ server, port, publicUrl });
  let api: ApiProcess | undefined;
  const startApi = async (changes: Readonly<Record<string, string>> = {}) => {
    await api?.stop();
    api = await startApiProcess({ cores, directory, port, environment: environment(changes) });
  };
  await startApi();
  return {
    cores,
    postgres: server,
    sql,
    kms: demoKms(),
    tenantId,
    port,
    publicUrl,
    prefix: `/t/${DEMO_SLUG}`,
    gateway: { id: DEMO_GATEWAY, origin: GATEWAY_ORIGIN, pathPrefix: '/bank' },
    directory,
    environment,
    startApi,
    residentMiB: async () => await residentMiB(api?.pid ?? 0),
    cpuMs: async () => await cpuMs(api?.pid ?? 0),
    stop: async () => {
      await api?.stop();
      await sql.end({ timeout: 5 });
      await server.stop();
      await rm(server.dataDirectory, { recursive: true, force: true });
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function demoKms(): KeyManagement {
  const [kid = '', key = ''] = DEMO_MASTER_KEYS.split(':');
  return createEmbeddedKms([{ kid, key: Buffer.from(key, 'base64') }]);
}

function apiEnvironment({
  server,
  port,
  publicUrl,
}: {
  readonly server: PostgresServer;
  readonly port: number;
  readonly publicUrl: string;
}): Bed['environment'] {
  const { PATH = '', HOME = '' } = process.env;
  return (changes = {}) => {
    const {
      LATCHKEY_OPERATIONS_PORT: _door,
      LATCHKEY_OPERATIONS_URL: _url,
      // No door for metrics: 0 is no port to them, and a worker given one ends at once.
      LATCHKEY_API_METRICS_PORT: _apiMetrics,
      LATCHKEY_WORKER_METRICS_PORT: _workerMetrics,
      // Nor a risk engine: with the stage's address, where nobody listens, each login made a call in vain and logged its failure.
      RISK_URL: _riskUrl,
      RISK_SECRET: _riskSecret,
      ...rest
    } = demoEnvironment(
      { PATH, HOME },
      {
        databaseUrl: server.applicationUrl(),
        databaseOwnerUrl: undefined,
        temporalAddress: NOWHERE,
        temporalUiUpstream: undefined,
        operations: { port: 0, url: '' },
        staffDirectory: undefined,
        publicUrl,
        apiPort: port,
        metricsPorts: { api: 0, worker: 0 },
        stageControlUrl: GATEWAY_ORIGIN,
        smsUrl: 'http://127.0.0.1:1/sms',
        smtpUrl: 'smtp://127.0.0.1:1',
        identityUrl: 'http://127.0.0.1:1/identity',
      },
    );
    return { ...rest, ...changes };
  };
}

interface ApiProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Its log goes to a file, as it would to a collector: what reads lines here would take the load's time. */
async function startApiProcess(options: {
  readonly cores: Cores;
  readonly directory: string;
  readonly port: number;
  readonly environment: NodeJS.ProcessEnv;
}): Promise<ApiProcess> {
  const log = join(options.directory, 'api.log');
  const output = await open(log, 'a');
  const profile = process.env['LATCHKEY_BENCH_PROFILE'];
  const flags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const words = [
    ...options.cores.onApiCore,
    nodeExecutable(),
    ...API_MEMORY_FLAGS,
    ...flags,
    join(CHECKOUT, 'api/server.ts'),
  ];
  const [command = '', ...args] = words;
  const child = spawn(command, args, {
    cwd: CHECKOUT,
    env: options.environment,
    stdio: ['ignore', output.fd, output.fd],
  });
  await output.close();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  // Whatever ends the bench ends the API.
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const { pid } = child;
  if (pid === undefined) throw new Error('the API did not start');
  try {
    await waitUntilReady(() => isAlive(options.port), {
      what: 'the API',
      timeoutMs: 30_000,
      pollMs: 100,
      gaveUp: exited,
    });
  } catch (cause) {
    child.kill('SIGKILL');
    throw new Error(`the API did not start:\n${await readFile(log, 'utf8')}`, { cause });
  }
  return {
    pid,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function isAlive(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${String(port)}/livez`);
  return answer.ok;
}

async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Linux counts it in hundredths of a second, whatever the kernel's own tick (proc(5), sysconf(_SC_CLK_TCK)). */
const TICK_MS = 10;

/** Processor time of a process so far, all its threads. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  // The program's name, in brackets, may hold anything: utime and stime are the 12th and 13th words after it.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(words[11]) + Number(words[12])) * TICK_MS;
}
