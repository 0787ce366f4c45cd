/**
 * Personal data at rest: each customer has a key of his own, sealed by the key management; values are sealed under it and bound to
 * tenant, customer and purpose. Destroying the key erases the person. Nothing here may log, or answer why a value did not open.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { LatchkeyError } from '../domain/errors.ts';
import type { KeyManagement } from '../domain/ports.ts';
import type { Tx } from './connection.ts';

export type IndexKind =
  | 'phone'
  | 'email'
  | 'document'
  | 'number_limit'
  | 'push_token'
  | 'step_up_reference';

export interface SealTarget {
  readonly tenantId: string;
  readonly customerId: string;
  /** What the value is, such as `contact.phone`: a value sealed for one purpose opens for no other. */
  readonly purpose: string;
}

export interface PersonalData {
  /** Makes the customer's key; exactly once, in the transaction that makes the customer. */
  createKey(tx: Tx, tenantId: string, customerId: string): Promise<void>;
  seal(tx: Tx, target: SealTarget, text: string): Promise<Uint8Array>;
  /** @throws LatchkeyError internal_error: another customer's or purpose's value, a changed one, or an erased key. */
  open(tx: Tx, target: SealTarget, sealed: Uint8Array): Promise<string>;
  /** Several of one purpose, for the price of one key. @throws as open does */
  openAll(tx: Tx, target: SealTarget, sealed: readonly Uint8Array[]): Promise<readonly string[]>;
  /** HMAC under a key outside the database: finds equal values, tells nothing else. `normalised` = E.164, lower-case address, … */
  blindIndex(tenantId: string, kind: IndexKind, normalised: string): Uint8Array;
  /** Destroys the key and, with it, every sealed value; the customer's blind indexes are deleted too. */
  eraseKey(tx: Tx, tenantId: string, customerId: string): Promise<void>;
}

const CIPHER = 'aes-256-gcm';
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

export function createPersonalData(kms: KeyManagement): PersonalData {
  /** Of each transaction, so that whoever opens and seals in one reads it once; forgotten with it. */
  const known = new WeakMap<Tx, Map<string, Promise<Uint8Array>>>();

  function customerKey(tx: Tx, tenantId: string, customerId: string): Promise<Uint8Array> {
    const keys = known.get(tx) ?? new Map<string, Promise<Uint8Array>>();
    known.set(tx, keys);
    const name = keyContext(tenantId, customerId);
    const key = keys.get(name) ?? readKey(tx, tenantId, customerId);
    keys.set(name, key);
    return key;
  }

  async function readKey(tx: Tx, tenantId: string, customerId: string): Promise<Uint8Array> {
    const [row] = await tx<{ kekId: string; sealedKey: Uint8Array | null }[]>`
      select kek_id, sealed_key from customer_key where tenant_id = ${tenantId} and customer_id = ${customerId}`;
    if (row === undefined || row.sealedKey === null) throw unreadable();
    return await kms.unwrap(row.kekId, row.sealedKey, keyContext(tenantId, customerId));
  }

  return {
    createKey: async (tx, tenantId, customerId) => {
      known.delete(tx);
      const { kekId, sealed } = await kms.wrap(randomBytes(32), keyContext(tenantId, customerId));
      await tx`insert into customer_key (tenant_id, customer_id, kek_id, sealed_key)
        values (${tenantId}, ${customerId}, ${kekId}, ${sealed})`;
    },
    seal: async (tx, target, text) =>
      sealText(await customerKey(tx, target.tenantId, target.customerId), target, text),
    open: async (tx, target, sealed) =>
      openText(await customerKey(tx, target.tenantId, target.customerId), target, sealed),
    openAll: async (tx, target, sealed) => {
      if (sealed.length === 0) return [];
      const key = await customerKey(tx, target.tenantId, target.customerId);
      return sealed.map((value) => openText(key, target, value));
    },
    blindIndex: (tenantId, kind, normalised) =>
      createHmac('sha256', kms.secret('blind-index').key)
        .update(bytesOf([tenantId, kind, normalised]))
        .digest(),
    eraseKey: async (tx, tenantId, customerId) => {
      known.delete(tx);
      await tx`update customer_key set sealed_key = null, destroyed_at = latchkey_now()
        where tenant_id = ${tenantId} and customer_id = ${customerId} and destroyed_at is null`;
      await tx`delete from contact where tenant_id = ${tenantId} and customer_id = ${customerId}`;
      await tx`delete from push_registration where tenant_id = ${tenantId} and customer_id = ${customerId}`;
    },
  };
}

// version ‖ nonce ‖ ciphertext ‖ tag
function sealText(key: Uint8Array, target: SealTarget, text: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(associatedData(target));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([Uint8Array.of(VERSION), nonce, body, cipher.getAuthTag()]);
}

function openText(key: Uint8Array, target: SealTarget, sealed: Uint8Array): string {
  if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw unreadable();
  const tagStart = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(1, HEADER_BYTES), {
    authTagLength: TAG_BYTES,
  })
    .setAAD(associatedData(target))
    .setAuthTag(sealed.subarray(tagStart));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(HEADER_BYTES, tagStart)),
      decipher.final(),
    ]).toString('utf8');
  } catch {
    throw unreadable();
  }
}

function associatedData({ tenantId, customerId, purpose }: SealTarget): Uint8Array {
  return bytesOf([tenantId, customerId, purpose]);
}

// A JSON array keeps the parts apart whatever they contain.
function bytesOf(parts: readonly string[]): Uint8Array {
  return Buffer.from(JSON.stringify(parts), 'utf8');
}

function keyContext(tenantId: string, customerId: string): string {
  return `customer-key/${tenantId}/${customerId}`;
}

function unreadable(): LatchkeyError {
  return new LatchkeyError('internal_error');
}
