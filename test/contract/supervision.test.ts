/** What is started again, how often, and of whose end everything hears. */
import { describe, expect, test, vi } from 'vitest';
import type { ProcessHost } from '../../runtime/latchkey-processes.ts';
import type { ProcessExit } from '../../runtime/managed-process.ts';
import { Supervision } from '../../runtime/supervision.ts';

const KILLED: ProcessExit = { code: null, signal: 'SIGKILL' };

function stage({ isBegun = true, restartFails = false } = {}) {
  const lines: string[] = [];
  const heard: string[] = [];
  const adopted: { stop(): Promise<void> }[] = [];
  const ends: ((exit: ProcessExit) => void)[] = [];
  let nowMs = 0;
  const supervision = new Supervision({ onLine: (line) => lines.push(line), nowMs: () => nowMs });
  if (isBegun) supervision.begin();
  const everything: ProcessHost = {
    onLine: () => undefined,
    adopt: (member) => {
      adopted.push(member);
      void member.exited?.then(() => heard.push(member.name));
      return Promise.resolve();
    },
  };
  const start = async (): Promise<void> => {
    if (restartFails && ends.length > 0) throw new Error('no such file');
    const { promise: exited, resolve } = Promise.withResolvers<ProcessExit>();
    ends.push(resolve);
    const stop = () => {
      resolve({ code: 0, signal: null });
      return Promise.resolve();
    };
    await host.adopt({ name: 'worker', stop, exited });
  };
  const host = supervision.host(everything, start);
  return {
    lines,
    heard,
    adopted,
    start,
    starts: () => ends.length,
    end: (exit: ProcessExit = KILLED) => ends.at(-1)?.(exit),
    wait: (ms: number) => (nowMs += ms),
  };
}

describe('a part that ends by itself', () => {
  test('is started again, with a line, and nobody hears of it', async () => {
    const { start, end, starts, lines, heard } = stage();
    await start();
    end();
    await vi.waitFor(() => {
      expect(starts()).toBe(2);
    });
    end({ code: 3, signal: null });
    await vi.waitFor(() => {
      expect(starts()).toBe(3);
    });
    expect(lines).toEqual([
      'worker ended by SIGKILL: starting it again (1 of 5 within a minute)',
      'worker ended with code 3: starting it again (2 of 5 within a minute)',
    ]);
    expect(heard).toEqual([]);
  });

  test('is given up after five times within a minute, and everything hears of that', async () => {
    const { start, end, starts, lines, heard } = stage();
    await start();
    for (let restarts = 1; restarts <= 5; restarts += 1) {
      end();
      await vi.waitFor(() => {
        expect(starts()).toBe(restarts + 1);
      });
    }
    end();
    await vi.waitFor(() => {
      expect(heard).toEqual(['worker']);
    });
    expect(starts()).toBe(6);
    expect(lines.at(-1)).toBe(
      'worker ended by SIGKILL: it was started again 5 times within a minute, and is given up',
    );
  });

  test('is started again for ever when it ends seldom', async () => {
    const { start, end, starts, heard, wait } = stage();
    await start();
    for (let restarts = 1; restarts <= 12; restarts += 1) {
      wait(12_000);
      end();
      await vi.waitFor(() => {
        expect(starts()).toBe(restarts + 1);
      });
    }
    expect(heard).toEqual([]);
  });

  test('while everything comes up is a reason not to come up', async () => {
    const { start, end, starts, lines, heard } = stage({ isBegun: false });
    await start();
    end();
    await vi.waitFor(() => {
      expect(heard).toEqual(['worker']);
    });
    expect([starts(), lines]).toEqual([1, []]);
  });

  test('and cannot be started again is told of', async () => {
    const { start, end, lines, heard } = stage({ restartFails: true });
    await start();
    end();
    await vi.waitFor(() => {
      expect(heard).toEqual(['worker']);
    });
    expect(lines.at(-1)).toBe('worker did not start again: no such file');
  });
});

test('a part that is told to end stays ended', async () => {
  const { start, starts, adopted, lines, heard } = stage();
  await start();
  await adopted[0]?.stop();
  await vi.waitFor(() => {
    expect(heard).toEqual(['worker']);
  });
  expect([starts(), lines]).toEqual([1, []]);
});
