/**
 * A tenant with its clients and its first policy, written by the owner as its document says; harmless to repeat. Who may call this is above
 * every rule of the tables: it is for deployments and the demo, and no route leads here.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { formatId } from '../domain/ids.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Policy } from '../domain/policy.ts';
import type { ClientJwks } from './clients.ts';

export type ClientDocument =
  | {
      readonly kind: 'app';
      readonly clientId: string;
      readonly name: string;
      readonly allowedOrigins: readonly string[];
      readonly nativeAppIds?: readonly string[];
    }
  | {
      readonly kind: 'machine';
      readonly clientId: string;
      readonly name: string;
      readonly scopes: readonly string[];
      readonly roles?: readonly string[];
      readonly jwks: ClientJwks;
    };

export interface TenantDocument {
  readonly slug: string;
  readonly name: string;
  readonly rpId: string;
  readonly origins: readonly string[];
  readonly clients: readonly ClientDocument[];
}

/** Makes the tenant or brings its addresses and clients up to date; policy version 1 is written once and kept. */
export async function applyTenant(
  ownerUrl: string,
  document: TenantDocument,
  policy: Policy = DEFAULT_POLICY,
): Promise<{ tenantId: string }> {
  const sql = postgres(ownerUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    let tenantId = '';
    await sql.begin(async (tx) => {
      tenantId = await upsertTenant(tx, document);
      for (const client of document.clients) await upsertClient(tx, tenantId, client);
      await tx`insert into policy (tenant_id, version, document, prepared_by, approved_by)
        values (${tenantId}, 1, ${tx.json({ ...policy })}, 'system:default', 'system:bootstrap')
        on conflict do nothing`;
    });
    return { tenantId };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function upsertTenant(
  tx: postgres.TransactionSql,
  { slug, name, rpId, origins }: TenantDocument,
): Promise<string> {
  const [now] = await tx<{ now: Date }[]>`select latchkey_now() as now`;
  const newTenantId = formatId('tenant', now?.now.getTime() ?? 0, randomBytes(10));
  const [row] = await tx<{ tenant_id: string }[]>`
    insert into tenant (tenant_id, slug, name, rp_id, origins)
    values (${newTenantId}, ${slug}, ${name}, ${rpId}, ${[...origins]})
    on conflict (slug) do update set name = excluded.name, rp_id = excluded.rp_id, origins = excluded.origins
    returning tenant_id`;
  if (row === undefined) throw new TypeError('an upsert answers its row');
  return row.tenant_id;
}

async function upsertClient(
  tx: postgres.TransactionSql,
  tenantId: string,
  client: ClientDocument,
): Promise<void> {
  if (client.kind === 'app') {
    await tx`insert into client (tenant_id, client_id, kind, name, allowed_origins, native_app_ids)
      values (${tenantId}, ${client.clientId}, 'app', ${client.name}, ${[...client.allowedOrigins]},
        ${[...(client.nativeAppIds ?? [])]})
      on conflict (tenant_id, client_id) do update set kind = excluded.kind, name = excluded.name, jwks = null,
        allowed_origins = excluded.allowed_origins, native_app_ids = excluded.native_app_ids`;
    return;
  }
  // A round trip through text: the JWK members are JSON by construction, which their type cannot say.
  await tx`insert into client (tenant_id, client_id, kind, name, scopes, roles, jwks)
    values (${tenantId}, ${client.clientId}, 'machine', ${client.name}, ${[...client.scopes]}, ${[...(client.roles ?? [])]},
      ${JSON.stringify(client.jwks)}::text::jsonb)
    on conflict (tenant_id, client_id) do update set kind = excluded.kind, name = excluded.name,
      scopes = excluded.scopes, roles = excluded.roles, jwks = excluded.jwks`;
}
