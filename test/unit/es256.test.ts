/** ES256 as jose writes and reads it, whatever the numbers of a signature look like; and thumbprints as in RFC 7638. */
import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, compactVerify, CompactSign } from 'jose';
import { describe, expect, test } from 'vitest';
import { readCompactJws } from '../../api/proofs/compact-jws.ts';
import {
  importEs256,
  isSignedBy,
  pemOfEs256,
  signEs256,
  thumbprintOf,
} from '../../api/proofs/es256.ts';
import type { EcPublicJwk } from '../../api/types.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
const jwk: EcPublicJwk = { kty: 'EC', crv: 'P-256', x, y };
const key = importEs256(jwk);
const HEADER = { alg: 'ES256' };

function read(token: string) {
  const jws = readCompactJws(token, 4096);
  if (jws === undefined) throw new Error('that is a compact JWS');
  return jws;
}

/** Of 600 signatures, some 5 have an r or an s with a leading zero byte, half a first bit that DER needs room for. */
const MANY = Array.from({ length: 600 }, (_, count) => ({ count }));

describe('a signature', () => {
  test('made here is one that jose verifies', async () => {
    for (const payload of MANY) {
      const { payload: seen } = await compactVerify(signEs256(privateKey, HEADER, payload), key);
      expect(JSON.parse(new TextDecoder().decode(seen))).toEqual(payload);
    }
  });

  test('made by jose is verified here', async () => {
    for (const payload of MANY) {
      const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader(HEADER)
        .sign(privateKey);
      expect(isSignedBy(key, read(token))).toBe(true);
      expect(isSignedBy(pemOfEs256(jwk), read(token))).toBe(true);
    }
  });

  const token = signEs256(privateKey, HEADER, { a: 1 });
  const withSignature = (signature: Uint8Array) => ({ ...read(token), signature });
  const { signature } = read(token);

  test.each([
    ['of nothing', new Uint8Array(0)],
    ['of zeros', new Uint8Array(64)],
    ['of ones', new Uint8Array(64).fill(255)],
    ['a byte short', signature.subarray(1)],
    ['a byte long', Buffer.concat([signature, Buffer.from([0])])],
    ['with r and s exchanged', Buffer.concat([signature.subarray(32), signature.subarray(0, 32)])],
    ['with r left out', Buffer.concat([new Uint8Array(32), signature.subarray(32)])],
    ['with s left out', Buffer.concat([signature.subarray(0, 32), new Uint8Array(32)])],
  ])('%s is none', (_name, spoilt) => {
    expect(isSignedBy(key, withSignature(spoilt))).toBe(false);
    expect(isSignedBy(pemOfEs256(jwk), withSignature(spoilt))).toBe(false);
  });

  test('of another text is none, nor is that of another key', () => {
    expect(isSignedBy(key, { ...read(token), signed: 'e30.e30' })).toBe(false);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(isSignedBy(other.publicKey, read(token))).toBe(false);
  });
});

test('a point that is not on the curve is no key', () => {
  expect(() => importEs256({ ...jwk, y: x })).toThrow(/decode error/);

  expect(() =>
    isSignedBy(pemOfEs256({ ...jwk, y: x }), read(signEs256(privateKey, HEADER, {}))),
  ).toThrow(/decode error/);
});

test('a thumbprint is the one that jose calculates', async () => {
  expect(thumbprintOf(jwk)).toBe(await calculateJwkThumbprint(jwk));
});
