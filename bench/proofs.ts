/** Keys of the load's phones, and DPoP proofs (RFC 9449 section 4.2) signed by node:crypto: the cheapest right ones, made ahead of time. */
import { generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

export interface BenchKey {
  readonly privateKey: KeyObject;
  readonly x: string;
  readonly y: string;
  readonly jkt: string;
  /** Of its proofs, encoded. */
  readonly proofHeader: string;
}

export function createKey(): BenchKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  // RFC 7638: members in this order.
  const jkt = hash('sha256', JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }), 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  return { privateKey, x, y, jkt, proofHeader: encoded({ typ: 'dpop+jwt', alg: 'ES256', jwk }) };
}

export interface ProofClaims {
  readonly htm: string;
  readonly htu: string;
  readonly nonce: string;
  readonly accessToken?: string;
}

export function makeProof(key: BenchKey, { htm, htu, nonce, accessToken }: ProofClaims): string {
  const claims = {
    htm,
    htu,
    nonce,
    iat: Math.floor(Date.now() / 1000),
    jti: randomBytes(16).toString('base64url'),
    ...(accessToken === undefined ? {} : { ath: hash('sha256', accessToken, 'base64url') }),
  };
  return signJws(key.privateKey, key.proofHeader, encoded(claims));
}

/** Compact, of a header and a payload that are encoded already. */
export function signJws(privateKey: KeyObject, header: string, payload: string): string {
  const input = `${header}.${payload}`;
  const signature = sign('sha256', Buffer.from(input), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}

export function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
