/**
 * `latchkey reset`: removes the data of the embedded servers. It asks first, refuses while a start runs over that data, and must never
 * touch a database or a Temporal that the environment names.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CHECKOUT } from '../runtime/latchkey-processes.ts';
import { postgresDataDirectory } from '../runtime/postgres.ts';
import { stackDirectory } from '../runtime/stack-options.ts';
import { findRunningStart } from '../runtime/start-record.ts';
import { confirm, say, warn } from './terminal.ts';

/** What a start makes in its folder; nothing else of it is removed. */
const MADE_BY_START = [
  'postgres',
  'postgres.partial',
  'postgres-passwords.json',
  'temporal.db',
  'temporal.db-shm',
  'temporal.db-wal',
  'logs',
  'start.json',
] as const;

export async function reset(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { yes: { type: 'boolean', default: false } },
  });
  const directory = stackDirectory(process.env, CHECKOUT);
  const running = await findRunningStart(directory);
  if (running !== undefined) {
    warn(`Latchkey runs as process ${running}: end it first.`);
    return 1;
  }
  if (!(await exists(directory))) {
    say(`There is nothing in ${directory}.`);
    return 0;
  }
  if (
    !values.yes &&
    !(await confirm(`Remove the demo's customers, sessions and logs in ${directory}?`))
  ) {
    warn('Nothing was removed. (--yes removes without asking.)');
    return 1;
  }
  await rm(await postgresDataDirectory(directory), { recursive: true, force: true });
  for (const name of MADE_BY_START) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
  if ((await readdir(directory)).length === 0) await rm(directory, { recursive: true });
  say('Removed. The next start begins anew.');
  return 0;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
