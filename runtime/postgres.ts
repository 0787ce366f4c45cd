/**
 * The embedded PostgreSQL of a developer's machine and of the tests: made once, started over whatever a crash left behind,
 * stopped in order. It listens on loopback only and must never run in production (configuration/ refuses its passwords).
 */
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { startProcess } from './managed-process.ts';
import type { ManagedProcess } from './managed-process.ts';
import { describeTakenPort, isPortTaken } from './ports.ts';
import { findPostgresPrograms, findPostgresUser, folderWithinReach } from './postgres-binaries.ts';
import type { PostgresPrograms, RunAs } from './postgres-binaries.ts';
import { endLeftover } from './postgres-leftover.ts';
import { waitUntilReady } from './readiness.ts';

const SUPERUSER = 'postgres';
const OWNER = 'latchkey_owner';
const APPLICATION = 'latchkey_app';
const DATABASE = 'latchkey';
const HOST = '127.0.0.1';

export interface PostgresOptions {
  /** The cluster lies in `<directory>/postgres`, its passwords beside it. */
  readonly directory: string;
  readonly port: number;
  /** False only in tests: a power cut may then lose commits (a killed process does not). */
  readonly isDurable?: boolean;
  readonly onLine?: (line: string) => void;
}

export interface PostgresServer {
  readonly port: number;
  readonly version: string;
  readonly process: ManagedProcess;
  /** Where the cluster lies, which is elsewhere than asked for when PostgreSQL's user cannot get there. */
  readonly dataDirectory: string;
  superuserUrl(database?: string): string;
  ownerUrl(database?: string): string;
  applicationUrl(database?: string): string;
  stop(): Promise<void>;
}

interface Passwords {
  readonly superuser: string;
  readonly owner: string;
  readonly application: string;
}

/**
 * Starts the cluster, making it, its two roles and the database `latchkey` when they are missing.
 * @throws Error naming the holder of a taken port, or what PostgreSQL said when it refused to start.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const runAs = await findPostgresUser();
  const programs = await findPostgresPrograms(runAs);
  await mkdir(options.directory, { recursive: true });
  const dataDirectory = await folderWithinReach(join(options.directory, 'postgres'), runAs);
  const passwords = await readOrMakePasswords(options.directory);
  await initialise({ programs, runAs, dataDirectory, passwords });
  await endLeftover(dataDirectory);
  if (await isPortTaken(options.port)) {
    throw new Error(await describeTakenPort('PostgreSQL', options.port));
  }
  const started = await launch({ options, programs, runAs, dataDirectory });
  const url = (user: string, password: string, database?: string) =>
    urlOf(options.port, user, password, database);
  const server: PostgresServer = {
    port: options.port,
    version: programs.version,
    process: started,
    dataDirectory,
    superuserUrl: (database) => url(SUPERUSER, passwords.superuser, database),
    ownerUrl: (database) => url(OWNER, passwords.owner, database),
    applicationUrl: (database) => url(APPLICATION, passwords.application, database),
    stop: () => started.stop(),
  };
  try {
    await ensureRolesAndDatabase(server.superuserUrl('postgres'), passwords);
  } catch (error) {
    await started.stop();
    throw error;
  }
  return server;
}

/** Where the application finds the cluster of this folder, whether it runs or not; undefined: there is none. */
export async function embeddedApplicationUrl(
  directory: string,
  port: number,
): Promise<string | undefined> {
  const passwords = await readPasswords(directory);
  return passwords && urlOf(port, APPLICATION, passwords.application);
}

function urlOf(port: number, user: string, password: string, database = DATABASE): string {
  return `postgres://${user}:${password}@${HOST}:${port}/${database}`;
}

async function readPasswords(directory: string): Promise<Passwords | undefined> {
  const text = await readFile(passwordsPath(directory), 'utf8').catch(() => undefined);
  // Written by readOrMakePasswords alone, readable by this user alone.
  return text === undefined ? undefined : (JSON.parse(text) as Passwords);
}

const passwordsPath = (directory: string): string => join(directory, 'postgres-passwords.json');

/** The passwords are the demo's own (production refuses them), different on every machine, kept across restarts. */
async function readOrMakePasswords(directory: string): Promise<Passwords> {
  const kept = await readPasswords(directory);
  if (kept !== undefined) return kept;
  const make = () => `demo-${randomBytes(18).toString('hex')}`;
  const passwords: Passwords = { superuser: make(), owner: make(), application: make() };
  await writeFile(passwordsPath(directory), JSON.stringify(passwords), { mode: 0o600 });
  return passwords;
}

interface Cluster {
  readonly programs: PostgresPrograms;
  readonly runAs: RunAs | undefined;
  readonly dataDirectory: string;
}

async function initialise(cluster: Cluster & { readonly passwords: Passwords }): Promise<void> {
  const { programs, runAs, dataDirectory, passwords } = cluster;
  const found = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  const major = programs.version.split('.')[0] ?? '';
  if (found !== undefined) {
    if (found.trim() === major) return;
    throw new Error(
      `${dataDirectory} was made by PostgreSQL ${found.trim()}, this is ${major}: run \`latchkey reset\``,
    );
  }
  if (await exists(dataDirectory)) {
    throw new Error(`${dataDirectory} holds no PostgreSQL cluster: run \`latchkey reset\``);
  }
  // Made beside its place and moved there as a whole: what an interrupted initdb leaves looks like a cluster and is none.
  const partial = `${dataDirectory}.partial`;
  const passwordFile = `${dataDirectory}.password`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${passwords.superuser}\n`, { mode: 0o600 });
  if (runAs !== undefined) {
    await chown(partial, runAs.uid, runAs.gid);
    await chown(passwordFile, runAs.uid, runAs.gid);
  }
  try {
    await runInitdb({ programs, runAs, dataDirectory: partial }, passwordFile);
    await rename(partial, dataDirectory);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(partial, { recursive: true, force: true });
  }
}

async function runInitdb({ programs, runAs, dataDirectory }: Cluster, passwordFile: string) {
  const lines: string[] = [];
  const initdb = await startProcess({
    name: 'initdb',
    command: programs.initdb,
    args: [
      `--pgdata=${dataDirectory}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
    ],
    cwd: dataDirectory,
    onLine: (line) => lines.push(line),
    ...runAs,
  });
  const { code } = await initdb.exited;
  if (code === 0) return;
  throw new Error(`PostgreSQL's initdb failed:\n${lines.join('\n')}`);
}

async function launch({
  options,
  programs,
  runAs,
  dataDirectory,
}: Cluster & { readonly options: PostgresOptions }): Promise<ManagedProcess> {
  const settings = {
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.isDurable === false ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const lastLines: string[] = [];
  const started = await startProcess({
    name: 'postgres',
    command: programs.postgres,
    args: [
      '-D',
      dataDirectory,
      '-p',
      String(options.port),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    cwd: dataDirectory,
    // "Fast shutdown": ends connections and writes a checkpoint.
    stopSignal: 'SIGINT',
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      options.onLine?.(line);
    },
    ...runAs,
  });
  try {
    await waitUntilReady(() => isAcceptingConnections(dataDirectory), {
      what: 'PostgreSQL',
      timeoutMs: 60_000,
      pollMs: 50,
      gaveUp: started.exited,
    });
  } catch (cause) {
    await started.stop();
    throw new Error(`PostgreSQL did not start:\n${lastLines.join('\n')}`, { cause });
  }
  return started;
}

/** The eighth line of postmaster.pid is the server's own word on its state. */
async function isAcceptingConnections(dataDirectory: string): Promise<boolean> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  return text.split('\n')[7]?.trim() === 'ready';
}

async function ensureRolesAndDatabase(url: string, passwords: Passwords): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const roles = [
      [OWNER, passwords.owner],
      [APPLICATION, passwords.application],
    ] as const;
    for (const [role, password] of roles) {
      const [known] = await sql`select 1 from pg_roles where rolname = ${role}`;
      const verb = known === undefined ? 'create' : 'alter';
      // DDL takes no parameters: the name is a constant of this file, the password hexadecimal behind a constant.
      await sql.unsafe(
        `${verb} role ${role} login nosuperuser nobypassrls nocreatedb nocreaterole password '${password}'`,
      );
    }
    const [existing] = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (existing === undefined) await sql.unsafe(`create database ${DATABASE} owner ${OWNER}`);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Where the cluster of this folder lies, made or not. */
export async function postgresDataDirectory(directory: string): Promise<string> {
  return await folderWithinReach(join(directory, 'postgres'), await findPostgresUser());
}

/** Whether a cluster was made for this folder, for `doctor`. */
export async function hasPostgresData(directory: string): Promise<boolean> {
  return await exists(join(await postgresDataDirectory(directory), 'PG_VERSION'));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
