/**
 * Who descends from whom on this machine, and ending exactly those. A process is known by its id and its start time
 * together, so that a recycled id is never signalled.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: equal only for the same process. */
  readonly startedAt: string;
}

interface ProcessRow extends ProcessIdentity {
  readonly parentPid: number;
  readonly isZombie: boolean;
}

/** The process now running under this id, if any. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const row = (await listProcesses()).find((candidate) => candidate.pid === pid);
  return row === undefined || row.isZombie ? undefined : { pid, startedAt: row.startedAt };
}

/** The process itself and everything below it. */
export async function listTree(rootPid: number): Promise<ProcessIdentity[]> {
  const rows = (await listProcesses()).filter((row) => !row.isZombie);
  const found = rows.filter((row) => row.pid === rootPid);
  for (const parent of found) found.push(...rows.filter((row) => row.parentPid === parent.pid));
  return found.map(({ pid, startedAt }) => ({ pid, startedAt }));
}

/** Those of the given processes that still run. */
export async function listAlive(
  identities: readonly ProcessIdentity[],
): Promise<ProcessIdentity[]> {
  const running = new Set(
    (await listProcesses()).filter((row) => !row.isZombie).map((row) => key(row)),
  );
  return identities.filter((identity) => running.has(key(identity)));
}

/** Sends the signal to each process that is still the same one. */
export async function signalAll(
  identities: readonly ProcessIdentity[],
  signal: NodeJS.Signals,
): Promise<void> {
  for (const { pid } of await listAlive(identities)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!isNoSuchProcess(error)) throw error;
    }
  }
}

const key = ({ pid, startedAt }: ProcessIdentity): string => `${pid}@${startedAt}`;

const isNoSuchProcess = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ESRCH';

async function listProcesses(): Promise<ProcessRow[]> {
  return process.platform === 'linux' ? await listFromProc() : await listFromPs();
}

async function listFromProc(): Promise<ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      return stat === undefined ? undefined : parseStat(Number(pid), stat);
    }),
  );
  return rows.filter((row) => row !== undefined);
}

/** proc_pid_stat(5): the name in brackets may hold spaces, so fields are counted after its end. */
function parseStat(pid: number, stat: string): ProcessRow {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parentPid: Number(fields[1]),
    startedAt: fields[19] ?? '',
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

async function listFromPs(): Promise<ProcessRow[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,lstart=']);
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({
      pid: Number(match[1]),
      parentPid: Number(match[2]),
      isZombie: match[3]?.startsWith('Z') === true,
      startedAt: match[4] ?? '',
    }));
}
