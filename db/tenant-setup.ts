/**
 * A tenant with its clients and its first policy, written by the owner as its document says; harmless to repeat. Who may call this is above
 * every rule of the tables: it is for deployments and the demo, and no route leads here.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { formatId } from '../domain/ids.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Policy } from '../domain/policy.ts';
import { applyActionType } from './action-types.ts';
import type { NamedActionType } from './action-types.ts';
import { callbackContext } from './callbacks.ts';
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
      /** Where it wants to hear how its step-ups stand. */
      readonly callback?: ClientCallback;
    };

export interface ClientCallback {
  readonly url: string;
  /** `whsec_…`, Standard Webhooks 1.0; every one signs. */
  readonly secrets: readonly string[];
  readonly allowsPrivateAddresses?: boolean;
}

/** As KeyManagement.wrap. */
export type Seal = (
  plain: Uint8Array,
  context: string,
) => Promise<{ readonly kekId: string; readonly sealed: Uint8Array }>;

export interface TenantDocument {
  readonly slug: string;
  readonly name: string;
  readonly rpId: string;
  readonly origins: readonly string[];
  readonly clients: readonly ClientDocument[];
  /** Beside the built-in ones. */
  readonly actionTypes?: readonly NamedActionType[];
}

/**
 * Makes the tenant or brings its addresses and clients up to date; policy version 1 is written once and kept. `seal` is needed where a client
 * has a callback, whose secrets never lie open. @throws TypeError without it
 */
export async function applyTenant(
  ownerUrl: string,
  document: TenantDocument,
  { policy = DEFAULT_POLICY, seal }: { readonly policy?: Policy; readonly seal?: Seal } = {},
): Promise<{ tenantId: string }> {
  const sql = postgres(ownerUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    let tenantId = '';
    await sql.begin(async (tx) => {
      tenantId = await upsertTenant(tx, document);
      for (const client of document.clients) {
        await upsertClient(tx, tenantId, client);
        await replaceCallback(tx, { tenantId, client, seal });
      }
      for (const type of document.actionTypes ?? []) await applyActionType(tx, tenantId, type);
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

async function replaceCallback(
  tx: postgres.TransactionSql,
  {
    tenantId,
    client,
    seal,
  }: {
    readonly tenantId: string;
    readonly client: ClientDocument;
    readonly seal: Seal | undefined;
  },
): Promise<void> {
  const { clientId } = client;
  const callback = client.kind === 'machine' ? client.callback : undefined;
  if (callback === undefined) {
    await tx`delete from client_callback where tenant_id = ${tenantId} and client_id = ${clientId}`;
    return;
  }
  if (seal === undefined) throw new TypeError('a callback needs the keys that seal its secrets');
  const plain = Buffer.from(JSON.stringify(callback.secrets), 'utf8');
  const { kekId, sealed } = await seal(plain, callbackContext(tenantId, clientId));
  await tx`
    insert into client_callback (tenant_id, client_id, url, allows_private_addresses, kek_id, sealed_secrets)
    values (${tenantId}, ${clientId}, ${callback.url}, ${callback.allowsPrivateAddresses ?? false}, ${kekId}, ${sealed})
    on conflict (tenant_id, client_id) do update set url = excluded.url, kek_id = excluded.kek_id,
      allows_private_addresses = excluded.allows_private_addresses, sealed_secrets = excluded.sealed_secrets`;
}
