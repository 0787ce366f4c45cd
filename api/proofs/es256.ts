/**
 * ES256 signatures of compact JWSs by node:crypto, in the calling thread: on the hot path WebCrypto's way through the thread pool costs more
 * than the signature (docs/decisions/0015). It checks a signature and nothing else; header and claims are its callers' business.
 */
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CompactJws } from './compact-jws.ts';
import type { EcPublicJwk } from '../types.ts';

/** Of r and of s (RFC 7518 section 3.4). */
const NUMBER_BYTES = 32;
/** A sequence of two integers, each with a zero byte before. */
const MAX_DER_BYTES = 2 + 2 * (2 + 1 + NUMBER_BYTES);

/** Of a SubjectPublicKeyInfo of P-256 (RFC 5480 section 2), everything before the two numbers of an uncompressed point. */
const SPKI_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

/** For a key that verifies more than once. @throws Error for coordinates that are no point of the curve. */
export function importEs256(jwk: EcPublicJwk): KeyObject {
  return createPublicKey(pemOfEs256(jwk));
}

/** Any 32 bytes pass as a coordinate here: whether they are a point of the curve, the import or the verification says. @throws TypeError */
export function pemOfEs256(jwk: EcPublicJwk): string {
  const [x, y] = [Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')];
  if (x.length !== NUMBER_BYTES || y.length !== NUMBER_BYTES)
    throw new TypeError('a coordinate of P-256 has 32 bytes');
  // As PEM: of an object, JWK or DER, Node first asks whether it is a key already, and that costs as much again as the import.
  const spki = Buffer.concat([SPKI_HEAD, x, y]).toString('base64');
  return `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`;
}

/** By a key, or by the PEM of one that is used this once: it saves an import's objects. @throws Error for the PEM of what is no point of the curve. */
export function isSignedBy(key: KeyObject | string, { signed, signature }: CompactJws): boolean {
  return (
    signature.length === 2 * NUMBER_BYTES &&
    verify('sha256', Buffer.from(signed, 'ascii'), key, toDer(signature))
  );
}

/** A compact JWS of that header, which must name ES256, and payload. */
export function signEs256(key: KeyObject, header: object, payload: object): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = fromDer(sign('sha256', Buffer.from(signed, 'ascii'), key));
  return `${signed}.${signature.toString('base64url')}`;
}

// Node converts by itself when asked to (`dsaEncoding`), at the price of half a signature: the key is then taken apart on every call.

/** Two numbers side by side as the two positive INTEGERs of an ECDSA-Sig-Value (RFC 3279 section 2.2.3). */
function toDer(signature: Uint8Array): Buffer {
  const der = Buffer.alloc(MAX_DER_BYTES);
  const afterFirst = writeInteger(der, 2, signature.subarray(0, NUMBER_BYTES));
  const end = writeInteger(der, afterFirst, signature.subarray(NUMBER_BYTES));
  der[0] = 0x30;
  der[1] = end - 2;
  return der.subarray(0, end);
}

/** Answers where it ends. */
function writeInteger(der: Buffer, start: number, number: Uint8Array): number {
  let first = 0;
  while (first < NUMBER_BYTES - 1 && number[first] === 0) first += 1;
  // A first bit that is set would make it negative: a zero byte goes before.
  const digits = start + 2 + ((number[first] ?? 0) >= 0x80 ? 1 : 0);
  const end = digits + NUMBER_BYTES - first;
  der[start] = 0x02;
  der[start + 1] = end - start - 2;
  der.set(number.subarray(first), digits);
  return end;
}

/** The other way round, of what OpenSSL wrote: lengths of one byte, numbers of at most 33. */
function fromDer(der: Uint8Array): Buffer {
  const signature = Buffer.alloc(2 * NUMBER_BYTES);
  let start = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[start + 1] ?? 0;
    const digits = der.subarray(start + 2, start + 2 + length);
    const kept = digits.length > NUMBER_BYTES ? digits.subarray(1) : digits;
    signature.set(kept, end - kept.length);
    start += 2 + length;
  }
  return signature;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part), 'utf8').toString('base64url');
}

/** RFC 7638 section 3; the coordinates must be base64url, which needs no escaping. */
export function thumbprintOf({ x, y }: EcPublicJwk): string {
  return hash('sha256', `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`, 'base64url');
}
