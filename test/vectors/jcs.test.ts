/** RFC 8785 against its authors' test data, read from the folder that LATCHKEY_VECTORS names; none of it is kept here. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { JsonValue } from '../../domain/canonical-json.ts';
import { vectorsFolder } from './vectors-folder.ts';

const folder = join(vectorsFolder(), 'jcs');
const names = readdirSync(join(folder, 'input')).map((file) => file.replace(/\.json$/, ''));
const read = (...path: string[]) => readFileSync(join(folder, ...path));

describe('canonical JSON on the test data of RFC 8785', () => {
  it('finds all six cases', () => {
    expect(names.length).toBeGreaterThanOrEqual(6);
  });

  it.each(names)('gives the expected bytes for %s', (name) => {
    // JSON.parse yields JSON.
    const value = JSON.parse(read('input', `${name}.json`).toString('utf8')) as JsonValue;
    const bytes = Buffer.from(canonicalJson(value), 'utf8');
    const hex = read('outhex', `${name}.txt`).toString('utf8').replaceAll(/\s+/g, '');
    expect(bytes.toString('hex')).toBe(hex);
    expect(bytes.equals(read('output', `${name}.json`))).toBe(true);
  });
});
