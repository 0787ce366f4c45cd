import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startProcess } from '../../runtime/managed-process.ts';
import { ProcessGroup } from '../../runtime/process-group.ts';
import { listAlive, signalAll } from '../../runtime/process-tree.ts';
import type { ProcessIdentity } from '../../runtime/process-tree.ts';

const program = fileURLToPath(new URL('programs/parent.ts', import.meta.url));
let tree: ProcessIdentity[] = [];
afterEach(() => signalAll(tree, 'SIGKILL'));

const startParent = async (graceMs: number): Promise<ChildProcess> => {
  const parent = spawn(process.execPath, [program, String(graceMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: parent.stdout })) {
    if (!line.startsWith('{')) continue;
    // Printed by programs/parent.ts.
    tree = (JSON.parse(line) as { tree: ProcessIdentity[] }).tree;
    break;
  }
  return parent;
};

describe('the process group', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'leaves no child and no grandchild behind after %s, even those that ignore it',
    async (signal) => {
      const parent = await startParent(200);
      expect(tree).toHaveLength(3);
      const exit = once(parent, 'exit');
      parent.kill(signal);
      expect((await exit)[0]).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(await listAlive(tree)).toEqual([]);
    },
  );

  test('loses its patience at the second signal, but not at the echo of the first', async () => {
    const parent = await startParent(3_600_000);
    const exit = once(parent, 'exit');
    parent.kill('SIGINT');
    parent.kill('SIGINT');
    expect(await listAlive(tree)).not.toEqual([]);
    await vi.waitFor(
      async () => {
        parent.kill('SIGINT');
        expect(await listAlive(tree)).toEqual([]);
      },
      { timeout: 20_000, interval: 250 },
    );
    await exit;
  });

  test('ends in the opposite order of the start', async () => {
    const ends: string[] = [];
    const group = new ProcessGroup({ onLine: () => undefined });
    for (const name of ['database', 'worker', 'api']) {
      await group.add({
        name,
        stop: () => {
          ends.push(name);
          return Promise.resolve();
        },
      });
    }
    await group.stop({ exitCode: 0, reason: 'done' });
    expect(ends).toEqual(['api', 'worker', 'database']);
    expect(await group.ended).toEqual({ exitCode: 0, reason: 'done' });
  });

  test('ends as a whole when one of its processes ends by itself, and says which', async () => {
    const group = new ProcessGroup({ onLine: () => undefined });
    const short = await startProcess({ name: 'short', command: 'sh', args: ['-c', 'exit 3'] });
    await group.addProcess(short);
    expect(await group.ended).toEqual({ exitCode: 1, reason: 'short ended unexpectedly' });
  });

  test('ends a newcomer at once when it is ending already', async () => {
    const group = new ProcessGroup({ onLine: () => undefined });
    await group.stop({ exitCode: 0, reason: 'done' });
    const late = await startProcess({ name: 'late', command: 'sleep', args: ['1000'] });
    await expect(group.addProcess(late)).rejects.toThrow('stopped while starting');
    expect((await late.exited).signal).toBe('SIGKILL');
  });
});
