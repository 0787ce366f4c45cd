/**
 * The output of everything that `start` runs: whole in `.latchkey/logs/<name>.log`, on the terminal only what a person must see,
 * with the name of its process before it.
 */
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** pino's number for an error. */
const ERROR_LEVEL = 50;

export class LogFiles {
  readonly directory: string;
  readonly #isVerbose: boolean;
  readonly #show: (line: string) => void;
  readonly #files = new Map<string, WriteStream>();

  private constructor(directory: string, isVerbose: boolean, show: (line: string) => void) {
    this.directory = directory;
    this.#isVerbose = isVerbose;
    this.#show = show;
  }

  /** Files of an earlier start are overwritten. */
  static async open(
    directory: string,
    { isVerbose, show }: { readonly isVerbose: boolean; readonly show: (line: string) => void },
  ): Promise<LogFiles> {
    await mkdir(directory, { recursive: true });
    return new LogFiles(directory, isVerbose, show);
  }

  write(name: string, line: string): void {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = createWriteStream(join(this.directory, `${name.replaceAll(' ', '-')}.log`));
      this.#files.set(name, file);
    }
    file.write(`${line}\n`);
    if (this.#isVerbose || isUrgent(name, line)) this.#show(`[${name}] ${line}`);
  }
}

/** Errors of our own processes, and of PostgreSQL only what ends it. */
function isUrgent(name: string, line: string): boolean {
  if (name === 'postgres') return /\b(FATAL|PANIC):/.test(line);
  if (name === 'temporal') return false;
  const level = /^\{"level":(\d+)/.exec(line)?.[1];
  return level === undefined ? !line.startsWith('{') : Number(level) >= ERROR_LEVEL;
}
