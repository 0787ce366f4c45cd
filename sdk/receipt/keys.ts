/** The public keys of a receipt, imported as WebCrypto wants them, and their signatures. A key that cannot be read verifies nothing. */
import { fromBase64url, joined, sha256, toBase64url, utf8 } from './bytes.ts';
import type { EcJwk } from './types.ts';

export type Verifies = (
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
) => Promise<boolean>;

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Signatures are r ‖ s. */
export async function es256Key({ kty, crv, x, y }: EcJwk): Promise<Verifies> {
  const key = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, ES256, false, ['verify']);
  return (signature, message) => crypto.subtle.verify(ES256, key, signature, message);
}

/** RFC 7638. */
export async function thumbprint({ crv, kty, x, y }: EcJwk): Promise<string> {
  return toBase64url(await sha256(utf8(JSON.stringify({ crv, kty, x, y }))));
}

/**
 * A passkey's key as the authenticator gave it (COSE_Key, RFC 9053 sections 2 and 7): ES256, EdDSA or RS256.
 * Signatures are as WebAuthn Level 3 section 6.5.5 spells them.
 */
export async function passkeyKey(
  cose: Uint8Array<ArrayBuffer>,
): Promise<{ readonly algorithm: string; readonly verifies: Verifies }> {
  const map = readCoseMap(cose);
  const part = (label: number): Uint8Array => {
    const value = map.get(label);
    if (!(value instanceof Uint8Array)) throw new TypeError('a coordinate is missing');
    return value;
  };
  const is = (...[kty, alg, crv]: readonly number[]): boolean =>
    map.get(1) === kty && map.get(3) === alg && (crv === undefined || map.get(-1) === crv);
  if (is(2, -7, 1)) {
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: toBase64url(part(-2)),
      y: toBase64url(part(-3)),
    } as const;
    const verifies = await es256Key(jwk);
    return {
      algorithm: 'ES256',
      verifies: async (der, message) => {
        const raw = rawSignature(der);
        return raw !== undefined && (await verifies(raw, message));
      },
    };
  }
  if (is(1, -8, 6)) {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(part(-2)) };
    return { algorithm: 'EdDSA', verifies: await verifierOf(jwk, { name: 'Ed25519' }) };
  }
  if (is(3, -257)) {
    const jwk = { kty: 'RSA', n: toBase64url(part(-1)), e: toBase64url(part(-2)) };
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    return { algorithm: 'RS256', verifies: await verifierOf(jwk, algorithm) };
  }
  throw new TypeError('a key of another kind');
}

async function verifierOf(
  jwk: JsonWebKey,
  algorithm: { readonly name: string; readonly hash?: string },
): Promise<Verifies> {
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['verify']);
  return (signature, message) => crypto.subtle.verify(algorithm.name, key, signature, message);
}

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) as r ‖ s; undefined for anything but its one DER spelling. */
function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const numbers: Uint8Array[] = [];
  let at = 2;
  while (numbers.length < 2) {
    const length = der[at + 1] ?? 0;
    const end = at + 2 + length;
    if (der[at] !== 0x02 || length === 0 || end > der.length) return undefined;
    const number = der.subarray(at + 2, end);
    const isPadded = number[0] === 0 && length > 1;
    const isNegative = (number[0] ?? 0) >= 0x80;
    if (isNegative || (isPadded && (number[1] ?? 0) < 0x80)) return undefined;
    const digits = isPadded ? number.subarray(1) : number;
    if (digits.length > 32) return undefined;
    numbers.push(joined(new Uint8Array(32 - digits.length), digits));
    at = end;
  }
  return at === der.length ? joined(...numbers) : undefined;
}

/** A CBOR map of integers to integers, byte strings or booleans (RFC 8949), nothing after it, no label twice. */
function readCoseMap(bytes: Uint8Array): ReadonlyMap<number, number | Uint8Array> {
  let at = 0;
  const head = (): { readonly kind: number; readonly argument: number } => {
    const first = bytes[at] ?? 0xff;
    at += 1;
    const small = first & 0x1f;
    if (small < 24) return { kind: first >> 5, argument: small };
    if (small > 25) throw new TypeError('longer than any key');
    const size = small === 24 ? 1 : 2;
    let argument = 0;
    for (let index = 0; index < size; index += 1)
      argument = argument * 256 + (bytes[at + index] ?? 0);
    at += size;
    return { kind: first >> 5, argument };
  };
  const item = (): number | Uint8Array => {
    const { kind, argument } = head();
    if (kind === 0) return argument;
    if (kind === 1) return -1 - argument;
    if (kind !== 2 || at + argument > bytes.length) throw new TypeError('no part of a key');
    at += argument;
    return bytes.slice(at - argument, at);
  };
  const { kind, argument: size } = head();
  if (kind !== 5 || size > 16) throw new TypeError('no map');
  const map = new Map<number, number | Uint8Array>();
  for (let index = 0; index < size; index += 1) {
    const label = item();
    if (typeof label !== 'number' || map.has(label)) throw new TypeError('no label');
    map.set(label, item());
  }
  if (at !== bytes.length) throw new TypeError('more than a key');
  return map;
}

export interface CompactJws {
  readonly header: Uint8Array<ArrayBuffer>;
  readonly payload: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly signed: Uint8Array<ArrayBuffer>;
}

export function readJws(text: string): CompactJws | undefined {
  const parts = text.split('.', 4);
  const [header, payload, signature] = parts.map((part) => fromBase64url(part));
  if (parts.length !== 3 || header === undefined || payload === undefined) return undefined;
  if (signature?.length !== 64) return undefined;
  return { header, payload, signature, signed: utf8(`${parts[0] ?? ''}.${parts[1] ?? ''}`) };
}

const HALF_ORDER = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8';

/** Of the two numbers s that verify, the bank writes the smaller one. */
export function hasSmallS(signature: Uint8Array): boolean {
  const hex = Array.from(signature.subarray(32), (byte) => byte.toString(16).padStart(2, '0'));
  return hex.join('') <= HALF_ORDER;
}
