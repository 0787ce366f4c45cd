import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack } from '../setup/stack.ts';
import type { TestStack } from '../setup/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ hasOwnTemporal: true, isBehindProxy: true });
});
afterAll(() => stack.stop());

const readiness = async () => {
  const answer = await fetch(`${stack.publicUrl}/readyz`);
  const { checks } = (await answer.json()) as { checks: { name: string; ready: boolean }[] };
  return {
    status: answer.status,
    notReady: checks.filter((check) => !check.ready).map(({ name }) => name),
  };
};

describe('the readiness of a running Latchkey', () => {
  test('names Temporal while it is down, and recovers with it', async () => {
    const isReady = async () => expect(await readiness()).toEqual({ status: 200, notReady: [] });
    await vi.waitFor(isReady, { timeout: 60_000, interval: 200 });
    await stack.killTemporal();
    await vi.waitFor(
      async () => {
        const { status, notReady } = await readiness();
        expect([status, notReady]).toEqual([503, expect.arrayContaining(['temporal'])]);
      },
      { timeout: 30_000, interval: 200 },
    );
    await stack.startTemporal();
    await vi.waitFor(isReady, { timeout: 60_000, interval: 200 });
  });

  test('returns with the API after kill -9 of it, and the API answers what it answered before', async () => {
    const keys = async () => {
      const answer = await fetch(`${stack.issuer}/.well-known/jwks.json`);
      return ((await answer.json()) as { keys: unknown[] }).keys;
    };
    const before = await keys();
    expect(before.length).toBeGreaterThan(0);
    await stack.api().kill();
    await expect(fetch(`${stack.publicUrl}/livez`)).rejects.toThrow('fetch failed');
    await stack.startApi();
    await vi.waitFor(async () => expect((await readiness()).status).toBe(200), {
      timeout: 60_000,
      interval: 200,
    });
    // The rotation may have made tomorrow's meanwhile.
    expect(await keys()).toEqual(expect.arrayContaining(before));
  });

  test('loses an answer when it is told to, after the request was carried out', async () => {
    const lost = stack.proxy?.loseNextAnswer(({ path }) => path === '/livez');
    await expect(fetch(`${stack.publicUrl}/livez`)).rejects.toThrow('fetch failed');
    expect((await lost)?.status).toBe(200);
  });
});
