/**
 * The demo's tenant with its clients and first policy, for `npm start` and the tests; run as the owner, harmless to repeat. It must
 * never run in production: tenants there are made by an operator.
 */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { formatId } from '../domain/ids.ts';
import { DEFAULT_POLICY } from '../domain/policy.ts';
import type { Policy } from '../domain/policy.ts';
import type { ClientJwks } from './clients.ts';

export const DEMO_SLUG = 'demo';
export const DEMO_APP_CLIENT = 'demo-app';
export const DEMO_FRAUD_CLIENT = 'demo-fraud';
const DEMO_FRAUD_SCOPES = ['fraud:signal', 'fraud:release', 'timeline:read'];
/** What Capacitor's WebView calls itself on iOS and on Android. */
const CAPACITOR_ORIGINS = ['capacitor://localhost', 'https://localhost'];

export interface DemoTenantOptions {
  readonly ownerUrl: string;
  readonly publicUrl: string;
  /** Public keys of the demo's fraud engine. */
  readonly fraudClientJwks: ClientJwks;
  /** Tests make further tenants by other names. */
  readonly slug?: string;
  readonly name?: string;
  readonly rpId?: string;
  readonly policy?: Policy;
}

/** Makes the tenant or brings its addresses and keys up to date; policy version 1 is written once and kept. */
export async function bootstrapDemoTenant(
  options: DemoTenantOptions,
): Promise<{ tenantId: string }> {
  const sql = postgres(options.ownerUrl, {
    max: 1,
    connect_timeout: 10,
    onnotice: () => undefined,
  });
  try {
    let tenantId = '';
    await sql.begin(async (tx) => {
      tenantId = await upsertTenant(tx, options);
      await upsertClients(tx, tenantId, options);
      await tx`insert into policy (tenant_id, version, document, prepared_by, approved_by)
        values (${tenantId}, 1, ${tx.json({ ...(options.policy ?? DEFAULT_POLICY) })}, 'system:default', 'system:bootstrap')
        on conflict do nothing`;
    });
    return { tenantId };
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function upsertTenant(
  tx: postgres.TransactionSql,
  options: DemoTenantOptions,
): Promise<string> {
  const [now] = await tx<{ now: Date }[]>`select latchkey_now() as now`;
  const newTenantId = formatId('tenant', now?.now.getTime() ?? 0, randomBytes(10));
  const [row] = await tx<{ tenant_id: string }[]>`
    insert into tenant (tenant_id, slug, name, rp_id, origins)
    values (${newTenantId}, ${options.slug ?? DEMO_SLUG}, ${options.name ?? 'Demo Bank'}, ${options.rpId ?? 'localhost'},
      ${[options.publicUrl]})
    on conflict (slug) do update set name = excluded.name, rp_id = excluded.rp_id, origins = excluded.origins
    returning tenant_id`;
  if (row === undefined) throw new TypeError('an upsert answers its row');
  return row.tenant_id;
}

async function upsertClients(
  tx: postgres.TransactionSql,
  tenantId: string,
  options: DemoTenantOptions,
): Promise<void> {
  const { publicUrl, fraudClientJwks } = options;
  await tx`insert into client (tenant_id, client_id, kind, name, allowed_origins)
    values (${tenantId}, ${DEMO_APP_CLIENT}, 'app', 'Demo Bank app', ${[publicUrl, ...CAPACITOR_ORIGINS]})
    on conflict (tenant_id, client_id) do update set allowed_origins = excluded.allowed_origins`;
  // A round trip through text: the JWK members are JSON by construction, which their type cannot say.
  await tx`insert into client (tenant_id, client_id, kind, name, scopes, jwks)
    values (${tenantId}, ${DEMO_FRAUD_CLIENT}, 'machine', 'Demo Bank fraud engine', ${DEMO_FRAUD_SCOPES},
      ${JSON.stringify(fraudClientJwks)}::text::jsonb)
    on conflict (tenant_id, client_id) do update set scopes = excluded.scopes, jwks = excluded.jwks`;
}
