/**
 * What a killed start leaves in PostgreSQL's data folder: a lock file of a process that is gone, or a server that nobody
 * minds any more. Ends that server by its id; it must never touch a process that is not a PostgreSQL over this folder.
 */
import { readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endTree } from './managed-process.ts';
import { listTree, signalAll } from './process-tree.ts';

const ORDERLY_END_MS = 10_000;

/** Makes the folder startable: afterwards no server runs over it and no stale lock file lies in it. */
export async function endLeftover(dataDirectory: string): Promise<void> {
  const path = join(dataDirectory, 'postmaster.pid');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const pid = Number(text.split('\n')[0]);
  const tree = Number.isInteger(pid) && pid > 1 ? await listTree(pid) : [];
  if (tree.length > 0 && (await isPostgresOver(pid, dataDirectory))) {
    const server = tree.filter((member) => member.pid === pid);
    await signalAll(server, 'SIGINT');
    await endTree(tree, ORDERLY_END_MS);
  }
  // A recycled id would make PostgreSQL refuse to start; nothing of this folder runs now.
  await rm(path, { force: true });
}

async function isPostgresOver(pid: number, dataDirectory: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const [program = '', ...args] = commandLine.split('\0');
  if (!/(^|\/)postgres$/.test(program)) return false;
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return folder === dataDirectory || args.includes(dataDirectory);
}
