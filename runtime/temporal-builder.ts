/**
 * Temporal's program built from its Go module, whose versions and checksums are pinned in runtime/temporal-cli. The last
 * resort, a few minutes once for a machine: it says how far it is, and two starts at once build it once.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withFileLock } from './file-lock.ts';
import { startProcess } from './managed-process.ts';
import { TEMPORAL_CLI_VERSION } from './temporal-version.ts';

const MODULE_FOLDER = fileURLToPath(new URL('temporal-cli/', import.meta.url));
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
const VERSION_VARIABLE = 'github.com/temporalio/cli/internal/temporalcli.Version';
const PROGRESS_EVERY_MS = 4_000;
/** Measured: 231 s on two cores with an empty build cache. */
const TYPICAL_CORE_SECONDS = 460;

/** Builds the pinned version to `target`. @throws Error that says what is missing on this machine. */
export async function buildTemporal(
  target: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await withFileLock(
    `${target}.lock`,
    async () => {
      // Another process may have built it while we waited.
      if (await exists(target)) return;
      await refuseWithoutGo();
      await build(target, onProgress);
    },
    (holderPid) => {
      onProgress(`waiting for process ${holderPid}, which is building Temporal`);
    },
  );
}

async function build(target: string, onProgress: (line: string) => void): Promise<void> {
  const partial = `${target}.${process.pid}`;
  const environment = goEnvironment();
  onProgress(`building Temporal ${TEMPORAL_CLI_VERSION} from source, once for this machine`);
  const total = await countPackages(environment, onProgress);
  const progress = new BuildProgress(total, onProgress);
  const lastLines: string[] = [];
  const go = await startProcess({
    name: 'go build',
    command: 'go',
    args: [
      'build',
      '-v',
      '-ldflags',
      `-s -w -X ${VERSION_VARIABLE}=${TEMPORAL_CLI_VERSION}`,
      '-o',
      partial,
      PACKAGE,
    ],
    cwd: MODULE_FOLDER,
    env: environment,
    onLine: (line) => {
      progress.count(line);
      lastLines.push(line);
      if (lastLines.length > 15) lastLines.shift();
    },
  });
  try {
    const { code } = await go.exited;
    if (code !== 0) throw new Error(`go build failed:\n${lastLines.join('\n')}`);
    await rename(partial, target);
  } finally {
    progress.end();
    await rm(partial, { force: true });
  }
}

/** The module's own checksums are pinned, so a developer's vendoring flags must not apply. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
}

async function refuseWithoutGo(): Promise<void> {
  try {
    await promisify(execFile)('go', ['version'], { env: goEnvironment() });
  } catch (cause) {
    throw new Error('`go` is missing: install Go 1.26 or later (https://go.dev/dl)', { cause });
  }
}

/** How many packages there are to compile; fetches the module on the way. */
async function countPackages(
  environment: NodeJS.ProcessEnv,
  onProgress: (line: string) => void,
): Promise<number> {
  onProgress('fetching the Go module and what it needs');
  try {
    const { stdout } = await promisify(execFile)('go', ['list', '-deps', PACKAGE], {
      cwd: MODULE_FOLDER,
      env: environment,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout.trim().split('\n').length;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new Error(`the Go module of Temporal cannot be had: ${reason}`, { cause });
  }
}

/** A line every few seconds: packages done, time spent, time left by the pace so far. */
class BuildProgress {
  readonly #total: number;
  readonly #onProgress: (line: string) => void;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #done = 0;

  constructor(total: number, onProgress: (line: string) => void) {
    this.#total = total;
    this.#onProgress = onProgress;
    this.#timer = setInterval(() => {
      this.#tell();
    }, PROGRESS_EVERY_MS);
    this.#tell();
  }

  count(line: string): void {
    if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) this.#done += 1;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    const spentSeconds = (performance.now() - this.#startedMs) / 1000;
    const typicalSeconds = TYPICAL_CORE_SECONDS / Math.max(1, availableParallelism());
    const share = this.#done / this.#total;
    const expectedSeconds = share > 0.1 ? spentSeconds / share : typicalSeconds;
    const leftSeconds = Math.max(5, expectedSeconds - spentSeconds);
    this.#onProgress(
      `building Temporal: ${this.#done} of ${this.#total} packages, ` +
        `${inWords(spentSeconds)} so far, about ${inWords(leftSeconds)} left`,
    );
  }
}

function inWords(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
