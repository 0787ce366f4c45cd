/**
 * The keys of lasting statements (receipts): the embedded ones, derived from the master keys, one each, and what both kinds share: a public half
 * named by its thumbprint, and signatures in the one spelling that verifiers take. It must never hand out a private half.
 */
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { LastingKey, LastingPurpose, LastingSigner } from '../../domain/ports.ts';
import type { MasterKey } from './embedded.ts';

/** The order of P-256 (SEC 2 section 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const NUMBER_BYTES = 32;

/** The first of the list signs. @throws TypeError for an empty list. */
export function createEmbeddedSigner(masterKeys: readonly MasterKey[]): LastingSigner {
  const made = new Map<LastingPurpose, readonly [OpenKey, ...OpenKey[]]>();
  const keysOf = (purpose: LastingPurpose): readonly [OpenKey, ...OpenKey[]] => {
    let keys = made.get(purpose);
    if (keys === undefined) {
      const [first, ...rest] = masterKeys.map(({ key }) => derive(key, purpose));
      if (first === undefined) throw new TypeError('at least one master key is needed');
      keys = [first, ...rest];
      made.set(purpose, keys);
    }
    return keys;
  };
  return {
    publicKeys: (purpose) => {
      const [first, ...rest] = keysOf(purpose);
      return Promise.resolve([first.shown, ...rest.map(({ shown }) => shown)]);
    },
    sign: (purpose, message) => {
      const [{ shown, privateKey }] = keysOf(purpose);
      return Promise.resolve({
        keyId: shown.keyId,
        signature: oneSpelling(sign('sha256', message, privateKey)),
      });
    },
  };
}

interface OpenKey {
  readonly shown: LastingKey;
  readonly privateKey: KeyObject;
}

/** FIPS 186-5 appendix A.2.1: 64 bits more than the order has, so that no number is favoured. */
function derive(masterKey: Uint8Array, purpose: LastingPurpose): OpenKey {
  const label = `latchkey/1/lasting/${purpose}`;
  const wide = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), label, 40));
  const number = (BigInt(`0x${wide.toString('hex')}`) % (ORDER - 1n)) + 1n;
  const d = bytesOf(number);
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toString('base64url'),
  );
  const privateKey = createPrivateKey({
    key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '', d: d.toString('base64url') },
    format: 'jwk',
  });
  return { shown: lastingKey(createPublicKey(privateKey)), privateKey };
}

/** @throws TypeError for a key of another kind. */
export function lastingKey(publicKey: KeyObject): LastingKey {
  const { crv, x, y } = publicKey.export({ format: 'jwk' });
  if (crv !== 'P-256' || x === undefined || y === undefined)
    throw new TypeError('a receipt is signed by a key of P-256');
  // RFC 7638 section 3; the coordinates are base64url, which needs no escaping.
  const keyId = createHash('sha256')
    .update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)
    .digest('base64url');
  return { keyId, publicJwk: { kty: 'EC', crv: 'P-256', x, y } };
}

/**
 * An ECDSA-Sig-Value (RFC 3279 section 2.2.3) as r ‖ s (RFC 7518 section 3.4), of the two twins (r, s) and (r, n−s) the one whose s is smaller:
 * otherwise a signature could be respelled and still verify.
 */
export function oneSpelling(der: Uint8Array): Uint8Array {
  const { number: r, end } = readInteger(der, 2);
  const { number: s } = readInteger(der, end);
  return Buffer.concat([bytesOf(r), bytesOf(s > ORDER / 2n ? ORDER - s : s)]);
}

function readInteger(der: Uint8Array, start: number): { number: bigint; end: number } {
  const length = der[start + 1] ?? 0;
  const end = start + 2 + length;
  if (der[start] !== 0x02 || length === 0 || end > der.length)
    throw new TypeError('a signature is two integers');
  const hex = Buffer.from(der.subarray(start + 2, end)).toString('hex');
  return { number: BigInt(`0x${hex}`), end };
}

function bytesOf(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * NUMBER_BYTES, '0'), 'hex');
}
