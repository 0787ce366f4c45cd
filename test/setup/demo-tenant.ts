/** The demo tenant in a test database: the same seed as `npm start` makes, with the demo's published keys. */
import { bootstrapDemoTenant } from '../../db/bootstrap.ts';
import type { DemoTenantOptions } from '../../db/bootstrap.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { Policy } from '../../domain/policy.ts';
import { demoBankJwks, demoFraudJwks, demoPaymentsJwks } from '../../runtime/demo-secrets.ts';
import type { TestDatabase } from './database.ts';

/** The public URL that tests without a listening server use. */
export const TEST_PUBLIC_URL = 'http://localhost:4600';
/** What staff see; requests go to wherever the door of that test listens. */
export const TEST_OPERATIONS_URL = 'http://localhost:4603';

/** Every test's phone calls from one address: what is no test of a limit must not meet one. */
export const ROOMY_POLICY: Policy = {
  ...DEFAULT_POLICY,
  limits: {
    ...DEFAULT_POLICY.limits,
    startsOfSource: 1_000_000,
    stepsOfDevice: 1_000_000,
    loginsOfSource: 1_000_000,
    loginsOfDevice: 1_000_000,
    loginsOfCredential: 1_000_000,
    tokensOfSource: 1_000_000,
    staffLoginsOfSource: 1_000_000,
  },
};

/** Logins at once show their passkey's counter out of order, which is a high risk: for tests of such logins without Temporal, which asks for no code. */
export const ONE_FACTOR: Policy['login'] = { secondFactorFromRisk: 4 };

/** Answers the tenant's id; another slug makes another tenant. */
export async function seedDemoTenant(
  database: TestDatabase,
  options: Partial<Omit<DemoTenantOptions, 'ownerUrl'>> = {},
): Promise<string> {
  const { tenantId } = await bootstrapDemoTenant({
    ownerUrl: database.ownerUrl,
    publicUrl: TEST_PUBLIC_URL,
    fraudClientJwks: demoFraudJwks(),
    bankClientJwks: demoBankJwks(),
    paymentsClientJwks: demoPaymentsJwks(),
    policy: ROOMY_POLICY,
    ...options,
  });
  return tenantId;
}
