/** The list of mutants does not rot: each change still fits exactly one place of its file, and its test is there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTANTS } from '../mutants.ts';

test.each(MUTANTS)('$name fits its file', ({ file, from, to, test: testFile }) => {
  const source = readFileSync(file, 'utf8');
  expect(source.split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
  expect(existsSync(testFile)).toBe(true);
});
