/**
 * A lock between processes of one machine: a file that names its holder. A lock whose holder is gone is taken over; it must
 * never be relied on for more than avoiding work done twice.
 */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify } from './process-tree.ts';

const POLL_MS = 500;

/** Runs `work` alone; while another process holds the lock, tells `onWait` about it from time to time. */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: (holderPid: number) => void,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const self = await identify(process.pid);
  const content = JSON.stringify({ pid: process.pid, startedAt: self?.startedAt ?? '' });
  let waitedMs = 0;
  while (!(await tryTake(path, content))) {
    const holder = await readHolder(path);
    if (holder === undefined) {
      await rm(path, { force: true });
      continue;
    }
    if (waitedMs % 5_000 === 0) onWait(holder);
    waitedMs += POLL_MS;
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryTake(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The living holder's id; undefined when the file is stale. */
async function readHolder(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // An empty file was created a moment ago by a holder that has not written yet.
  if (text === '') return 0;
  const [, pid, startedAt] = /"pid":(\d+),"startedAt":"([^"]*)"/.exec(text) ?? [];
  if (pid === undefined) return undefined;
  const found = await identify(Number(pid));
  return found?.startedAt === startedAt ? Number(pid) : undefined;
}
