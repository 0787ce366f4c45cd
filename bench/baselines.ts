/** Asks baseline-process.ts on the API's core, while the API has nothing to do, and remembers what was best. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodeExecutable } from '../runtime/node-executable.ts';
import type { Bed } from './bed.ts';

const PROCESS = fileURLToPath(new URL('baseline-process.ts', import.meta.url));
const run = promisify(execFile);

export interface Baselines {
  /** Bare single-row compare-and-sets a second, committed durably: the best of 1, 16 and 64 connections. */
  compareAndSet(seconds: number): Promise<number>;
  /** node:crypto verifications a second. */
  es256(seconds: number): Promise<number>;
  /** Calls of verifyAuthenticationResponse a second. */
  passkey(seconds: number): Promise<number>;
}

const ROWS = 10_000;
const CONNECTIONS = [1, 16, 64] as const;

export async function prepareBaselines(bed: Bed): Promise<Baselines> {
  // The floors' rows are their own: each side knows what its rows hold.
  for (const name of ['bench_row', 'bench_floor_row']) {
    const table = bed.sql(name);
    await bed.sql`create table ${table} (id integer primary key, n integer not null)`;
    await bed.sql`insert into ${table} select i, 0 from generate_series(0, ${ROWS - 1}::integer) i`;
    await bed.sql`vacuum analyze ${table}`;
  }
  const url = bed.postgres.superuserUrl();
  const ask = async (...words: readonly string[]) => {
    const line = [...bed.cores.onApiCore, nodeExecutable(), PROCESS, ...words];
    const [command = '', ...args] = line;
    const { stdout } = await run(command, args);
    return Number(stdout);
  };
  return {
    compareAndSet: async (seconds) => {
      const found: number[] = [];
      for (const connections of CONNECTIONS)
        found.push(await ask('cas', url, String(connections), String(seconds)));
      return Math.max(...found);
    },
    es256: (seconds) => ask('es256', String(seconds)),
    passkey: (seconds) => ask('passkey', String(seconds)),
  };
}
