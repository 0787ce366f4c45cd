/** The stock of random bytes behind a refresh's salts: a piece that came twice would make two successors alike. */
import { expect, test } from 'vitest';
import { createRandomSource } from '../../api/proofs/random-source.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('every piece has its length and comes once, over several stocks', () => {
  const next = createRandomSource(32);
  const pieces = Array.from({ length: 1_000 }, next);
  expect(pieces.every((piece) => piece.length === 32)).toBe(true);
  expect(new Set(pieces.map(hex)).size).toBe(1_000);
});

test('a piece that was given stays as it is when the stock is made anew', () => {
  const next = createRandomSource(32);
  const first = next();
  const before = hex(first);
  for (let taken = 0; taken < 200; taken += 1) next();
  expect(hex(first)).toBe(before);
});
