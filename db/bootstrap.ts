/**
 * The demo's tenant with its clients and first policy, for `npm start` and the tests; run as the owner, harmless to repeat. It must
 * never run in production: tenants there are made by an operator (`latchkey tenant apply`).
 */
import type { Policy } from '../domain/policy.ts';
import type { ClientJwks } from './clients.ts';
import { applyTenant } from './tenant-setup.ts';

export const DEMO_SLUG = 'demo';
export const DEMO_APP_CLIENT = 'demo-app';
export const DEMO_FRAUD_CLIENT = 'demo-fraud';
export const DEMO_BANK_CLIENT = 'demo-bank';
export const DEMO_PAYMENTS_CLIENT = 'demo-payments';
const DEMO_FRAUD_SCOPES = ['fraud:signal', 'fraud:release', 'timeline:read'];
const DEMO_BANK_SCOPES = ['tokens:introspect', 'customers:roles', 'cut-offs:read'];
const DEMO_PAYMENTS_SCOPES = ['step-ups:payment', 'step-ups:add-payee', 'cut-offs:read'];
/** What Capacitor's WebView calls itself on iOS and on Android. */
const CAPACITOR_ORIGINS = ['capacitor://localhost', 'https://localhost'];

export interface DemoTenantOptions {
  readonly ownerUrl: string;
  readonly publicUrl: string;
  /** Public keys of the demo's fraud engine. */
  readonly fraudClientJwks: ClientJwks;
  /** Of the demo bank's services; without them they are no client. */
  readonly bankClientJwks?: ClientJwks;
  /** Of the demo bank's payments service; likewise. */
  readonly paymentsClientJwks?: ClientJwks;
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
  const { publicUrl, bankClientJwks, paymentsClientJwks } = options;
  return await applyTenant(
    options.ownerUrl,
    {
      slug: options.slug ?? DEMO_SLUG,
      name: options.name ?? 'Demo Bank',
      rpId: options.rpId ?? 'localhost',
      origins: [publicUrl],
      clients: [
        {
          kind: 'app',
          clientId: DEMO_APP_CLIENT,
          name: 'Demo Bank app',
          allowedOrigins: [publicUrl, ...CAPACITOR_ORIGINS],
        },
        {
          kind: 'machine',
          clientId: DEMO_FRAUD_CLIENT,
          name: 'Demo Bank fraud engine',
          scopes: DEMO_FRAUD_SCOPES,
          jwks: options.fraudClientJwks,
        },
        ...(bankClientJwks === undefined
          ? []
          : [
              {
                kind: 'machine' as const,
                clientId: DEMO_BANK_CLIENT,
                name: 'Demo Bank services',
                scopes: DEMO_BANK_SCOPES,
                jwks: bankClientJwks,
              },
            ]),
        ...(paymentsClientJwks === undefined
          ? []
          : [
              {
                kind: 'machine' as const,
                clientId: DEMO_PAYMENTS_CLIENT,
                name: 'Demo Bank payments',
                scopes: DEMO_PAYMENTS_SCOPES,
                jwks: paymentsClientJwks,
              },
            ]),
      ],
    },
    options.policy === undefined ? {} : { policy: options.policy },
  );
}
