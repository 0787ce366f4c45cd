/**
 * Vitest's global setup: one embedded PostgreSQL with a migrated template database and one Temporal server, started once for
 * all projects of a run, on free ports, in a folder of its own. Everything ends and vanishes at the teardown of the last user.
 */
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findFreePort } from '../../runtime/ports.ts';
import { startPostgres } from '../../runtime/postgres.ts';
import type { PostgresServer } from '../../runtime/postgres.ts';
import { endAbandoned, StartRecord } from '../../runtime/start-record.ts';
import { findTemporal } from '../../runtime/temporal-finder.ts';
import { startTemporalServer } from '../../runtime/temporal-server.ts';
import type { TemporalServer } from '../../runtime/temporal-server.ts';
import { makeTemplate } from './postgres/template-database.ts';

const NAMESPACE = 'latchkey';
const TEMPLATE = 'latchkey_template';
const FOLDER_PREFIX = 'latchkey-test-servers-';

/** What tests read with `inject('servers')`. */
export interface TestServers {
  readonly postgres: {
    /** URLs of the database `latchkey`, which stays empty: every test file makes a database of its own. */
    readonly superuserUrl: string;
    readonly ownerUrl: string;
    readonly applicationUrl: string;
    readonly template: string;
  };
  readonly temporal: {
    readonly address: string;
    /** The server's own namespace; `createTestNamespace` makes one for a test file. */
    readonly namespace: string;
  };
  /** Temporal's program, for tests that start a server of their own (to kill it). */
  readonly temporalExecutable: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly servers: TestServers;
  }
}

interface Running {
  readonly folder: string;
  readonly postgres: PostgresServer;
  readonly temporal: TemporalServer;
  readonly servers: TestServers;
}

interface Shared {
  users: number;
  running: Promise<Running> | undefined;
}

/** Each project loads this file anew, in the same process: only the global object is common to them. */
const shared = sharedByAllProjects();

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.users += 1;
  shared.running ??= start();
  const { servers } = await shared.running;
  project.provide('servers', servers);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    const running = await shared.running;
    shared.running = undefined;
    if (running !== undefined) await stop(running);
  };
}

async function start(): Promise<Running> {
  await endAbandonedRuns();
  const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  const record = await StartRecord.take(folder);
  // PostgreSQL may have to run as another user, who must be able to pass.
  await chmod(folder, 0o711);
  const { executable } = await findTemporal({
    onProgress: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
  const postgres = await startPostgres({
    directory: folder,
    port: await findFreePort(),
    isDurable: false,
  });
  await record.addChild(postgres.process.pid);
  try {
    const temporal = await startTemporalServer({
      executable,
      port: await findFreePort(),
      namespace: NAMESPACE,
    });
    await record.addChild(temporal.process.pid);
    const running = { folder, postgres, temporal };
    try {
      await makeTemplate({
        superuserUrl: postgres.superuserUrl('postgres'),
        ownerUrl: postgres.ownerUrl(TEMPLATE),
        name: TEMPLATE,
      });
    } catch (error) {
      await temporal.process.kill();
      throw error;
    }
    return { ...running, servers: describe(running, executable) };
  } catch (error) {
    await removePostgres(folder, postgres);
    throw error;
  }
}

function describe(
  { postgres, temporal }: Pick<Running, 'postgres' | 'temporal'>,
  temporalExecutable: string,
): TestServers {
  return {
    postgres: {
      superuserUrl: postgres.superuserUrl(),
      ownerUrl: postgres.ownerUrl(),
      applicationUrl: postgres.applicationUrl(),
      template: TEMPLATE,
    },
    temporal: { address: temporal.address, namespace: NAMESPACE },
    temporalExecutable,
  };
}

async function stop({ folder, postgres, temporal }: Running): Promise<void> {
  await temporal.process.kill();
  await removePostgres(folder, postgres);
}

async function removePostgres(folder: string, postgres: PostgresServer): Promise<void> {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(postgres.dataDirectory, { recursive: true, force: true });
}

/** A run that was killed could not end its servers: this one does it, knowing them by what that one wrote down. */
async function endAbandonedRuns(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(FOLDER_PREFIX));
  for (const name of names) {
    const folder = join(tmpdir(), name);
    const isAbandoned = await endAbandoned(folder).catch(() => false);
    if (isAbandoned) await rm(folder, { recursive: true, force: true });
  }
}

function sharedByAllProjects(): Shared {
  const key = Symbol.for('latchkey.test-servers');
  // The symbol is this file's own: nothing else writes there.
  const holder = globalThis as unknown as Record<symbol, Shared | undefined>;
  return (holder[key] ??= { users: 0, running: undefined });
}
