/** DPoP proofs as an app makes them (RFC 9449 section 4.2), each right in everything that a test does not spoil. */
import { createHash, randomBytes } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey } from 'jose';
import type { EcPublicJwk } from '../../api/types.ts';

export interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicJwk: EcPublicJwk;
  readonly jkt: string;
}

export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '' } = await exportJWK(publicKey);
  const publicJwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  return { privateKey, publicJwk, jkt: await calculateJwkThumbprint(publicJwk) };
}

export interface ProofParts {
  readonly key: KeyPair;
  readonly method: string;
  readonly htu: string;
  readonly nowMs: number;
  readonly nonce?: string | undefined;
  readonly accessToken?: string | undefined;
  /** Spoils the proof: members of header and payload, `undefined` takes one away. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signWith?: CryptoKey;
}

/** A DPoP proof, right in everything that `header` and `claims` do not spoil. */
export async function makeProof(parts: ProofParts): Promise<string> {
  const { key, accessToken, nonce } = parts;
  const payload = {
    htm: parts.method,
    htu: parts.htu,
    iat: Math.floor(parts.nowMs / 1000),
    jti: randomBytes(16).toString('base64url'),
    ...(nonce === undefined ? {} : { nonce }),
    ...(accessToken === undefined
      ? {}
      : { ath: createHash('sha256').update(accessToken).digest('base64url') }),
    ...parts.claims,
  };
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk, ...parts.header };
  return await new SignJWT(payload)
    .setProtectedHeader(header)
    .sign(parts.signWith ?? key.privateKey);
}
