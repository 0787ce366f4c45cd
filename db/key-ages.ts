/** How old the keys are that sign now, read for whoever watches: ages only. */
import type { RotatedPurpose } from '../domain/signing-keys.ts';
import type { Database } from './connection.ts';

export interface KeyAge {
  readonly purpose: RotatedPurpose;
  /** Since the key that signs now began to, of the tenant whose key is oldest. */
  readonly oldestSeconds: number;
}

/** A tenant that never signed has no key and no age. */
export async function readKeyAges(database: Database): Promise<readonly KeyAge[]> {
  const oldest = new Map<RotatedPurpose, number>();
  for (const { tenantId } of await database.tenants()) {
    const rows = await database.tenant(
      tenantId,
      async (tx) =>
        await tx<{ purpose: RotatedPurpose; ageSeconds: number }[]>`
          with t as materialized (select latchkey_now() as now)
          select purpose, min(extract(epoch from t.now - active_from))::float8 as age_seconds from signing_key, t
          where tenant_id = ${tenantId} and purpose <> 'receipt' and retired_at is null and active_from <= t.now group by purpose`,
    );
    for (const { purpose, ageSeconds } of rows)
      oldest.set(purpose, Math.max(oldest.get(purpose) ?? 0, ageSeconds));
  }
  return [...oldest].map(([purpose, oldestSeconds]) => ({ purpose, oldestSeconds }));
}
