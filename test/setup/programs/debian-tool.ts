/**
 * A program of a Debian package for a test: the one on PATH, else unpacked from the package under the cache folder. Nothing is installed
 * on the machine, and what the package depends on does not come along: for programs that stand alone, such as promtool.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../runtime/cache-folder.ts';
import { withFileLock } from '../../../runtime/file-lock.ts';

export interface DebianTool {
  readonly package: string;
  readonly executable: string;
  /** Where the package has it: `usr/bin` when not given. */
  readonly folder?: 'usr/bin' | 'usr/sbin';
}

const FETCH_TIMEOUT_MS = 300_000;

/** Answers the path of the executable. @throws Error that names what could not be got. */
export async function debianTool(tool: DebianTool): Promise<string> {
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, tool.executable))
    .find((path) => existsSync(path));
  if (onPath !== undefined) return onPath;
  const home = join(cacheFolder(), 'debian', tool.package);
  const executable = join(home, tool.folder ?? 'usr/bin', tool.executable);
  await withFileLock(
    `${home}.lock`,
    async () => {
      if (!existsSync(executable)) await unpack(tool, home);
    },
    (holderPid) => {
      process.stderr.write(`waiting for process ${holderPid}, which fetches ${tool.package}\n`);
    },
  );
  if (!existsSync(executable))
    throw new Error(`Debian's package ${tool.package} brings no program ${tool.executable}`);
  return executable;
}

async function unpack(tool: DebianTool, home: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(join(cacheFolder(), `${tool.package}-`));
  try {
    await download(tool.package, folder);
    const archive = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get left no package');
    await run('dpkg-deb', ['-x', archive, 'content'], folder);
    await rm(home, { recursive: true, force: true });
    await rename(join(folder, 'content'), home);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : undefined;
    throw new Error(
      `Debian's package ${tool.package} could not be got (${reason ?? 'unknown reason'}): put ${tool.executable} on PATH`,
      { cause },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A new machine has no package lists, or old ones: they are brought up to date only when the package is not found. */
async function download(name: string, folder: string): Promise<void> {
  try {
    await run('apt-get', ['-qq', 'download', name], folder);
  } catch {
    await run('apt-get', ['-qq', 'update'], folder);
    await run('apt-get', ['-qq', 'download', name], folder);
  }
}

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  await promisify(execFile)(command, [...args], {
    cwd,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: FETCH_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
}
