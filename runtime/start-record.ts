/**
 * What a running `latchkey start` leaves in its folder for the next one: who it is and which processes it started. The next
 * start refuses while it runs, and ends what is left of it when it was killed; by id and start time, never by name.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endTree } from './managed-process.ts';
import { identify, listAlive, listTree, signalAll } from './process-tree.ts';
import type { ProcessIdentity } from './process-tree.ts';

const ORDERLY_END_MS = 5_000;

interface Content {
  readonly self: ProcessIdentity;
  readonly children: readonly ProcessIdentity[];
}

export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  readonly pid: number;

  constructor(pid: number) {
    super(`Latchkey is running already, as process ${pid}: use it, or end it first`);
    this.pid = pid;
  }
}

export class StartRecord {
  readonly #path: string;
  readonly #self: ProcessIdentity;
  #children: readonly ProcessIdentity[] = [];

  private constructor(path: string, self: ProcessIdentity) {
    this.#path = path;
    this.#self = self;
  }

  /** @throws AlreadyRunning when another start lives in this folder. */
  static async take(directory: string): Promise<StartRecord> {
    const path = join(directory, 'start.json');
    const earlier = await read(path);
    if (earlier !== undefined) {
      if ((await listAlive([earlier.self])).length > 0) throw new AlreadyRunning(earlier.self.pid);
      await endLeftovers(earlier.children);
    }
    const self = await identify(process.pid);
    if (self === undefined) throw new Error('this process cannot be seen in the process list');
    const record = new StartRecord(path, self);
    await record.#write();
    return record;
  }

  async addChild(pid: number): Promise<void> {
    const child = await identify(pid);
    if (child === undefined) return;
    this.#children = [...this.#children, child];
    await this.#write();
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #write(): Promise<void> {
    const content: Content = { self: this.#self, children: this.#children };
    await writeFile(this.#path, JSON.stringify(content));
  }
}

/** The process of the start that lives in this folder, for `reset` and `doctor`. */
export async function findRunningStart(directory: string): Promise<number | undefined> {
  const content = await read(join(directory, 'start.json'));
  if (content === undefined) return undefined;
  return (await listAlive([content.self])).length > 0 ? content.self.pid : undefined;
}

/** Ends what a killed start left in the folder; false: it still runs, or there was none. */
export async function endAbandoned(directory: string): Promise<boolean> {
  const content = await read(join(directory, 'start.json'));
  if (content === undefined || (await listAlive([content.self])).length > 0) return false;
  await endLeftovers(content.children);
  return true;
}

async function read(path: string): Promise<Content | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    // Written by this file alone; a torn write is no record.
    return JSON.parse(text) as Content;
  } catch {
    return undefined;
  }
}

async function endLeftovers(children: readonly ProcessIdentity[]): Promise<void> {
  const left = await listAlive(children);
  const trees = await Promise.all(left.map((child) => listTree(child.pid)));
  await signalAll(left, 'SIGTERM');
  await endTree(trees.flat(), ORDERLY_END_MS);
}
