import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withFileLock } from '../../runtime/file-lock.ts';
import { buildTemporal } from '../../runtime/temporal-builder.ts';
import { cachedTemporal, findTemporal } from '../../runtime/temporal-finder.ts';
import type { FinderStep } from '../../runtime/temporal-finder.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-finder-'));
  environment = { XDG_CACHE_HOME: join(folder, 'cache'), PATH: join(folder, 'bin') };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writeProgram = async (path: string, server: string) => {
  await mkdir(dirname(path), { recursive: true });
  const answer = `temporal version 1.8.2 (Server ${server}, UI 2.50.1)`;
  await writeFile(path, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
};
const onPath = () => join(folder, 'bin', 'temporal');
const fail = (reason: string) => () => Promise.reject(new Error(reason));
const make = (server: string) => (target: string) => writeProgram(target, server);
const find = (ways: Partial<Parameters<typeof findTemporal>[0]> = {}) => {
  const steps: FinderStep[] = [];
  const found = findTemporal({
    environment,
    download: fail('no network'),
    build: fail('no Go'),
    onStep: (step) => steps.push(step),
    ...ways,
  });
  return { found, steps };
};

describe('the finder of Temporal', () => {
  test('takes what is in the cache before anything else', async () => {
    await writeProgram(cachedTemporal(environment), '1.31.2');
    await writeProgram(onPath(), '1.31.2');
    const { found, steps } = find({ download: make('1.31.2') });
    expect(await found).toEqual({ source: 'cache', executable: cachedTemporal(environment) });
    expect(steps.map(({ source }) => source)).toEqual(['cache']);
  });

  test.each(['1.31.2', '1.31.10', '1.32.0', '2.0.0'])(
    'then takes server %s from PATH',
    async (version) => {
      await writeProgram(onPath(), version);
      const { found } = find({ download: make('1.31.2') });
      expect(await found).toEqual({ source: 'path', executable: onPath() });
    },
  );

  test.each(['1.31.1', '1.30.9', '0.99.99'])('but not the older server %s', async (version) => {
    await writeProgram(onPath(), version);
    const { found, steps } = find({ download: make('1.31.2') });
    expect(await found).toEqual({ source: 'download', executable: cachedTemporal(environment) });
    expect(steps[1]?.answer).toContain(`server ${version} at ${onPath()}, older than 1.31.2`);
  });

  test('then downloads, and builds only when that fails', async () => {
    expect((await find({ download: make('1.31.2') }).found).source).toBe('download');
    await rm(cachedTemporal(environment));
    expect((await find({ build: make('1.31.2') }).found).source).toBe('build');
  });

  test('builds when the download brought something that does not run', async () => {
    const broken = async (target: string) => {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, '<html>sign in first</html>', { mode: 0o755 });
    };
    const { found } = find({ download: broken, build: make('1.31.2') });
    expect((await found).source).toBe('build');
  });

  test('says of each place why it did not serve, and what a person can do', async () => {
    await expect(find().found).rejects.toThrow(
      /found nowhere:\n {2}cache: nothing usable.*\n {2}path: no `temporal` on PATH\n {2}download: no network\n {2}build: no Go\nSet TEMPORAL_ADDRESS, or put/,
    );
  });
});

describe('the builder', () => {
  test('names Go when it is missing', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = folder;
    try {
      await expect(buildTemporal(join(folder, 'temporal'), () => undefined)).rejects.toThrow(
        '`go` is missing: install Go',
      );
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe('the lock between two builders', () => {
  test('lets the second wait for the first, and says for whom', async () => {
    const path = join(folder, 'a.lock');
    const order: string[] = [];
    const first = Promise.withResolvers<void>();
    const inside = Promise.withResolvers<void>();
    const waitedFor = Promise.withResolvers<number>();
    const running = withFileLock(
      path,
      async () => {
        inside.resolve();
        await first.promise;
        order.push('first');
      },
      () => undefined,
    );
    await inside.promise;
    const second = withFileLock(
      path,
      () => {
        order.push('second');
        return Promise.resolve();
      },
      waitedFor.resolve,
    );
    expect(await waitedFor.promise).toBe(process.pid);
    first.resolve();
    await Promise.all([running, second]);
    expect(order).toEqual(['first', 'second']);
  });

  test('is taken over when its holder is gone', async () => {
    const path = join(folder, 'b.lock');
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    expect(
      await withFileLock(
        path,
        () => Promise.resolve('done'),
        () => undefined,
      ),
    ).toBe('done');
  });
});
