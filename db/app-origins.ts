/** Which origins a tenant's apps call from: what CORS lets in. */
import type { Tx } from './connection.ts';

/** Of active app clients, each once. */
export async function appOrigins(tx: Tx, tenantId: string): Promise<readonly string[]> {
  const rows = await tx<{ origin: string }[]>`
    select distinct unnest(allowed_origins) as origin from client
    where tenant_id = ${tenantId} and kind = 'app' and status = 'active' order by 1`;
  return rows.map(({ origin }) => origin);
}
