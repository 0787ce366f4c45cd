/**
 * A lock between processes of one machine: a file that names its holder. A lock whose holder is gone is taken over; it must
 * never be relied on for more than avoiding work done twice.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
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

/** A link appears with its content at once, so that nobody ever reads a lock without a holder. */
async function tryTake(path: string, content: string): Promise<boolean> {
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(own, content);
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/** The living holder's id; undefined when the file is stale. */
async function readHolder(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const [, pid, startedAt] = /"pid":(\d+),"startedAt":"([^"]*)"/.exec(text) ?? [];
  if (pid === undefined) return undefined;
  const found = await identify(Number(pid));
  return found?.startedAt === startedAt ? Number(pid) : undefined;
}
