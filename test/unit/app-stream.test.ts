/** What one loop tells many listeners, and how many it takes. */
import { describe, expect, it } from 'vitest';
import { createAppStreams } from '../../api/streams/app-stream.ts';
import type { AppStreamOptions, ListenerIdentity } from '../../api/streams/app-stream.ts';
import type { StepUpStanding } from '../../db/step-up-statuses.ts';

let nowMs = 1_000_000;
const clock = { nowMs: () => nowMs };

function bench(options: Partial<AppStreamOptions> = {}) {
  const asked: { customerIds: readonly string[]; stepUpIds: readonly string[] }[] = [];
  const checks: (readonly string[])[] = [];
  const state = { standings: [] as StepUpStanding[], isClosing: false };
  const streams = createAppStreams({
    source: {
      standings: (_tenant, question) => {
        asked.push(question);
        return Promise.resolve(state.standings);
      },
      ended: (_tenant, sessionIds) => {
        checks.push(sessionIds);
        return Promise.resolve(new Set());
      },
    },
    clock,
    isClosing: () => state.isClosing,
    onError: () => undefined,
    pollMs: 1,
    ...options,
  });
  return { streams, asked, checks, state };
}

const identity = (number: number): ListenerIdentity => ({
  tenantId: 'ten_1',
  customerId: `cus_${String(number)}`,
  sessionId: `ses_${String(number)}`,
  expiresAtMs: nowMs + 300_000,
});

describe('one loop for all listeners', () => {
  it('takes no more than its bound, but always the same session again', () => {
    const { streams } = bench({ maxListeners: 2 });
    const first = streams.listen(identity(1));
    streams.listen(identity(2));
    expect(streams.listen(identity(3))).toBeUndefined();
    expect(streams.listen(identity(1))).toBeDefined();
    first?.end();
    streams.listen(identity(2))?.end();
    expect(streams.listen(identity(3))).toBeDefined();
  });

  it('asks about everybody in one question, and about each customer once', async () => {
    const { streams, asked, state } = bench();
    const listeners = [1, 2, 3].map((number) => streams.listen(identity(number)));
    listeners.push(streams.listen({ ...identity(3), sessionId: 'ses_other' }));
    await expect.poll(() => asked.at(-1)?.customerIds).toEqual(['cus_1', 'cus_2', 'cus_3']);
    state.isClosing = true;
    for (const listener of listeners)
      for await (const frame of listener?.frames ?? []) expect(frame).toBe(': open\n\n');
  });

  it('judges many sessions in one question, each once in fifteen seconds', async () => {
    const { streams, asked, checks } = bench();
    for (const number of [1, 2, 3]) streams.listen(identity(number));
    await expect.poll(() => asked.length).toBeGreaterThan(2);
    expect(checks).toEqual([]);
    nowMs += 15_000;
    await expect.poll(() => checks).toEqual([['ses_1', 'ses_2', 'ses_3']]);
    const before = asked.length;
    await expect.poll(() => asked.length).toBeGreaterThan(before + 2);
    expect(checks).toHaveLength(1);
  });

  it('goes on without a listener that does not read, and ends it', async () => {
    const { streams, asked, state } = bench();
    const listening = streams.listen(identity(1));
    state.standings = Array.from({ length: 101 }, (_, number) => ({
      customerId: 'cus_1',
      stepUpId: `cer_${String(number)}`,
      status: 'pending' as const,
      isEnded: false,
    }));
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    const frames: string[] = [];
    for await (const frame of listening?.frames ?? []) frames.push(frame);
    expect(frames.length).toBeGreaterThan(100);
  });

  it('asks nothing while nobody listens', async () => {
    const { streams, asked } = bench();
    const listening = streams.listen(identity(1));
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    listening?.end();
    const frames: string[] = [];
    for await (const frame of listening?.frames ?? []) frames.push(frame);
    const before = asked.length;
    streams.listen(identity(2))?.end();
    expect(asked.length).toBeLessThanOrEqual(before + 1);
  });
});
