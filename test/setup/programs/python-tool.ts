/**
 * A program from PyPI for a test: in a virtual environment of its own under the cache folder, made once for each version. It must never
 * change the machine's own Python.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../runtime/cache-folder.ts';
import { withFileLock } from '../../../runtime/file-lock.ts';

export interface PythonTool {
  readonly package: string;
  /** Pinned, so that a test means the same thing tomorrow. */
  readonly version: string;
  /** Its name in the environment's `bin`; `python` for the interpreter that can import the package. */
  readonly executable: string;
}

const INSTALL_TIMEOUT_MS = 300_000;
const CHECK_TIMEOUT_MS = 30_000;

/** Answers the path of the executable. @throws Error that names what could not be got. */
export async function pythonTool(tool: PythonTool): Promise<string> {
  const environment = join(cacheFolder(), 'python', `${tool.package}-${tool.version}`);
  await withFileLock(
    `${environment}.lock`,
    async () => {
      if (!(await isComplete(environment))) await install(tool, environment);
    },
    (holderPid) => {
      process.stderr.write(`waiting for process ${holderPid}, which installs ${tool.package}\n`);
    },
  );
  const executable = join(environment, 'bin', tool.executable);
  if (!existsSync(executable))
    throw new Error(`${tool.package} ${tool.version} brings no program ${tool.executable}`);
  return executable;
}

/** The mark is written last; the interpreter that the environment was made from may be gone since. */
async function isComplete(environment: string): Promise<boolean> {
  if (!existsSync(join(environment, 'complete'))) return false;
  return await run(join(environment, 'bin/python'), ['-c', ''], CHECK_TIMEOUT_MS).then(
    () => true,
    () => false,
  );
}

async function install(tool: PythonTool, environment: string): Promise<void> {
  const requirement = `${tool.package}==${tool.version}`;
  await rm(environment, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', environment]);
    const python = join(environment, 'bin/python');
    await run(python, ['-m', 'pip', 'install', '--quiet', '--no-input', requirement]);
  } catch (cause) {
    await rm(environment, { recursive: true, force: true });
    const reason = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : undefined;
    throw new Error(
      `${requirement} could not be got from PyPI (${reason ?? 'unknown reason'}): it needs python3 with venv and pip`,
      { cause },
    );
  }
  await writeFile(join(environment, 'complete'), `${requirement}\n`);
}

async function run(
  command: string,
  args: readonly string[],
  timeout = INSTALL_TIMEOUT_MS,
): Promise<void> {
  await promisify(execFile)(command, [...args], { timeout, maxBuffer: 16 * 1024 * 1024 });
}
