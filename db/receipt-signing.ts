/**
 * The bank's signature under a receipt: a compact JWS over a short statement that names the receipt and the SHA-256 of its canonical form (a KMS
 * takes 4096 bytes, a receipt has more). The key is published before it signs. No transaction is open while the key management is asked.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { LastingKey, LastingSigner } from '../domain/ports.ts';
import type { Database } from './connection.ts';
import { admitReceiptKey } from './receipt-keys.ts';

export interface StatementToSign {
  readonly tenantId: string;
  readonly typ: string;
  readonly iss: string;
  /** The receipt's id. */
  readonly sub: string;
  /** Without a `signature`. */
  readonly claims: JsonValue;
}

export interface SignedStatement {
  readonly keyId: string;
  /** Compact: header {alg, jwk, kid, typ}, payload {iss, sha256, sub}, each in canonical form. */
  readonly signature: string;
}

/** @throws LatchkeyError vendor_unavailable */
export async function signStatement(
  {
    database,
    signer,
  }: { readonly database: Pick<Database, 'tenant'>; readonly signer: LastingSigner },
  { tenantId, ...statement }: StatementToSign,
): Promise<SignedStatement> {
  const [key] = await signer.publicKeys('receipt');
  await database.tenant(tenantId, (tx) => admitReceiptKey(tx, { tenantId, key }));
  return await signBy(signer, key, statement);
}

/** By that key, which is the signer's first. @throws LatchkeyError vendor_unavailable */
export async function signBy(
  signer: Pick<LastingSigner, 'sign'>,
  key: LastingKey,
  { typ, iss, sub, claims }: Omit<StatementToSign, 'tenantId'>,
): Promise<SignedStatement> {
  const sha256 = createHash('sha256').update(canonicalJson(claims)).digest('base64url');
  const header = { alg: 'ES256', jwk: { ...key.publicJwk }, kid: key.keyId, typ };
  const signed = `${encode(header)}.${encode({ iss, sha256, sub })}`;
  const { keyId, signature } = await signer.sign('receipt', Buffer.from(signed, 'ascii'));
  if (keyId !== key.keyId)
    throw new LatchkeyError('vendor_unavailable', { detail: 'the key changed in between' });
  return { keyId, signature: `${signed}.${Buffer.from(signature).toString('base64url')}` };
}

function encode(part: JsonValue): string {
  return Buffer.from(canonicalJson(part), 'utf8').toString('base64url');
}
