/** The refresh token's bytes: a chain that only key, salt and the last token together continue, in one spelling, for one key. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import {
  encodeRefreshToken,
  firstToken,
  openRefreshToken,
  requestHash,
  successor,
  tokenHash,
} from '../../api/tokens/refresh-token.ts';

const oldKey = { kid: 'k1', key: new Uint8Array(32).fill(1) };
const newKey = { kid: 'k2', key: new Uint8Array(32).fill(2) };
const kms = createEmbeddedKms([oldKey]);
const rotated = createEmbeddedKms([newKey, oldKey]);
const family = `ses_${'0'.repeat(32)}`;
const salt = new Uint8Array(16).fill(7);
const binding = { tenantId: 'ten_a', jkt: 'thumbprint' };
const first = firstToken(kms, { family, salt });

describe('a refresh token', () => {
  test('comes back as it was made', () => {
    const text = encodeRefreshToken(kms, first, binding);
    expect(openRefreshToken(kms, text, binding)).toEqual({ token: first });
  });

  test.each([
    ['key', { jkt: 'stolen' }],
    ['tenant', { tenantId: 'ten_b' }],
  ])('is a stranger under another %s', (_name, change) => {
    const text = encodeRefreshToken(kms, first, binding);
    expect(openRefreshToken(kms, text, { ...binding, ...change })).toEqual({
      refused: 'wrong_key',
    });
  });

  test('has no second spelling', () => {
    const text = encodeRefreshToken(kms, first, binding);
    for (const other of [
      `${text}\n`,
      ` ${text}`,
      `${text}=`,
      text.replace('.0.', '.00.'),
      '',
      'x',
    ]) {
      expect(openRefreshToken(kms, other, binding)).toEqual({ refused: 'not_ours' });
    }
  });

  test('does not survive one changed character anywhere', () => {
    const text = encodeRefreshToken(kms, first, binding);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom(...'abcdefABCDEF0123456789-_.'.split('')),
        (index, character) => {
          fc.pre(text[index] !== character);
          const changed = text.slice(0, index) + character + text.slice(index + 1);
          expect(openRefreshToken(kms, changed, binding)).toHaveProperty('refused');
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('survives the rotation of its key and dies with it', () => {
    const text = encodeRefreshToken(kms, first, binding);
    expect(openRefreshToken(rotated, text, binding)).toEqual({ token: first });
    expect(openRefreshToken(createEmbeddedKms([newKey]), text, binding)).toEqual({
      refused: 'not_ours',
    });
  });

  test('is followed by the same successor every time', () => {
    const next = successor(kms, first, { salt });
    expect(next).toEqual(successor(kms, first, { salt }));
    expect(next.generation).toBe(1);
    expect(successor(rotated, first, { salt, keyId: 'k1' })).toEqual(next);
  });

  test('is followed by another one for another salt, family, generation, token or key', () => {
    const next = tokenHash(successor(kms, first, { salt }));
    const others = [
      successor(kms, first, { salt: new Uint8Array(16) }),
      successor(kms, { ...first, family: family.replace('0', '1') }, { salt }),
      successor(kms, { ...first, generation: 1 }, { salt }),
      successor(kms, { ...first, secret: new Uint8Array(32) }, { salt }),
      successor(rotated, first, { salt }),
    ].map(tokenHash);
    for (const other of others) expect(other).not.toEqual(next);
  });

  test('is at rest as a hash, and a request id as one bound to its family', () => {
    expect(tokenHash(first)).not.toEqual(first.secret);
    expect(requestHash(family, 'r')).not.toEqual(requestHash(family.replace('0', '1'), 'r'));
  });
});
