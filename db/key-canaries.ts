/**
 * Holds the configured keys against the canaries of every tenant. A key that data was sealed under and that is missing or changed is a fault;
 * a key that is new gets its canary, but only when there was no fault: a wrong list must leave no trace.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { KeyCanaryError } from '../domain/key-canary.ts';
import type { KeyCanary, KeyFault, KeyPurpose } from '../domain/key-canary.ts';
import type { Database, Tx } from './connection.ts';

const TRY_AGAIN_MS = 1_000;

interface StoredCanary {
  readonly purpose: KeyPurpose;
  readonly kid: string;
  readonly sealed: Uint8Array;
}

/** @throws KeyCanaryError what is wrong; LatchkeyError and whatever else keeps the database from telling. */
export async function checkKeys(
  database: Database,
  configured: readonly KeyCanary[],
): Promise<void> {
  const tenants = await database.tenants();
  // Of every tenant first: a list that is wrong for one must leave nothing with another, or the right list would be refused there.
  for (const { tenantId } of tenants)
    await database.tenant(tenantId, (tx) => requireRight(tx, tenantId, configured));
  for (const { tenantId } of tenants) {
    const canaries = await Promise.all(
      configured.map(async (one) => ({ ...one, sealed: await one.seal(tenantId) })),
    );
    await database.tenant(tenantId, async (tx) => {
      // One after the other: of two who start at once with other keys, the second sees the first and its own canaries go with the refusal.
      await tx`select pg_advisory_xact_lock(hashtextextended('latchkey key canaries', 0))`;
      await insertMissing(tx, tenantId, canaries);
      await requireRight(tx, tenantId, configured);
    });
  }
}

async function requireRight(
  tx: Tx,
  tenantId: string,
  configured: readonly KeyCanary[],
): Promise<void> {
  const faults = await findFaults(tx, tenantId, configured);
  if (faults.length > 0) throw new KeyCanaryError(faults);
}

export interface KeyCheckOptions {
  readonly signal: AbortSignal;
  /** Told each time that the database could not tell. */
  readonly onUnknown: (error: unknown) => void;
}

/**
 * Tries until the database has told.
 * @throws KeyCanaryError. Answers false when it was told to stop first.
 */
export async function checkKeysUntilKnown(
  database: Database,
  configured: readonly KeyCanary[],
  { signal, onUnknown }: KeyCheckOptions,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await checkKeys(database, configured);
      return true;
    } catch (error) {
      if (error instanceof KeyCanaryError) throw error;
      onUnknown(error);
      await pause(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

/** A key under which nothing is left; for every tenant. Answers whether there was such a canary. */
export async function retireKey(
  database: Database,
  { purpose, kid }: { readonly purpose: KeyPurpose; readonly kid: string },
): Promise<boolean> {
  let retired = 0;
  for (const { tenantId } of await database.tenants()) {
    retired += await database.tenant(tenantId, async (tx) => {
      const { count } = await tx`
        update key_canary set retired_at = latchkey_now()
        where tenant_id = ${tenantId} and purpose = ${purpose} and kid = ${kid} and retired_at is null`;
      return count;
    });
  }
  return retired > 0;
}

/** The keys that are demanded at every start, over all tenants. */
export async function demandedKeys(
  database: Database,
): Promise<readonly { readonly purpose: KeyPurpose; readonly kid: string }[]> {
  const found = new Map<string, { readonly purpose: KeyPurpose; readonly kid: string }>();
  for (const { tenantId } of await database.tenants()) {
    const rows = await database.tenant(tenantId, (tx) => storedCanaries(tx, tenantId));
    for (const { purpose, kid } of rows) found.set(`${purpose}/${kid}`, { purpose, kid });
  }
  return [...found.values()];
}

async function findFaults(
  tx: Tx,
  tenantId: string,
  configured: readonly KeyCanary[],
): Promise<readonly KeyFault[]> {
  const faults: KeyFault[] = [];
  for (const { purpose, kid, sealed } of await storedCanaries(tx, tenantId)) {
    const canary = configured.find((one) => one.purpose === purpose && one.kid === kid);
    if (canary === undefined) faults.push({ purpose, kid, wrong: 'missing' });
    else if (!(await canary.opens(tenantId, sealed)))
      faults.push({ purpose, kid, wrong: 'changed' });
  }
  return faults;
}

async function storedCanaries(tx: Tx, tenantId: string): Promise<readonly StoredCanary[]> {
  return await tx<StoredCanary[]>`
    select purpose, kid, sealed from key_canary
    where tenant_id = ${tenantId} and retired_at is null order by purpose, kid`;
}

async function insertMissing(
  tx: Tx,
  tenantId: string,
  canaries: readonly StoredCanary[],
): Promise<void> {
  for (const { purpose, kid, sealed } of canaries) {
    // A retired one that is configured again stays retired: its canary still stands.
    await tx`
      insert into key_canary (tenant_id, purpose, kid, sealed)
      values (${tenantId}, ${purpose}, ${kid}, ${sealed}) on conflict do nothing`;
  }
}
