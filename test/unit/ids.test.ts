import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '../../adapters/random.ts';
import { formatId, ID_PREFIXES, idPattern, isId, workflowId } from '../../domain/ids.ts';
import type { IdKind } from '../../domain/ids.ts';

// Object.keys forgets the literal types that the constant has.
const kinds = Object.keys(ID_PREFIXES) as IdKind[];
const anyKind = fc.constantFrom(...kinds);
const anyRandom = fc.uint8Array({ minLength: 10, maxLength: 10 });
// RFC 9562 section 5.7: 48 bits of milliseconds.
const anyTime = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('ids', () => {
  it('are a prefix and a UUIDv7 of version 7, variant 10, with the time in front', () => {
    fc.assert(
      fc.property(anyKind, anyTime, anyRandom, (kind, nowMs, random) => {
        const id = formatId(kind, nowMs, random);
        expect(id).toMatch(
          new RegExp(`^${ID_PREFIXES[kind]}_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$`),
        );
        expect(Number.parseInt(id.slice(id.indexOf('_') + 1).slice(0, 12), 16)).toBe(nowMs);
        expect(isId(kind, id)).toBe(true);
      }),
    );
  });

  it('sort by the time they were made', () => {
    fc.assert(
      fc.property(anyTime, anyTime, anyRandom, (one, other, random) => {
        fc.pre(one < other);
        expect(formatId('session', one, random) < formatId('session', other, random)).toBe(true);
      }),
    );
  });

  it('keep 74 random bits apart', () => {
    fc.assert(
      fc.property(anyRandom, fc.integer({ min: 0, max: 79 }), (random, bit) => {
        // Version and variant take the place of six bits.
        fc.pre(bit >= 4 && bit !== 16 && bit !== 17);
        const changed = Uint8Array.from(random);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
        expect(formatId('session', 0, changed)).not.toBe(formatId('session', 0, random));
      }),
    );
  });

  it('are of one kind only, whole, and in lower case', () => {
    const id = newId('customer');
    expect(kinds.filter((kind) => isId(kind, id))).toStrictEqual(['customer']);
    for (const wrong of [`${id}0`, id.slice(0, -1), id.toUpperCase(), `x${id}`, `${id}\n`, '']) {
      expect(isId('customer', wrong)).toBe(false);
    }
    expect(idPattern('customer')).toBe('^cus_[0-9a-f]{32}$');
  });

  it('have prefixes that differ', () => {
    expect(new Set(Object.values(ID_PREFIXES)).size).toBe(kinds.length);
  });

  it('are new each time', () => {
    const ids = Array.from({ length: 1000 }, () => newId('audit'));
    expect(new Set(ids).size).toBe(1000);
  });
});

describe('workflow ids', () => {
  it('name one subject each, and each healing anew', () => {
    expect(workflowId('session', 'ten_1', 'ses_1')).toBe('session/ten_1/ses_1');
    expect(workflowId('session', 'ten_1', 'ses_1', 2)).toBe('session/ten_1/ses_1~2');
  });
});
