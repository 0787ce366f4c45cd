import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSignedBody, signBody } from '../../runtime/vendor-signature.ts';

const nowMs = Date.parse('2026-05-06T07:08:09.500Z');
const signed = { secret: 'a secret of some length', body: '{"to":"+4915112345678"}' };

describe('the signature of a vendor call', () => {
  test('is the HMAC over time, dot and raw body', () => {
    const seconds = Math.floor(nowMs / 1000);
    const expected = createHmac('sha256', signed.secret).update(`${seconds}.${signed.body}`);
    expect(signBody(signed, nowMs)).toBe(`t=${seconds},v1=${expected.digest('hex')}`);
  });

  test('is accepted up to five minutes away, and not beyond', () => {
    const header = signBody(signed, nowMs);
    expect(isSignedBody(header, signed, nowMs + 299_000)).toBe(true);
    expect(isSignedBody(header, signed, nowMs - 299_000)).toBe(true);
    expect(isSignedBody(header, signed, nowMs + 301_000)).toBe(false);
    expect(isSignedBody(header, signed, nowMs - 301_000)).toBe(false);
  });

  const header = signBody(signed, nowMs);
  test.each([
    ['no header at all', undefined],
    ['an empty header', ''],
    [
      'another time than the signed one',
      header.replace(/t=\d+/, `t=${Math.floor(nowMs / 1000) + 1}`),
    ],
    ['a shortened signature', header.slice(0, -2)],
    ['upper-case hex', header.toUpperCase()],
    ['something behind it', `${header},v1=00`],
    ['a negative time', header.replace('t=', 't=-')],
  ])('is refused with %s', (_name, shown) => {
    expect(isSignedBody(shown, signed, nowMs)).toBe(false);
  });

  test('is refused for another body and for another secret', () => {
    expect(isSignedBody(header, { ...signed, body: `${signed.body} ` }, nowMs)).toBe(false);
    expect(isSignedBody(header, { ...signed, secret: 'another secret' }, nowMs)).toBe(false);
  });
});
