/**
 * Builds the stage's pages when what they are made of has changed since the last build. Told by content, not by time, so that a fresh
 * checkout of built files is not built again.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { nodeExecutable } from '../runtime/node-executable.ts';

const SOURCES = ['console', 'sdk', 'package-lock.json', 'tsconfig.json'] as const;
const BUILT = join(CHECKOUT, 'dist', 'console');

/** current: as the sources say · stale: of an earlier build · missing: there are none. */
export async function stateOfPages(): Promise<'current' | 'stale' | 'missing'> {
  if (!(await exists(join(BUILT, 'index.html')))) return 'missing';
  const [wanted, built] = await Promise.all([digestOfSources(), readMark()]);
  return wanted === built ? 'current' : 'stale';
}

/** @throws Error with what the build said. */
export async function buildPages(): Promise<void> {
  const vite = join(CHECKOUT, 'node_modules', 'vite', 'bin', 'vite.js');
  try {
    await promisify(execFile)(
      nodeExecutable(),
      [vite, 'build', '--config', 'console/vite.config.ts', '--logLevel', 'warn'],
      { cwd: CHECKOUT, maxBuffer: 16 * 1024 * 1024 },
    );
  } catch (cause) {
    throw new Error('the pages could not be built: `npm run build` says why', {
      cause: firstError(cause),
    });
  }
  await writeFile(markPath(), await digestOfSources());
}

/** Vite repeats itself at length, and Node repeats the command. */
function firstError(error: unknown): Error {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const line = stripVTControlCharacters(text)
    .split('\n')
    .find((candidate) => /^\[|Error:/.test(candidate));
  return new Error(line ?? 'it did not say why');
}

const markPath = (): string => join(BUILT, '.sources');

async function readMark(): Promise<string | undefined> {
  return await readFile(markPath(), 'utf8').catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    for (const file of await listFiles(join(CHECKOUT, source))) {
      hash.update(`${file.slice(CHECKOUT.length)}\0`).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

async function listFiles(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(
    () => undefined,
  );
  if (entries === undefined) return [path];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
