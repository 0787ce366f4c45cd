import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { JsonValue } from '../../domain/canonical-json.ts';

// fast-check's jsonValue() yields JSON by its contract; its own type is wider.
const anyJson = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<JsonValue>;

describe('canonical JSON', () => {
  it('says the same as JSON does', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        expect(JSON.stringify(JSON.parse(canonicalJson(value)))).toBe(
          JSON.stringify(JSON.parse(canonicalJson(JSON.parse(JSON.stringify(value)) as JsonValue))),
        );
      }),
    );
  });

  it('is a fixed point', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const once = canonicalJson(value);
        expect(canonicalJson(JSON.parse(once) as JsonValue)).toBe(once);
      }),
    );
  });

  it('does not depend on the order in which members were written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.integer()), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(members));
      }),
    );
  });

  it('tells different values apart', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (one, other) => {
        expect(canonicalJson(one) === canonicalJson(other)).toBe(
          one.length === other.length && one.every((item, index) => item === other[index]),
        );
      }),
    );
  });

  it('sorts members by UTF-16 code units, not by code points or a locale', () => {
    // U+FB33 sorts before the surrogate pair of U+1F600 by code point, and after it by code unit.
    expect(canonicalJson({ '\uFB33': 1, '\u{1F600}': 2, é: 3, z: 4, Z: 5 })).toBe(
      '{"Z":5,"z":4,"é":3,"\u{1F600}":2,"\uFB33":1}',
    );
  });

  it('writes minus zero as zero', () => {
    expect(canonicalJson([-0, 1e21, 1e-7, 100])).toBe('[0,1e+21,1e-7,100]');
  });

  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a lone surrogate', '\uD800'],
    ['a lone surrogate deep inside', { a: [{ b: '\uDC00' }] }],
    ['a lone surrogate as a name', { '\uD800': 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});
