/**
 * The public halves of the keys that sign receipts, kept for ever with the time in which they count. A key is written down before it signs and is
 * ended, once and for good, a day after another began. It never deletes one.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { LastingKey } from '../domain/ports.ts';
import type { Database, Tx } from './connection.ts';

/** So long after its successor began, a key's signatures count: a worker that was started with the old list may still be at work. */
const OVERLAP_HOURS = 24;

/**
 * A new key counts from so long before it was written down: what it signs first was read, and a cut-off listed empty, before anybody asked for a key.
 * It could sign nothing then, so that this opens nothing.
 */
const LEAD_HOURS = 1;

export interface ReceiptKey extends LastingKey {
  readonly validFrom: Date;
  readonly validUntil: Date | null;
}

/** Newest first. */
export async function receiptKeys(tx: Tx, tenantId: string): Promise<readonly ReceiptKey[]> {
  return await tx<ReceiptKey[]>`
    select key_id, public_jwk, valid_from, valid_until from receipt_key
    where tenant_id = ${tenantId} order by valid_from desc, key_id`;
}

/**
 * That `key` may sign now: a new one is written down, and the others end a day from now.
 * @throws LatchkeyError vendor_unavailable: the key was ended. Who configures the signer must give another.
 */
export async function admitReceiptKey(
  tx: Tx,
  { tenantId, key }: { readonly tenantId: string; readonly key: LastingKey },
): Promise<void> {
  const { keyId, publicJwk } = key;
  const made = await tx`
    insert into receipt_key (tenant_id, key_id, public_jwk, valid_from)
    values (${tenantId}, ${keyId}, ${tx.json({ ...publicJwk })},
      latchkey_now() - make_interval(hours => ${LEAD_HOURS}))
    on conflict do nothing returning key_id`;
  if (made.length > 0) {
    await tx`
      update receipt_key set valid_until = latchkey_now() + make_interval(hours => ${OVERLAP_HOURS})
      where tenant_id = ${tenantId} and key_id <> ${keyId} and valid_until is null`;
    return;
  }
  const [row] = await tx<{ isEnded: boolean }[]>`
    select coalesce(valid_until <= latchkey_now(), false) as is_ended from receipt_key
    where tenant_id = ${tenantId} and key_id = ${keyId}`;
  if (row?.isEnded !== false)
    throw new LatchkeyError('vendor_unavailable', { detail: `the receipt key ${keyId} was ended` });
}

export interface TenantReceiptKey extends ReceiptKey {
  readonly slug: string;
}

/** Of every tenant, for people. */
export async function listReceiptKeys(
  database: Pick<Database, 'tenants' | 'tenant'>,
): Promise<readonly TenantReceiptKey[]> {
  const listed: TenantReceiptKey[] = [];
  for (const { tenantId, slug } of await database.tenants()) {
    const keys = await database.tenant(tenantId, (tx) => receiptKeys(tx, tenantId));
    listed.push(...keys.map((key) => ({ ...key, slug })));
  }
  return listed;
}
