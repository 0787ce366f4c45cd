/**
 * Which tenant a request is for: the path says it and nothing else. What a tenant looks like is remembered for 5 s, which is how long a
 * changed policy or origin needs to be seen everywhere; nothing that can be revoked is remembered here.
 */
import type { IncomingMessage } from 'node:http';
import { appOrigins } from '../db/app-origins.ts';
import { activePolicy } from '../db/policies.ts';
import { getTenant } from '../db/tenants.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { tenantUrl } from '../domain/tenant-url.ts';
import type { AppDependencies } from './dependencies.ts';
import { doorOf } from './frame/doors.ts';
import type { RequestTenant } from './types.ts';

const REMEMBERED_MS = 5_000;
const SLUG = /^[a-z][a-z0-9-]{0,62}$/;

export interface TenantDirectory {
  /** @throws LatchkeyError not_found */
  bySlug(slug: string): Promise<RequestTenant>;
}

export function createTenantDirectory(
  deps: Pick<AppDependencies, 'configuration' | 'database'>,
): TenantDirectory {
  const remembered = new Map<string, { readonly tenant: RequestTenant; readonly atMs: number }>();
  return {
    bySlug: async (slug) => {
      const found = remembered.get(slug);
      if (found !== undefined && performance.now() - found.atMs < REMEMBERED_MS)
        return found.tenant;
      const tenant = SLUG.test(slug) ? await readTenant(deps, slug) : undefined;
      if (tenant === undefined) {
        remembered.delete(slug);
        throw new LatchkeyError('not_found');
      }
      remembered.set(slug, { tenant, atMs: performance.now() });
      return tenant;
    },
  };
}

async function readTenant(
  { configuration, database }: Pick<AppDependencies, 'configuration' | 'database'>,
  slug: string,
): Promise<RequestTenant | undefined> {
  const entry = (await database.tenants()).find((tenant) => tenant.slug === slug);
  if (entry === undefined) return undefined;
  const { tenantId } = entry;
  return await database.tenant(tenantId, async (tx) => {
    const tenant = await getTenant(tx, tenantId);
    if (tenant === undefined) return undefined;
    const { version, document } = await activePolicy(tx, tenantId);
    return {
      ...tenant,
      issuer: tenantUrl(configuration.http, slug),
      appOrigins: await appOrigins(tx, tenantId),
      policyVersion: version,
      policy: document,
    };
  });
}

/** Paths that belong to the installation, not to a tenant. */
const INSTALLATION_PATHS = [
  '/t',
  '/.well-known/oauth-authorization-server/t',
  '/livez',
  '/readyz',
  '/openapi.json',
  '/docs',
  '/assets',
  '/freeze.html',
  '/recover.html',
];

/** Mounts one tenant's routes at `/`. The request keeps what was asked as `originalUrl`, which DPoP's htu is held against. */
export function mountAtRoot(slug: string, servesPages: boolean) {
  return (request: IncomingMessage): string => {
    const url = request.url ?? '/';
    // Staff name their tenant: what lies at the root of their door is its own.
    if (doorOf(request) === 'operations') return url;
    const path = url.split('?', 1)[0] ?? '/';
    const isInstallation = INSTALLATION_PATHS.some(
      (known) => path === known || path.startsWith(`${known}/`),
    );
    if (isInstallation || (servesPages && path === '/')) return url;
    return `/t/${slug}${url}`;
  };
}
