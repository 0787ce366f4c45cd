/**
 * A program of a Go module for a test: built once for each version, under the cache folder. It must never put anything among the
 * developer's own programs.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../runtime/cache-folder.ts';
import { withFileLock } from '../../../runtime/file-lock.ts';

export interface GoTool {
  /** The path that `go install` knows. */
  readonly package: string;
  readonly version: string;
  readonly executable: string;
}

const BUILD_TIMEOUT_MS = 600_000;

/** Answers the path of the executable. @throws Error that names what could not be got. */
export async function goTool(tool: GoTool): Promise<string> {
  const home = join(cacheFolder(), 'go', `${tool.executable}-${tool.version}`);
  const executable = join(home, tool.executable);
  await withFileLock(
    `${home}.lock`,
    async () => {
      if (!existsSync(executable)) await build(tool, home);
    },
    (holderPid) => {
      process.stderr.write(`waiting for process ${holderPid}, which builds ${tool.executable}\n`);
    },
  );
  return executable;
}

/** Moved to its place as a whole: what an interrupted build leaves looks like a program. */
async function build(tool: GoTool, home: string): Promise<void> {
  const partial = `${home}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await promisify(execFile)('go', ['install', `${tool.package}@${tool.version}`], {
      env: { ...process.env, GOBIN: partial, GOFLAGS: '-buildvcs=false' },
      timeout: BUILD_TIMEOUT_MS,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : undefined;
    throw new Error(
      `${tool.package}@${tool.version} could not be built (${reason ?? 'unknown reason'}): it needs Go and its modules`,
      { cause },
    );
  }
  await rm(home, { recursive: true, force: true });
  await rename(partial, home);
}
