/**
 * Finds a Chromium for the browser tests, and as root on a Debian machine installs the distribution's own. It must never install
 * anything outside of a test run: `doctor` only looks.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './cache-folder.ts';
import { withFileLock } from './file-lock.ts';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge',
] as const;
const FIXED_PLACES = [
  '/usr/lib/chromium/chromium',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
] as const;
const APT_TIMEOUT_MS = 600_000;

/** $CHROMIUM, then what is on PATH, then the usual places; undefined when there is none. */
export async function findChromium(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const given = environment['CHROMIUM'];
  if (given !== undefined && given !== '') {
    if (await isExecutable(given)) return given;
    throw new Error(`CHROMIUM names ${given}, which cannot be executed`);
  }
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = [
    ...folders.flatMap((folder) => NAMES.map((name) => join(folder, name))),
    ...(environment === process.env ? FIXED_PLACES : []),
  ];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/**
 * For tests: finds a Chromium or installs Debian's.
 * @throws Error that says what could not be got, and how a person gets it.
 */
export async function ensureChromium(
  onProgress: (line: string) => void = () => undefined,
): Promise<string> {
  const found = await findChromium();
  if (found !== undefined) return found;
  const advice = 'install Chromium or set CHROMIUM to the path of one';
  const hasApt = (await findOnPath('apt-get')) !== undefined;
  if (process.getuid?.() !== 0 || !hasApt) throw new Error(`there is no Chromium: ${advice}`);
  return await withFileLock(
    join(cacheFolder(), 'chromium.lock'),
    async () => (await findChromium()) ?? (await installByApt(onProgress, advice)),
    (holderPid) => {
      onProgress(`waiting for process ${holderPid}, which is installing Chromium`);
    },
  );
}

async function installByApt(onProgress: (line: string) => void, advice: string): Promise<string> {
  onProgress("installing Debian's Chromium, once for this machine");
  try {
    await aptGet('update');
    await aptGet('install', '--yes', '--no-install-recommends', 'chromium');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim().split('\n').at(-1) : undefined;
    throw new Error(`Chromium could not be installed (${reason ?? 'unknown reason'}): ${advice}`, {
      cause,
    });
  }
  const installed = await findChromium();
  if (installed === undefined) {
    throw new Error(`Debian's package brought no Chromium that can be found: ${advice}`);
  }
  return installed;
}

async function aptGet(...args: string[]): Promise<void> {
  await promisify(execFile)('apt-get', ['-qq', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: APT_TIMEOUT_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
}

async function findOnPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
