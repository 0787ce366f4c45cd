/**
 * The two keys of an installation: the session key, silent, which every token is bound to, and the approval key, which co-signs what
 * the customer approves. In a browser both are software keys and are labelled so. They must never be extractable or leave the device.
 */
import { calculateJwkThumbprint, CompactSign, SignJWT } from 'jose';
import type { Store } from './store.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const APPROVAL_PROOF_TYPE = 'latchkey-approval-key+jwt';
const APPROVAL_TYPE = 'latchkey-approval+jwt';

/** A public key as it is sent: the required members only (RFC 7638 section 3.2). */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

export interface DeviceKey {
  readonly privateKey: CryptoKey;
  readonly jwk: PublicJwk;
  /** RFC 7638 thumbprint. */
  readonly jkt: string;
  readonly level: 'software';
}

export type KeyUse = 'session-key' | 'approval-key';

/** Answers the installation's key, made at the first call. Two tabs that ask at once get the same one. */
export async function deviceKey(store: Store, use: KeyUse): Promise<DeviceKey> {
  const found = await store.get(use);
  if (isDeviceKey(found)) return found;
  const made = await generateKey();
  const kept = await store.keep(use, made);
  return isDeviceKey(kept) ? kept : made;
}

/** The approval key proves itself over the challenge of the registration and the session key it will stand beside. */
export async function proveApprovalKey(
  key: DeviceKey,
  proved: { readonly challenge: string; readonly sessionJkt: string },
): Promise<{ jwk: PublicJwk; proof: string }> {
  const proof = await new SignJWT({ ...proved })
    .setProtectedHeader({ alg: 'ES256', typ: APPROVAL_PROOF_TYPE })
    .sign(key.privateKey);
  return { jwk: key.jwk, proof };
}

/** The approval key's half of an approval: one action, by its challenge. */
export async function signApproval(
  { privateKey }: Pick<DeviceKey, 'privateKey'>,
  signed: { readonly challenge: string; readonly issuer: string; readonly stepUpId: string },
): Promise<string> {
  const { challenge, issuer, stepUpId } = signed;
  // Canonical (RFC 8785): the members in their order, and no string here that JSON writes in two ways.
  const payload = JSON.stringify({ challenge, iss: issuer, stepUpId });
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'ES256', typ: APPROVAL_TYPE })
    .sign(privateKey);
}

async function generateKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  if (x === undefined || y === undefined) throw new TypeError('the public key has no coordinates');
  const jwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  const jkt = await calculateJwkThumbprint({ ...jwk });
  return { privateKey: pair.privateKey, jwk, jkt, level: 'software' };
}

function isDeviceKey(value: unknown): value is DeviceKey {
  return typeof value === 'object' && value !== null && 'privateKey' in value && 'jkt' in value;
}
