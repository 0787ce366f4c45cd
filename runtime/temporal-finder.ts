/**
 * Finds Temporal, in this order: TEMPORAL_ADDRESS, our cache, PATH, the SDK's own download, our build from the Go module.
 * The first that works wins; what each one answered is kept for `doctor`. Nothing found on PATH is ever changed.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { buildTemporal } from './temporal-builder.ts';
import { downloadTemporal } from './temporal-download.ts';
import { TEMPORAL_CLI_VERSION, TEMPORAL_SERVER_VERSION } from './temporal-version.ts';

export type TemporalSource = 'cache' | 'path' | 'download' | 'build';

export interface FoundTemporal {
  readonly source: TemporalSource;
  readonly executable: string;
}

/** What one place answered, in words for `doctor`. */
export interface FinderStep {
  readonly source: TemporalSource;
  readonly isFound: boolean;
  readonly answer: string;
}

export interface FinderOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly onProgress?: (line: string) => void;
  readonly onStep?: (step: FinderStep) => void;
  /** The two ways that reach out of the machine; given by tests. */
  readonly download?: (target: string, onProgress: (line: string) => void) => Promise<void>;
  readonly build?: (target: string, onProgress: (line: string) => void) => Promise<void>;
}

/** Where our cache keeps the pinned version. */
export function cachedTemporal(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
}

/**
 * The program to start a development server with. Callers that were given TEMPORAL_ADDRESS need none and do not ask.
 * @throws Error that lists every place and why it did not serve.
 */
export async function findTemporal(options: FinderOptions = {}): Promise<FoundTemporal> {
  const onProgress = options.onProgress ?? (() => undefined);
  const answers: string[] = [];
  const note = (step: FinderStep) => {
    answers.push(`  ${step.source}: ${step.answer}`);
    options.onStep?.(step);
  };
  const local = await findLocalTemporal(options.environment ?? process.env, note);
  if (local !== undefined) return local;

  const target = cachedTemporal(options.environment);
  const fetchers = [
    ['download', options.download ?? downloadTemporal],
    ['build', options.build ?? buildTemporal],
  ] as const;
  for (const [source, fetchTo] of fetchers) {
    try {
      await fetchTo(target, onProgress);
      const version = await readServerVersion(target);
      if (version === undefined) throw new Error('what it made does not run');
      note({ source, isFound: true, answer: `server ${version}, now at ${target}` });
      return { source, executable: target };
    } catch (error) {
      note({ source, isFound: false, answer: describe(error) });
    }
  }
  throw new Error(
    `Temporal ${TEMPORAL_CLI_VERSION} was found nowhere:\n${answers.join('\n')}\n` +
      'Set TEMPORAL_ADDRESS, or put the `temporal` program on PATH, or install Go so that it can be built.',
  );
}

/** What needs no network: our cache, then PATH. */
export async function findLocalTemporal(
  environment: NodeJS.ProcessEnv,
  note: (step: FinderStep) => void = () => undefined,
): Promise<FoundTemporal | undefined> {
  const cached = cachedTemporal(environment);
  const cachedVersion = await readServerVersion(cached);
  const isCached = cachedVersion !== undefined && isRecentEnough(cachedVersion);
  note({
    source: 'cache',
    isFound: isCached,
    answer: isCached ? `server ${cachedVersion} at ${cached}` : `nothing usable at ${cached}`,
  });
  if (isCached) return { source: 'cache', executable: cached };

  const onPath = await findOnPath(environment);
  const pathVersion = onPath === undefined ? undefined : await readServerVersion(onPath);
  const isUsable = pathVersion !== undefined && isRecentEnough(pathVersion);
  note({ source: 'path', isFound: isUsable, answer: describePath(onPath, pathVersion) });
  return isUsable && onPath !== undefined ? { source: 'path', executable: onPath } : undefined;
}

function describePath(onPath: string | undefined, version: string | undefined): string {
  if (onPath === undefined) return 'no `temporal` on PATH';
  if (version === undefined) return `${onPath} does not say its version`;
  const older = isRecentEnough(version) ? '' : `, older than ${TEMPORAL_SERVER_VERSION}`;
  return `server ${version} at ${onPath}${older}`;
}

async function findOnPath(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const name = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const candidate = join(folder, name);
    const isExecutable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isExecutable) return candidate;
  }
  return undefined;
}

/** `temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)`; a build from source leaves its own version out. */
async function readServerVersion(executable: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(executable, ['--version'], { timeout: 20_000 });
    return /\bServer (\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

function isRecentEnough(version: string): boolean {
  const wanted = TEMPORAL_SERVER_VERSION.split('.').map(Number);
  const found = version.split('.').map(Number);
  for (const [index, part] of wanted.entries()) {
    const difference = (found[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

const describe = (error: unknown): string =>
  error instanceof Error ? error.message : 'failed without a reason';
