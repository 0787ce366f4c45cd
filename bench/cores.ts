/**
 * Which core does what: the API has one to itself, PostgreSQL and the load share the other. Needs taskset and two cores; on a machine
 * without them everything runs where it likes, and the results say so.
 */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
const API_CORE = '0';
const LOAD_CORE = '1';

export interface Cores {
  readonly arePinned: boolean;
  /** What runs a command on the API's core: comes before it. */
  readonly onApiCore: readonly string[];
}

/** For a server that the API waits beside, in a part that asks the API nothing. */
export async function moveToApiCore({ arePinned }: Cores, pid: number): Promise<void> {
  if (arePinned) await run('taskset', ['-a', '-c', '-p', API_CORE, String(pid)]);
}

/** Moves this process to the core of the load; what it starts from now on goes along, unless told otherwise. */
export async function pinCores(): Promise<Cores> {
  const free: Cores = { arePinned: false, onApiCore: [] };
  if (availableParallelism() < 2) return free;
  try {
    // All threads: taskset moves one alone by default, and the others begin children too.
    await run('taskset', ['-a', '-c', '-p', LOAD_CORE, String(process.pid)]);
  } catch {
    return free;
  }
  return { arePinned: true, onApiCore: ['taskset', '-c', API_CORE] };
}
