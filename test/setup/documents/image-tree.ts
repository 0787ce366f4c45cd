/**
 * What the Dockerfile would put into the image's folder, without Docker: its last stage's copies carried out, and the packages installed by
 * the very command of their stage. It must never take a file that the Dockerfile does not copy or .dockerignore withholds.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../../runtime/cache-folder.ts';
import { withFileLock } from '../../../runtime/file-lock.ts';

interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

const INSTALL_TIMEOUT_MS = 300_000;

/** The stages in order; comments gone, lines that go on joined. */
export function readDockerfile(path = 'Dockerfile'): readonly Stage[] {
  const lines = readFileSync(path, 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.trim().split(/\s+/);
    if (name === 'FROM') stages.push({ name: words.at(-1) ?? '', instructions: [] });
    stages.at(-1)?.instructions.push({ name, words, text: line.trim().slice(name.length).trim() });
  }
  return stages;
}

/** The environment that the image gives every process. */
export function imageEnvironment(): Record<string, string> {
  const last = readDockerfile().at(-1)?.instructions ?? [];
  const pairs = last.filter(({ name }) => name === 'ENV').flatMap(({ words }) => words);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Lays the tree out in `folder`, which must not exist. */
export async function layImageTree(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const last = readDockerfile().at(-1)?.instructions ?? [];
  for (const { words } of last.filter(({ name }) => name === 'COPY')) {
    const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
    const paths = words.filter((word) => !word.startsWith('--'));
    const target = paths.at(-1) ?? '.';
    for (const source of paths.slice(0, -1)) {
      const found =
        from === undefined ? fromContext(source) : await fromStage(from, source.slice(1));
      const isFolder = (await stat(found)).isDirectory();
      const to = resolve(folder, target, isFolder ? '' : (source.split('/').at(-1) ?? ''));
      await mkdir(dirname(to), { recursive: true });
      await copy(found, to);
    }
  }
  await chmod(folder, 0o755);
}

/** A file or folder of the repository, which .dockerignore must let through by name. */
function fromContext(source: string): string {
  const allowed = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1).replace(/\/$/, ''));
  if (!allowed.includes(source)) throw new Error(`.dockerignore withholds ${source}`);
  return source;
}

/** What an earlier stage made. The pages are the build's own, made by `npm run build` before the tests. */
async function fromStage(stage: string, path: string): Promise<string> {
  if (stage === 'pages') return await builtPages(path.replace(/^app\//, ''));
  return join(await installedPackages(stage), path.replace(/^app\//, ''));
}

async function builtPages(path: string): Promise<string> {
  if (!existsSync(path)) await promisify(execFile)('npm', ['run', '--silent', 'build']);
  return path;
}

/** The stage's own RUN, once for each lock file and each form of that command. */
async function installedPackages(name: string): Promise<string> {
  const stage = readDockerfile().find((candidate) => candidate.name === name);
  const runs = (stage?.instructions ?? []).filter((instruction) => instruction.name === 'RUN');
  const inputs = ['package.json', 'package-lock.json', '.npmrc'];
  const hash = createHash('sha256').update(JSON.stringify(runs));
  // The lock file repeats what package.json depends on; its scripts change nothing here.
  for (const input of inputs.slice(1)) hash.update(await readFile(input));
  const home = join(cacheFolder(), 'image-packages', hash.digest('hex').slice(0, 16));
  await withFileLock(
    `${home}.lock`,
    async () => {
      if (existsSync(home)) return;
      const partial = `${home}.partial`;
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      for (const input of inputs) await cp(input, join(partial, input));
      for (const { text } of runs) {
        await promisify(execFile)('sh', ['-c', text], {
          cwd: partial,
          // What the checkout was installed from lies in npm's cache.
          env: { ...process.env, npm_config_prefer_offline: 'true' },
          timeout: INSTALL_TIMEOUT_MS,
          maxBuffer: 16 * 1024 * 1024,
        });
      }
      await rename(partial, home);
    },
    (holderPid) => {
      process.stderr.write(`waiting for process ${holderPid}, which installs packages\n`);
    },
  );
  return home;
}

/** Hard links where the file system has them: the packages are many. */
async function copy(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-al', from, to]).catch(async () => {
    await rm(to, { recursive: true, force: true });
    await promisify(execFile)('cp', ['-a', from, to]);
  });
}
