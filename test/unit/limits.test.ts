/** The limits as a table that people read, and what counts as one source. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { countedBy, COUNTED_OPERATIONS } from '../../api/limits/counted-operations.ts';
import { sourceOf } from '../../api/limits/request-limits.ts';
import { LIMITS } from '../../domain/limits.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';

const { limits } = DEFAULT_POLICY;

describe('docs/limits.md', () => {
  it('says of every limit what it counts, how many, and which way it fails', async () => {
    const rows = Object.entries(LIMITS).map(([name, limit]) => {
      const key = name as keyof typeof LIMITS; // Object.entries forgets the names.
      const numbers = `${String(limits[key])} in ${String(limits[`${key}Seconds`])} s`;
      return `| \`${name}\` | ${limit.subject} | ${limit.what} | ${numbers} | ${limit.counted} | ${limit.fails} |`;
    });
    expect(await linesOf('limits.md')).toEqual(expect.arrayContaining(rows));
  });

  it('says of every operation what counts it, or why nothing does', async () => {
    const rows = Object.entries(COUNTED_OPERATIONS).map(([operation, counted]) => {
      const what = 'uncounted' in counted ? counted.uncounted : counted.map(code).join(', ');
      return `| \`${operation}\` | ${what} |`;
    });
    expect(await linesOf('limits.md')).toEqual(expect.arrayContaining(rows));
  });
});

describe('the token endpoint', () => {
  it.each([
    [{ grant_type: 'refresh_token' }, ['refreshesOfDevice']],
    [{ grant_type: 'client_credentials' }, ['tokensOfSource']],
    [{ grant_type: 'toString' }, []],
    [{ grant_type: ['refresh_token'] }, []],
    [null, []],
    [undefined, []],
  ])('counts %j by %j', (body, expected) => {
    expect(countedBy('token', body)).toEqual(expected);
  });
});

describe('a source', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s counts as %s', (ip, source) => {
    expect(sourceOf(ip)).toBe(source);
  });
});

const code = (name: string) => `\`${name}\``;
const linesOf = async (page: string) =>
  (await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')).split('\n');
