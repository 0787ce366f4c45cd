/**
 * Temporal's program by the download that its SDK brings along. Without a network it must fail within seconds, because the
 * build from source waits behind it.
 */
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TEMPORAL_CLI_VERSION } from './temporal-version.ts';

const SOURCE = 'https://temporal.download';
const REACH_TIMEOUT_MS = 4_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

/** Puts the pinned version at `target`. @throws Error when it cannot be had that way. */
export async function downloadTemporal(
  target: string,
  onProgress: (line: string) => void,
): Promise<void> {
  await refuseWhenUnreachable();
  onProgress(`fetching Temporal ${TEMPORAL_CLI_VERSION} by its SDK`);
  await mkdir(dirname(target), { recursive: true });
  const folder = await mkdtemp(join(dirname(target), '.download-'));
  try {
    await downloadBySdk(folder);
    const name = (await readdir(folder)).find((entry) => entry.includes('temporal'));
    if (name === undefined) throw new Error('the SDK downloaded nothing');
    const partial = `${target}.${process.pid}`;
    await copyFile(join(folder, name), partial);
    await rename(partial, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the download could be tried at all, for `doctor`. */
export async function canReachDownload(): Promise<boolean> {
  return await refuseWhenUnreachable().then(
    () => true,
    () => false,
  );
}

async function refuseWhenUnreachable(): Promise<void> {
  try {
    const answer = await fetch(`${SOURCE}/cli/v${TEMPORAL_CLI_VERSION}?${platformQuery()}`, {
      signal: AbortSignal.timeout(REACH_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw new Error(`${SOURCE} cannot be reached (${reason})`, { cause });
  }
}

function platformQuery(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `platform=${platform}&arch=${arch}`;
}

/** The SDK downloads in order to start: the server that it starts is ended at once. */
async function downloadBySdk(downloadDir: string): Promise<void> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const starting = TestWorkflowEnvironment.createLocal({
    server: {
      executable: {
        type: 'cached-download',
        downloadDir,
        version: `v${TEMPORAL_CLI_VERSION}`,
      },
    },
  });
  const environment = await withTimeout(starting, DOWNLOAD_TIMEOUT_MS);
  await environment.teardown();
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no end within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
