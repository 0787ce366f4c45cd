/** When signing keys are made and go, walked hour by hour and at random. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../../domain/policy.ts';
import { KEPT_MS, planRotation, PUBLISHED_AHEAD_MS } from '../../domain/signing-keys.ts';
import type { RotatedKey } from '../../domain/signing-keys.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const midnight = Date.UTC(2026, 10, 22);

const key = (keyId: string, activeFromMs: number): RotatedKey => ({ keyId, activeFromMs });

describe('the plan of a rotation', () => {
  test('begins with a key that signs at once and tomorrow’s', () => {
    const nowMs = midnight + 9 * HOUR_MS;
    expect(planRotation([], nowMs)).toEqual({ make: [nowMs, midnight + DAY_MS], retire: [] });
  });

  test('has nothing to do when both are there', () => {
    const keys = [key('today', midnight), key('tomorrow', midnight + DAY_MS)];
    expect(planRotation(keys, midnight + HOUR_MS)).toEqual({ make: [], retire: [] });
  });

  test('lets a day’s key that was missed begin only when verifiers can know it', () => {
    const nowMs = midnight + 9 * HOUR_MS;
    expect(planRotation([key('old', midnight - 3 * DAY_MS)], nowMs)).toEqual({
      make: [nowMs + PUBLISHED_AHEAD_MS, midnight + DAY_MS],
      retire: [],
    });
  });

  test('makes no key for the rest of a day that is too short to publish it', () => {
    const nowMs = midnight + DAY_MS - MINUTE_MS;
    expect(planRotation([key('old', midnight - 3 * DAY_MS)], nowMs)).toEqual({
      make: [nowMs + PUBLISHED_AHEAD_MS],
      retire: [],
    });
  });

  test('keeps a key until its successor has signed for a day, and no longer', () => {
    const keys = [key('old', midnight - DAY_MS), key('new', midnight)];
    expect(planRotation(keys, midnight + KEPT_MS - 1).retire).toEqual([]);
    expect(planRotation(keys, midnight + KEPT_MS).retire).toEqual(['old']);
  });

  test('keeps a key far longer than the longest token under it can live', () => {
    expect(KEPT_MS).toBeGreaterThan(2 * LONGEST_ACCESS_TOKEN_SECONDS * 1000);
  });
});

describe('rotation at random times, with gaps of any length', () => {
  test('never uses a key before it was published, has one a day, and always one that signs', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3 * DAY_MS }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: DAY_MS }), gaps, (offsetMs, steps) => {
        let nowMs = midnight + offsetMs;
        let keys: readonly RotatedKey[] = [];
        let count = 0;
        const signs = () =>
          keys
            .filter(({ activeFromMs }) => activeFromMs <= nowMs)
            .toSorted((one, other) => other.activeFromMs - one.activeFromMs)[0];
        for (const step of [0, ...steps]) {
          nowMs += step;
          const signing = signs();
          const { make, retire } = planRotation(keys, nowMs);
          const earliestMs = keys.length > 0 ? nowMs + PUBLISHED_AHEAD_MS : nowMs;
          for (const activeFromMs of make) expect(activeFromMs).toBeGreaterThanOrEqual(earliestMs);
          expect(retire).not.toContain(signing?.keyId);
          keys = [
            ...keys.filter(({ keyId }) => !retire.includes(keyId)),
            ...make.map((activeFromMs) => key(`k${String((count += 1))}`, activeFromMs)),
          ];
          expect(signs()).toEqual(signing ?? key('k1', nowMs));
          const days = keys.map(({ activeFromMs }) => Math.floor(activeFromMs / DAY_MS));
          expect(new Set(days).size).toBe(days.length);
          expect(keys.length).toBeLessThanOrEqual(6);
          expect(planRotation(keys, nowMs)).toEqual({ make: [], retire: [] });
        }
      }),
      { numRuns: 300 },
    );
  });
});
