import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findFreePort } from '../../runtime/ports.ts';
import { listAlive, listTree, signalAll } from '../../runtime/process-tree.ts';
import type { ProcessIdentity } from '../../runtime/process-tree.ts';
import { portVariable, readPorts } from '../../runtime/stack-options.ts';
import type { StackPorts } from '../../runtime/stack-options.ts';

const program = fileURLToPath(new URL('../../cli/latchkey.ts', import.meta.url));
// Every one of them, so that a Latchkey that somebody has running is no neighbour. The keys of what it answers are ports' names.
const VARIABLES = (Object.keys(readPorts({})) as (keyof StackPorts)[]).map(portVariable);

let directory: string;
let environment: NodeJS.ProcessEnv;
const known: ProcessIdentity[] = [];
const running: Started[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-start-'));
  await chmod(directory, 0o711);
  const ports: Record<string, string> = {};
  for (const variable of VARIABLES) ports[variable] = String(await findFreePort());
  environment = { ...process.env, ...ports, LATCHKEY_DIRECTORY: directory };
});
afterEach(async () => {
  for (const { tree } of running.splice(0)) await tree();
  await signalAll(known, 'SIGKILL');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly tree: () => Promise<ProcessIdentity[]>;
}

const start = (): Started => {
  const child = spawn(process.execPath, [program, 'start'], { env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  return {
    process: child,
    output: () => output,
    tree: async () => {
      const tree = await listTree(child.pid ?? 0);
      known.push(...tree);
      return tree;
    },
  };
};
/** What somebody at a terminal has who set nothing. */
const OF_NOBODY = {
  LATCHKEY_MODE: '',
  DATABASE_URL: '',
  LATCHKEY_MASTER_KEYS: '',
  LATCHKEY_PAYLOAD_KEYS: '',
};
const say = async (args: readonly string[], changes: NodeJS.ProcessEnv) => {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...environment, ...changes },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
};
const startUntilReady = async (): Promise<Started> => {
  const started = start();
  running.push(started);
  await vi.waitFor(
    () => {
      if (started.process.exitCode !== null) return;
      expect(started.output()).toContain('Latchkey is ready');
    },
    { timeout: 90_000, interval: 100 },
  );
  expect(started.output()).toContain('Latchkey is ready');
  return started;
};
const PATIENCE = { timeout: 60_000, interval: 100 };
/** In the order of their starts. */
const children = async (): Promise<readonly ProcessIdentity[]> => {
  const record = await readFile(join(directory, 'start.json'), 'utf8');
  // Written by runtime/start-record.ts.
  return (JSON.parse(record) as { children: ProcessIdentity[] }).children;
};
const secondsOf = ({ output }: Started): number =>
  Number(/ready, after ([\d.]+) s/.exec(output())?.[1]);
const tenants = async (): Promise<readonly string[]> => {
  const text = await readFile(join(directory, 'postgres-passwords.json'), 'utf8');
  // Written by runtime/postgres.ts.
  const { owner } = JSON.parse(text) as { owner: string };
  const port = environment['LATCHKEY_POSTGRES_PORT'];
  const sql = postgres(`postgres://latchkey_owner:${owner}@127.0.0.1:${port}/latchkey`, { max: 1 });
  try {
    return (await sql<{ tenant_id: string }[]>`select tenant_id from tenant`).map(
      (row) => row.tenant_id,
    );
  } finally {
    await sql.end();
  }
};

describe('latchkey start', () => {
  test('brings everything up, refuses a second one beside it, and leaves nothing after Ctrl-C', async () => {
    const first = await startUntilReady();
    // Readiness is asked anew each time, with short deadlines: a busy machine may miss one.
    await vi.waitFor(
      async () => {
        const ready = await fetch(`http://127.0.0.1:${environment['LATCHKEY_PORT']}/readyz`);
        expect(ready.status).toBe(200);
      },
      { timeout: 20_000, interval: 200 },
    );

    const second = start();
    expect((await once(second.process, 'exit'))[0]).toBe(1);
    expect(second.output()).toContain(`running already, as process ${first.process.pid}`);

    const sinks = await say(['events', 'sinks'], OF_NOBODY);
    expect(sinks.output).toContain(
      `of the Latchkey that runs here as process ${first.process.pid}`,
    );
    expect([sinks.code, sinks.output]).toEqual([0, expect.stringContaining('Every sink')]);
    const rotated = await say(['keys', 'rotate', '--emergency'], OF_NOBODY);
    expect([rotated.code, rotated.output]).toEqual([0, expect.stringContaining('1 made')]);
    // Whoever says anything of a database is not given another one.
    const told = await say(['events', 'sinks'], { ...OF_NOBODY, LATCHKEY_MODE: 'production' });
    expect([told.code, told.output]).toEqual([
      1,
      expect.stringContaining('DATABASE_URL: is missing'),
    ]);

    const tree = await first.tree();
    expect(tree.length).toBeGreaterThan(8);
    const exit = once(first.process, 'exit');
    first.process.kill('SIGINT');
    expect((await exit)[0]).toBe(130);
    expect(await listAlive(tree)).toEqual([]);
  });

  test('starts again over the same data within 15 seconds', async () => {
    const started = await startUntilReady();
    expect(secondsOf(started)).toBeLessThan(15);
    expect(await tenants()).toHaveLength(1);
    await started.tree();
    const exit = once(started.process, 'exit');
    const toldAtMs = performance.now();
    started.process.kill('SIGTERM');
    expect((await exit)[0]).toBe(143);
    // In order: a part that does not end by itself is killed only after 15 seconds.
    expect(performance.now() - toldAtMs).toBeLessThan(12_000);
  });

  test('starts again after kill -9, over what that one left running', async () => {
    const killed = await startUntilReady();
    const before = await tenants();
    const left = (await killed.tree()).filter(({ pid }) => pid !== killed.process.pid);
    const exit = once(killed.process, 'exit');
    killed.process.kill('SIGKILL');
    await exit;
    const next = await startUntilReady();
    expect(await listAlive(left)).toEqual([]);
    expect(await tenants()).toEqual(before);
    await next.tree();
    const end = once(next.process, 'exit');
    next.process.kill('SIGINT');
    await end;
  });

  test('starts a worker and an API again that are killed, says so, and goes on', async () => {
    const started = await startUntilReady();
    const before = await children();
    const [worker, api] = before.slice(-2);
    if (worker === undefined || api === undefined) throw new Error('both are children');
    for (const [name, killed] of [
      ['worker', worker],
      ['api', api],
    ] as const) {
      await signalAll([killed], 'SIGKILL');
      await vi.waitFor(() => {
        expect(started.output()).toContain(
          `${name} ended by SIGKILL: starting it again (1 of 5 within a minute)`,
        );
      }, PATIENCE);
    }
    await vi.waitFor(async () => {
      expect(await children()).toHaveLength(before.length + 2);
      const ready = await fetch(`http://127.0.0.1:${environment['LATCHKEY_PORT']}/readyz`);
      expect(ready.status).toBe(200);
    }, PATIENCE);
    const tree = await started.tree();
    expect(started.process.exitCode).toBeNull();
    const exit = once(started.process, 'exit');
    started.process.kill('SIGINT');
    expect((await exit)[0]).toBe(130);
    expect(await listAlive(tree)).toEqual([]);
  });

  test('ends as a whole, with a reason, when one of its servers dies', async () => {
    const started = await startUntilReady();
    const tree = await started.tree();
    const exit = once(started.process, 'exit');
    // PostgreSQL or Temporal, whichever was up first: nobody starts a server with data again by himself.
    await signalAll((await children()).slice(0, 1), 'SIGKILL');
    expect((await exit)[0]).toBe(1);
    expect(started.output()).toMatch(/stopping: (postgres|temporal) ended unexpectedly/);
    expect(await listAlive(tree)).toEqual([]);
  });
});
