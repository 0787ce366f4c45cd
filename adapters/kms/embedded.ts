/**
 * The embedded key management: key-encryption keys come from the configuration and stay in memory. The first of the list seals and
 * makes new secrets; every one opens. It must never hand out a key-encryption key itself, nor use one for two purposes.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { LatchkeyError } from '../../domain/errors.ts';
import type { KeyManagement, SecretLabel } from '../../domain/ports.ts';

export interface MasterKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * What these secrets made is found again by making it again, without a key id beside it: they come from the last key of the list, so
 * that a new first key changes nothing. Taking the last key away means indexing anew.
 */
const LASTING: ReadonlySet<SecretLabel> = new Set([
  'blind-index',
  'otp',
  'update-id',
  'idempotency',
  'freeze-link',
  'recovery-objection',
]);

/** @throws TypeError for an empty list or a key that is not 32 bytes. */
export function createEmbeddedKms(masterKeys: readonly MasterKey[]): KeyManagement {
  const current = masterKeys[0];
  const lasting = masterKeys.at(-1);
  if (current === undefined || lasting === undefined)
    throw new TypeError('at least one master key is needed');
  if (masterKeys.some(({ key }) => key.length !== 32))
    throw new TypeError('a master key is 32 bytes');
  const byId = new Map(masterKeys.map((masterKey) => [masterKey.kid, masterKey]));
  const derived = new Map<string, Uint8Array>();

  function derive({ kid, key }: MasterKey, label: string): Uint8Array {
    const name = `${kid}/${label}`;
    let secret = derived.get(name);
    if (secret === undefined) {
      secret = new Uint8Array(
        hkdfSync('sha256', key, new Uint8Array(0), `latchkey/1/${label}`, 32),
      );
      derived.set(name, secret);
    }
    return secret;
  }

  function keyOf(kekId: string): MasterKey {
    const found = byId.get(kekId);
    if (found === undefined) throw new LatchkeyError('internal_error');
    return found;
  }

  return {
    wrap: (plain, context) =>
      Promise.resolve({
        kekId: current.kid,
        sealed: wrapUnder(derive(current, 'wrap'), plain, context),
      }),
    unwrap: async (kekId, sealed, context) =>
      unwrapUnder(derive(keyOf(kekId), 'wrap'), sealed, context),
    secret: (label, kekId) => {
      const root = kekId === undefined ? (LASTING.has(label) ? lasting : current) : keyOf(kekId);
      return { kekId: root.kid, key: derive(root, `secret/${label}`) };
    },
  };
}

// nonce ‖ ciphertext ‖ tag
function wrapUnder(key: Uint8Array, plain: Uint8Array, context: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unwrapUnder(key: Uint8Array, sealed: Uint8Array, context: string): Uint8Array {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new LatchkeyError('internal_error');
  const tagStart = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(Buffer.from(context, 'utf8'))
    .setAuthTag(sealed.subarray(tagStart));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(NONCE_BYTES, tagStart)),
      decipher.final(),
    ]);
  } catch {
    throw new LatchkeyError('internal_error');
  }
}
