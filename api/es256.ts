/**
 * ES256 signatures of compact JWSs by node:crypto, in the calling thread: on the hot path WebCrypto's way through the thread pool costs more
 * than the signature (docs/decisions/0015). It checks a signature and nothing else; header and claims are its callers' business.
 */
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { CompactJws } from './compact-jws.ts';
import type { EcPublicJwk } from './types.ts';

/** RFC 7518 section 3.4: r and s, 32 bytes each. */
const SIGNATURE_BYTES = 64;
const ENCODING = 'ieee-p1363';

/** @throws Error for coordinates that are no point of the curve. */
export function importEs256(jwk: EcPublicJwk): KeyObject {
  return createPublicKey({ key: { ...jwk }, format: 'jwk' });
}

export function isSignedBy(key: KeyObject, { signed, signature }: CompactJws): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    verify('sha256', Buffer.from(signed, 'ascii'), { key, dsaEncoding: ENCODING }, signature)
  );
}

/** A compact JWS of that header, which must name ES256, and payload. */
export function signEs256(key: KeyObject, header: object, payload: object): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(signed, 'ascii'), { key, dsaEncoding: ENCODING });
  return `${signed}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part), 'utf8').toString('base64url');
}

/** RFC 7638 section 3; the coordinates must be base64url, which needs no escaping. */
export function thumbprintOf({ x, y }: EcPublicJwk): string {
  return hash('sha256', `{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`, 'base64url');
}
