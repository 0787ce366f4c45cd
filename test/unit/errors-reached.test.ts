/** Every way to refuse is expected by some test: a code that no test names is either dead or unproved. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ERRORS } from '../../domain/errors.ts';

const TESTS = new URL('../', import.meta.url);

/** All test files but this one and those that only list codes. */
function testSources(): string {
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('errors-reached.test.ts'))
    .map((name) => readFileSync(new URL(name, TESTS), 'utf8'))
    .join('\n');
}

it('names every code of the table in a test', () => {
  const sources = testSources();
  const unreached = Object.keys(ERRORS).filter(
    (code) => !new RegExp(`['"\`]${code}['"\`]`).test(sources),
  );
  expect(unreached).toEqual([]);
});
