/** Tenants: what each one is called and which origins and relying party its customers meet. */
import type { Database, Tx } from './connection.ts';

export interface Tenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly rpId: string;
  readonly origins: readonly string[];
}

/** Inside a transaction bound to that tenant. */
export async function getTenant(tx: Tx, tenantId: string): Promise<Tenant | undefined> {
  const [tenant] = await tx<Tenant[]>`
    select tenant_id, slug, name, rp_id, origins from tenant where tenant_id = ${tenantId}`;
  return tenant;
}

/** By the name in its addresses; a transaction of its own. */
export async function getTenantBySlug(
  database: Database,
  slug: string,
): Promise<Tenant | undefined> {
  const entry = (await database.tenants()).find((tenant) => tenant.slug === slug);
  if (entry === undefined) return undefined;
  return await database.tenant(entry.tenantId, (tx) => getTenant(tx, entry.tenantId));
}
