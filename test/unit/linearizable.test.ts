/** The search for an order of overlapping calls, on a register that everybody knows, and on sessions: it must say no as well as yes. */
import { describe, expect, test } from 'vitest';
import type { Call } from '../setup/models/session/calls.ts';
import { linearize } from '../setup/models/linearizable.ts';
import type { Specification, Timed } from '../setup/models/linearizable.ts';
import { SHORT_LIFETIMES } from '../setup/models/session/model-state.ts';
import { sessionSpecification } from '../setup/models/session/specification.ts';

interface RegisterCall extends Timed {
  readonly write?: number;
  readonly read?: number;
  readonly isLost?: boolean;
}

const register: Specification<number, RegisterCall> = {
  first: 0,
  partsOf: () => 1,
  isOptional: ({ isLost = false }) => isLost,
  next: (state, { write, read }) => {
    if (write !== undefined) return write;
    return read === state ? state : undefined;
  },
  keyOf: String,
};

const isLinearizable = (...calls: RegisterCall[]) => linearize(calls, register).isLinearizable;

describe('a register', () => {
  test('may be read as it was or as it is becoming while it is written', () => {
    const write = { invokedAt: 1, answeredAt: 4, write: 1 };
    expect(isLinearizable(write, { invokedAt: 2, answeredAt: 3, read: 0 })).toBe(true);
    expect(isLinearizable(write, { invokedAt: 2, answeredAt: 3, read: 1 })).toBe(true);
  });

  test('may not be read as it was once the write was answered', () => {
    const write = { invokedAt: 1, answeredAt: 2, write: 1 };
    expect(isLinearizable(write, { invokedAt: 3, answeredAt: 4, read: 0 })).toBe(false);
  });

  test('may not go back after somebody has seen the new value', () => {
    const write = { invokedAt: 1, answeredAt: 6, write: 1 };
    const seen = { invokedAt: 2, answeredAt: 3, read: 1 };
    expect(isLinearizable(write, seen, { invokedAt: 4, answeredAt: 5, read: 0 })).toBe(false);
  });

  test('may keep or lose a write that was never answered, but not both', () => {
    const write = { invokedAt: 1, answeredAt: Infinity, write: 1, isLost: true };
    const reads = (...values: number[]) =>
      values.map((read, index) => ({ invokedAt: 2 * index + 2, answeredAt: 2 * index + 3, read }));
    expect(isLinearizable(write, ...reads(0, 0, 0))).toBe(true);
    expect(isLinearizable(write, ...reads(0, 1, 1))).toBe(true);
    expect(isLinearizable(write, ...reads(0, 1, 0))).toBe(false);
  });
});

describe('sessions', () => {
  const PROMISED = { expiresInSeconds: 300, refreshExpiresInSeconds: 600 };
  const login = (invokedAt: number, answeredAt: number): Call => ({
    kind: 'login',
    holder: 'handset',
    sessionId: 'ses_1',
    nowMs: 0,
    answer: PROMISED,
    invokedAt,
    answeredAt,
  });
  const refresh = (
    [invokedAt, answeredAt]: readonly [number, number],
    [generation, requestId]: readonly [number, string],
    answer: number | string,
  ): Call => ({
    kind: 'refresh',
    sessionId: 'ses_1',
    generation,
    requestId,
    isKeyRight: true,
    proof: String(invokedAt),
    isShownTwice: false,
    nowMs: 0,
    answer: typeof answer === 'string' ? { refused: answer } : { generation: answer, ...PROMISED },
    invokedAt,
    answeredAt,
  });
  const cutOff = (invokedAt: number, answeredAt: number): Call => ({
    kind: 'cut off',
    nowMs: 0,
    answer: { epoch: 2 },
    invokedAt,
    answeredAt,
  });
  const isPossible = (...calls: Call[]) =>
    linearize(calls, sessionSpecification(SHORT_LIFETIMES)).isLinearizable;

  test('a refresh may still win that began before the cut-off was answered', () => {
    expect(isPossible(login(1, 2), cutOff(4, 5), refresh([3, 6], [0, 'a'], 1))).toBe(true);
    expect(
      isPossible(login(1, 2), cutOff(4, 5), refresh([3, 6], [0, 'a'], 'customer_on_hold')),
    ).toBe(true);
  });

  test('nothing that began after a cut-off was answered succeeds', () => {
    expect(isPossible(login(1, 2), cutOff(3, 4), refresh([5, 6], [0, 'a'], 1))).toBe(false);
  });

  test('one generation never goes to two request ids, however they overlap', () => {
    const both = [refresh([3, 6], [0, 'a'], 1), refresh([4, 5], [0, 'b'], 1)];
    expect(isPossible(login(1, 2), ...both)).toBe(false);
    const clone = refresh([4, 5], [0, 'b'], 'refresh_superseded');
    expect(isPossible(login(1, 2), refresh([3, 6], [0, 'a'], 1), clone)).toBe(true);
  });

  test('a lost answer is delivered again, and no more than five times', () => {
    const again = (count: number) =>
      Array.from({ length: count }, (_none, index) =>
        refresh([5 + 2 * index, 6 + 2 * index], [0, 'a'], 1),
      );
    const first = [login(1, 2), refresh([3, 4], [0, 'a'], 1)];
    expect(isPossible(...first, ...again(5))).toBe(true);
    expect(isPossible(...first, ...again(6))).toBe(false);
  });
});
