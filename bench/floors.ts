/** Starts floor-process.ts on the API's core, while the API has nothing to do: what this machine could do at best with the same requests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { API_MEMORY_FLAGS } from '../runtime/api-memory.ts';
import { nodeExecutable } from '../runtime/node-executable.ts';
import { cpuMs } from './bed.ts';
import type { Bed } from './bed.ts';
import type { Operation } from './load.ts';

const PROCESS = fileURLToPath(new URL('floor-process.ts', import.meta.url));

export interface Floor {
  readonly port: number;
  /** Processor time so far, all its threads. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

/** Needs the baselines' rows. */
export async function startFloor(bed: Bed, kind: Operation['name']): Promise<Floor> {
  const words = [
    ...bed.cores.onApiCore,
    nodeExecutable(),
    ...API_MEMORY_FLAGS,
    PROCESS,
    kind,
    bed.postgres.superuserUrl(),
  ];
  const [command = '', ...args] = words;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, 'line'), exited]);
  const { pid } = child;
  if (typeof line !== 'string' || pid === undefined)
    throw new Error(`the floor of ${kind} ended before it began`);
  return {
    port: Number(line),
    cpuMs: () => cpuMs(pid),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
