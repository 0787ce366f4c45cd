import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startProcess } from '../../runtime/managed-process.ts';
import { identify, listAlive } from '../../runtime/process-tree.ts';
import { findRunningStart, StartRecord } from '../../runtime/start-record.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-record-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The record of a start that was killed: its process is gone, its children are not. */
const forgetStart = async () => {
  const path = join(directory, 'start.json');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace(/"startedAt":"[^"]*"/, '"startedAt":"long ago"'));
};

test('a second start in the same folder is refused while the first one runs', async () => {
  const record = await StartRecord.take(directory);
  await expect(StartRecord.take(directory)).rejects.toThrow(
    `Latchkey is running already, as process ${process.pid}`,
  );
  expect(await findRunningStart(directory)).toBe(process.pid);
  await record.remove();
  expect(await findRunningStart(directory)).toBeUndefined();
});

test('a start ends what a killed one left, and nothing else', async () => {
  const record = await StartRecord.take(directory);
  const leftover = await startProcess({
    name: 'leftover',
    command: 'sh',
    args: ['-c', "trap '' TERM; sleep 1000 & wait"],
  });
  const bystander = await startProcess({ name: 'bystander', command: 'sleep', args: ['1000'] });
  await record.addChild(leftover.pid);
  const known = await identify(leftover.pid);
  await forgetStart();
  const next = await StartRecord.take(directory);
  expect(known === undefined ? undefined : await listAlive([known])).toEqual([]);
  expect(await identify(bystander.pid)).toBeDefined();
  await bystander.kill();
  await next.remove();
});

test('a recycled process id of a leftover is left alone', async () => {
  const record = await StartRecord.take(directory);
  const stranger = await startProcess({ name: 'stranger', command: 'sleep', args: ['1000'] });
  await record.addChild(stranger.pid);
  await forgetStart();
  const path = join(directory, 'start.json');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replaceAll(/"startedAt":"[^"]*"/g, '"startedAt":"long ago"'));
  await (await StartRecord.take(directory)).remove();
  expect(await identify(stranger.pid)).toBeDefined();
  await stranger.kill();
});

test('a record that was torn by a crash is no obstacle', async () => {
  await writeFile(join(directory, 'start.json'), '{"self":{"pid":1');
  const record = await StartRecord.take(directory);
  expect(await findRunningStart(directory)).toBe(process.pid);
  await record.remove();
});
