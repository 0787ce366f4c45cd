/**
 * One child process with its output as lines and an orderly end: its own stop signal first, then SIGKILL for it and
 * everything below it. Children run in a session of their own, so that Ctrl-C reaches them only through us.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { listAlive, listTree, signalAll } from './process-tree.ts';
import type { ProcessIdentity } from './process-tree.ts';

const STOP_POLL_MS = 50;

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, whoever ended it; never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Ends the process and everything below it; returns when none of them runs. */
  stop(): Promise<void>;
  /** SIGKILL for the whole tree, at once. */
  kill(): Promise<void>;
}

export interface ProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** What the program understands as "finish and go"; SIGTERM when not given. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long an orderly end may take before SIGKILL. */
  readonly stopGraceMs?: number;
  readonly onLine?: (line: string) => void;
}

interface Running {
  readonly managed: ManagedProcess;
  readonly stopSignal: NodeJS.Signals;
}

/** Those that still run: when this process ends without having stopped them, each is told to go. */
const running = new Map<number, Running>();
process.on('exit', () => {
  for (const [pid, { stopSignal }] of running) {
    try {
      process.kill(-pid, stopSignal);
    } catch {
      // It ended in the same moment.
    }
  }
});

/** Ends every process that this one started and nobody has ended yet, one that is still starting too. */
export async function stopRemainingProcesses(): Promise<void> {
  await Promise.all([...running.values()].map(({ managed }) => managed.stop()));
}

/** Starts the program; rejects when it cannot be executed at all. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const child = spawn(options.command, [...options.args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const onLine = options.onLine ?? (() => undefined);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', onLine);
  }
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) running.delete(child.pid);
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${options.name} did not start`);
  child.on('error', () => undefined);
  const stopSignal = options.stopSignal ?? 'SIGTERM';
  const managed: ManagedProcess = {
    name: options.name,
    pid,
    exited,
    stop: async () => {
      const tree = await listTree(pid);
      const isRunning = tree.some((member) => member.pid === pid);
      if (isRunning) process.kill(pid, stopSignal);
      await endTree(tree, options.stopGraceMs ?? 10_000);
    },
    kill: async () => {
      await endTree(await listTree(pid), 0);
    },
  };
  if (child.exitCode === null && child.signalCode === null) {
    running.set(pid, { managed, stopSignal });
  }
  return managed;
}

/** Waits for the processes to end by themselves, then kills what is left; returns when none runs. */
export async function endTree(tree: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  const deadlineMs = performance.now() + graceMs;
  let alive = await listAlive(tree);
  while (alive.length > 0) {
    if (performance.now() >= deadlineMs) await signalAll(alive, 'SIGKILL');
    await sleep(STOP_POLL_MS);
    alive = await listAlive(tree);
  }
}
