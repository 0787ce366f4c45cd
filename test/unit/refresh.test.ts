/** The table of SECURITY.md section 2, row by row and over every combination. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideRefresh, effectiveDeadlines } from '../../domain/refresh.ts';
import type { RefreshFamily, ShownToken } from '../../domain/refresh.ts';

const limits = { maxRedeliveries: 5, maxTroubledGenerations: 3 };
const family: RefreshFamily = { generation: 7, redeliveries: 0, troubled: 0, isRequestNamed: true };
const shown: ShownToken = {
  generation: 7,
  isKeyRight: true,
  isHashRight: true,
  isSameRequest: false,
};
const before: ShownToken = { ...shown, generation: 6, isSameRequest: true };

describe('the refresh table', () => {
  test.each([
    ['the current generation rotates', family, shown, 'rotate'],
    ['the last one with its request id is given the same again', family, before, 'redeliver'],
    ['a fifth redelivery is the last', { ...family, redeliveries: 4 }, before, 'redeliver'],
    [
      'a sixth redelivery asks for a login',
      { ...family, redeliveries: 5 },
      before,
      'redelivery_exhausted',
    ],
    [
      'the last one with another request id is superseded',
      family,
      { ...before, isSameRequest: false },
      'superseded',
    ],
    ['an older one is reuse', family, { ...before, generation: 5 }, 'reused'],
    [
      'an older one is reuse whatever its request id',
      family,
      { ...before, generation: 0, isSameRequest: false },
      'reused',
    ],
    ['one from the future is no reuse', family, { ...shown, generation: 8 }, 'future'],
    ['another key is refused at once', family, { ...shown, isKeyRight: false }, 'wrong_key'],
    [
      'another key is never reuse',
      family,
      { ...before, generation: 0, isKeyRight: false },
      'wrong_key',
    ],
    [
      'other bytes of the right generation are unknown',
      family,
      { ...shown, isHashRight: false },
      'unknown',
    ],
    [
      'unnamed requests: the second lost generation still rotates',
      { ...family, isRequestNamed: false, troubled: 1, redeliveries: 1 },
      shown,
      'rotate',
    ],
    [
      'unnamed requests: after the third lost generation the passkey is asked for',
      { ...family, isRequestNamed: false, troubled: 2, redeliveries: 1 },
      shown,
      'passkey_needed',
    ],
    [
      'unnamed requests: one generation that arrived ends the count',
      { ...family, isRequestNamed: false, troubled: 2, redeliveries: 0 },
      shown,
      'rotate',
    ],
    [
      'named requests may be lost as often as the network likes',
      { ...family, troubled: 9, redeliveries: 1 },
      shown,
      'rotate',
    ],
  ] as const)('%s', (_name, row, token, decision) => {
    expect(decideRefresh(row, token, limits)).toBe(decision);
  });

  test('kills only by an older token under the right key, and grants only by the last two with the right bytes', () => {
    fc.assert(
      fc.property(
        fc.record({
          generation: fc.nat(20),
          redeliveries: fc.nat(8),
          troubled: fc.nat(5),
          isRequestNamed: fc.boolean(),
        }),
        fc.record({
          generation: fc.nat(22),
          isKeyRight: fc.boolean(),
          isHashRight: fc.boolean(),
          isSameRequest: fc.boolean(),
        }),
        (row, token) => {
          const decision = decideRefresh(row, token, limits);
          expect(decision === 'reused').toBe(
            token.isKeyRight && token.generation < row.generation - 1,
          );
          const isGrant = decision === 'rotate' || decision === 'redeliver';
          const isCurrent = token.generation === row.generation;
          const isLost = token.generation === row.generation - 1 && token.isSameRequest;
          expect(!isGrant || (token.isKeyRight && token.isHashRight && (isCurrent || isLost))).toBe(
            true,
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('deadlines', () => {
  const row = {
    startedAtMs: 0,
    lastSeenAtMs: 50_000,
    idleDeadlineMs: 90_000,
    absoluteDeadlineMs: 100_000,
  };

  test('are the row’s while policy is not stricter', () => {
    expect(effectiveDeadlines(row, { idleSeconds: 1000, absoluteSeconds: 1000 })).toEqual({
      idleMs: 90_000,
      absoluteMs: 100_000,
    });
  });

  test('are policy’s where it became stricter', () => {
    expect(effectiveDeadlines(row, { idleSeconds: 10, absoluteSeconds: 80 })).toEqual({
      idleMs: 60_000,
      absoluteMs: 80_000,
    });
  });

  test('never let idle outlast the whole', () => {
    expect(effectiveDeadlines(row, { idleSeconds: 1000, absoluteSeconds: 55 }).idleMs).toBe(55_000);
  });
});
