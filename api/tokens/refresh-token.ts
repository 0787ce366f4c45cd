/**
 * Refresh tokens as bytes (SECURITY.md section 2): `lr1.family.generation.keyId.secret.mac`. Each secret follows from the one before it,
 * a key outside the database and the row's salt; the MAC covers the DPoP key's thumbprint, so that forgeries and other keys die
 * before the database. It must never log, compare in variable time, or accept a second spelling of a token.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyManagement } from '../../domain/ports.ts';
import { hmacKey } from '../proofs/hmac-key.ts';
import { sha256 } from '../proofs/sha256.ts';

export interface RefreshToken {
  /** The session's id. */
  readonly family: string;
  readonly generation: number;
  readonly keyId: string;
  readonly secret: Uint8Array;
}

/** What the MAC binds a token to besides itself. */
export interface TokenBinding {
  readonly tenantId: string;
  readonly jkt: string;
}

const FORM =
  /^lr1\.(ses_[0-9a-f]{32})\.(0|[1-9][0-9]{0,8})\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})$/;
const MAC_BYTES = 16;
const SUCCESSOR_LABEL = 'latchkey/refresh-token/1/successor\0';
const MAC_LABEL = 'latchkey/refresh-token/1/mac\0';
const REQUEST_LABEL = 'latchkey/refresh-request/1\0';

/** The first token of a family: derived as well, so that a lost login answer can be given again while nobody has used it. */
export function firstToken(
  kms: KeyManagement,
  args: {
    readonly family: string;
    readonly salt: Uint8Array;
    /** The current key when left out. */
    readonly keyId?: string;
  },
): RefreshToken {
  return derive(kms, { ...args, generation: 0, previous: new Uint8Array(0) });
}

/** The token after `shown`: the same bytes every time, for redelivery with the key that made them the first time. */
export function successor(
  kms: KeyManagement,
  shown: RefreshToken,
  args: { readonly salt: Uint8Array; readonly keyId?: string },
): RefreshToken {
  return derive(kms, {
    ...args,
    family: shown.family,
    generation: shown.generation + 1,
    previous: shown.secret,
  });
}

function derive(
  kms: KeyManagement,
  args: {
    readonly family: string;
    readonly generation: number;
    readonly previous: Uint8Array;
    readonly salt: Uint8Array;
    readonly keyId?: string;
  },
): RefreshToken {
  const { family, generation, previous, salt } = args;
  const { kekId, key } = kms.secret('refresh-token', args.keyId);
  const secret = createHmac('sha256', hmacKey(key))
    .update(SUCCESSOR_LABEL)
    // Family and generation hold no NUL; the previous secret is 0 or 32 bytes, the salt the rest.
    .update(`${family}\0${String(generation)}\0${String(previous.length)}\0`)
    .update(previous)
    .update(salt)
    .digest();
  return { family, generation, keyId: kekId, secret };
}

export function encodeRefreshToken(
  kms: KeyManagement,
  token: RefreshToken,
  binding: TokenBinding,
): string {
  const mac = macOf(kms.secret('refresh-token', token.keyId).key, token, binding);
  return [
    'lr1',
    token.family,
    String(token.generation),
    token.keyId,
    Buffer.from(token.secret).toString('base64url'),
    mac.toString('base64url'),
  ].join('.');
}

/** The family that a text claims to be of, before anything about it is believed. */
export function familyOf(text: string): string | undefined {
  return FORM.exec(text)?.[1];
}

/** `not_ours`: no token at all. `wrong_key`: its MAC does not hold for this key, because it is another's or forged; which, cannot be told. */
export type OpenedToken =
  | { readonly token: RefreshToken }
  | { readonly refused: 'not_ours' | 'wrong_key' };

export function openRefreshToken(
  kms: KeyManagement,
  text: string,
  binding: TokenBinding,
): OpenedToken {
  const [, family = '', generation = '', keyId = '', secretText = '', macText = ''] =
    FORM.exec(text) ?? [];
  const secret = canonicalBytes(secretText);
  const mac = canonicalBytes(macText);
  const key = keyId === '' ? undefined : keyOf(kms, keyId);
  if (secret === undefined || mac === undefined || key === undefined)
    return { refused: 'not_ours' };
  const token = { family, generation: Number(generation), keyId, secret };
  const isGenuine = mac.length === MAC_BYTES && timingSafeEqual(mac, macOf(key, token, binding));
  return isGenuine ? { token } : { refused: 'wrong_key' };
}

/** What is at rest of a token. */
export function tokenHash({ secret }: RefreshToken): Uint8Array {
  return sha256(secret);
}

/** What is at rest of a client's request id. */
export function requestHash(family: string, requestId: string): Uint8Array {
  return sha256(`${REQUEST_LABEL}${family}\0${requestId}`);
}

function macOf(key: Uint8Array, token: RefreshToken, { tenantId, jkt }: TokenBinding): Buffer {
  const head = [tenantId, jkt, token.family, token.generation, token.keyId];
  return createHmac('sha256', hmacKey(key))
    .update(MAC_LABEL)
    .update(JSON.stringify(head))
    .update('\0')
    .update(token.secret)
    .digest()
    .subarray(0, MAC_BYTES);
}

function keyOf(kms: KeyManagement, keyId: string): Uint8Array | undefined {
  try {
    return kms.secret('refresh-token', keyId).key;
  } catch {
    // A key that was never ours or is long gone.
    return undefined;
  }
}

/** undefined for any spelling but the one that encoding gives: the last character of base64url has spare bits. */
function canonicalBytes(text: string): Uint8Array | undefined {
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
