/** The arithmetic under the bench's figures. */
import { describe, expect, test } from 'vitest';
import { isMet, median, medianRatio, percentile } from '../../bench/statistics.ts';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test.each([
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [1, 100],
    [0.001, 1],
  ])('of 1 to 100 in any order at %d is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  test('is a value that was measured, never one between two', () => {
    expect(percentile([1, 1000], 0.5)).toBe(1);
    expect(percentile([1, 1000], 0.51)).toBe(1000);
  });

  test('of nothing, or at no share, is refused', () => {
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => percentile([1], 0)).toThrow(RangeError);
    expect(() => percentile([1], 1.01)).toThrow(RangeError);
  });

  test('leaves what it was given in its order', () => {
    const values = [3, 1, 2];
    percentile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('median', () => {
  test('is the middle, or the mean of the two in the middle', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([10, 1, 3, 5])).toBe(4);
  });

  test('sorts numbers as numbers', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  test('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('medianRatio', () => {
  test('compares each round with its own baseline, so that a slow minute moves nothing', () => {
    expect(medianRatio([400, 40, 390], [1000, 100, 1000])).toBe(0.4);
  });

  test('refuses rounds without a baseline', () => {
    expect(() => medianRatio([1, 2], [1])).toThrow(RangeError);
    expect(() => medianRatio([1], [0])).toThrow(RangeError);
  });
});

describe('isMet', () => {
  test('takes the bound itself as met, on both sides', () => {
    expect(isMet(0.35, { bound: 'at least', value: 0.35 })).toBe(true);
    expect(isMet(0.349, { bound: 'at least', value: 0.35 })).toBe(false);
    expect(isMet(250, { bound: 'at most', value: 250 })).toBe(true);
    expect(isMet(250.1, { bound: 'at most', value: 250 })).toBe(false);
  });

  test('never takes what is no number', () => {
    expect(isMet(Number.NaN, { bound: 'at least', value: 0 })).toBe(false);
    expect(isMet(Number.NaN, { bound: 'at most', value: 1 })).toBe(false);
  });
});
