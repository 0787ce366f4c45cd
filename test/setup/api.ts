/**
 * An API over a database of its own, built as api/server.ts builds it but for its clock and its Temporal, which is down unless one is given.
 * Requests go through `inject`, at the operations door through its socket; who sends them is in callers.ts and staff.ts.
 */
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../adapters/kms/otp-codes.ts';
import { newId } from '../../adapters/random.ts';
import { createSignatureVerifier } from '../../adapters/signed-http.ts';
import { buildApp } from '../../api/app.ts';
import type { ApiConfiguration, AppDependencies, HttpLimits } from '../../api/dependencies.ts';
import { openOperationsDoor } from '../../api/frame/doors.ts';
import { createTenantDirectory } from '../../api/tenancy.ts';
import { createAccessTokens } from '../../api/tokens/access-token.ts';
import type { AccessTokens } from '../../api/tokens/access-token.ts';
import { createTokenKeys } from '../../api/tokens/signing-keys.ts';
import type { LatchkeyApp, RequestTenant } from '../../api/types.ts';
import { connectDatabase } from '../../db/connection.ts';
import type { Database, Tx } from '../../db/connection.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { DEMO_IDENTITY_SECRET, DEMO_LIVENESS_SECRET } from '../../runtime/demo-secrets.ts';
import type { TemporalGateway } from '../../temporal/client.ts';
import { createTestDatabase } from './database.ts';
import type { TestDatabase } from './database.ts';
import { seedDemoTenant, TEST_OPERATIONS_URL, TEST_PUBLIC_URL } from './demo-tenant.ts';

const SLUG = 'demo';

export interface TestClock extends Clock {
  /** Moves this API and its transactions; PostgreSQL follows through test-clock.sql. */
  advance(milliseconds: number): void;
}

export interface TestApi {
  readonly app: LatchkeyApp;
  readonly deps: AppDependencies;
  readonly testDatabase: TestDatabase;
  readonly database: Database;
  readonly clock: TestClock;
  readonly publicUrl: string;
  /** The door that staff come in at: the origin they see, and where it really listens. */
  readonly operations: { readonly url: string; readonly port: number };
  readonly slug: string;
  readonly tenantId: string;
  /** `/t/<slug>`: what comes before every path of a caller. */
  readonly prefix: string;
  readonly accessTokens: AccessTokens;
  /** As the frame sees it now. */
  tenant(slug?: string): Promise<RequestTenant>;
  /** A further tenant with the same clients; answers its id. */
  addTenant(slug: string): Promise<string>;
  inTenant<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** Default: a Temporal that is down. */
  readonly temporal?: TemporalGateway;
  readonly policy?: Policy;
  /** For tests that listen, an origin without a trailing slash; others send what they like to this one. */
  readonly publicUrl?: string;
  readonly limits?: HttpLimits;
  /** Default: the machine's, moved by what it was advanced. */
  readonly clock?: TestClock;
  readonly tenantAtRoot?: string;
  readonly configuration?: Partial<ApiConfiguration>;
  /** The application's URL for the API alone, to put something between it and PostgreSQL. */
  readonly databaseUrl?: (url: string) => string;
  readonly dependencies?: Partial<AppDependencies>;
}

/** Call it in `beforeAll`, and `close()` in `afterAll`. */
export async function startTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const testDatabase = await createTestDatabase();
  const { policy, publicUrl = TEST_PUBLIC_URL } = options;
  const seedOptions = { publicUrl, ...(policy === undefined ? {} : { policy }) };
  const tenantId = await seedDemoTenant(testDatabase, seedOptions);
  const clock = options.clock ?? createTestClock();
  const url = options.databaseUrl?.(testDatabase.applicationUrl) ?? testDatabase.applicationUrl;
  const database = connectDatabase({ url, maxConnections: 6, testNowMs: () => clock.nowMs() });
  const kms = createEmbeddedKms([{ kid: 'test-1', key: randomBytes(32) }]);
  const { tenantAtRoot } = options;
  const deps: AppDependencies = {
    configuration: {
      mode: 'development',
      http: {
        publicUrl,
        trustedProxies: [],
        ...(tenantAtRoot === undefined ? {} : { tenantAtRoot }),
      },
      gateways: {},
      operations: { url: TEST_OPERATIONS_URL },
      ...options.configuration,
    },
    database,
    temporal: options.temporal ?? absentTemporal(),
    kms,
    personalData: createPersonalData(kms),
    otpCodes: createOtpCodes(kms),
    identitySignatures: createSignatureVerifier({ secret: DEMO_IDENTITY_SECRET, clock }),
    livenessSignatures: createSignatureVerifier({ secret: DEMO_LIVENESS_SECRET, clock }),
    clock,
    newId,
    logger: pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...options.dependencies,
  };
  const app = await buildApp(deps);
  await app.ready();
  const operationsPort = await openOperationsDoor(app, { host: '127.0.0.1', port: 0 });
  return {
    app,
    deps,
    testDatabase,
    database,
    clock,
    publicUrl,
    operations: { url: TEST_OPERATIONS_URL, port: operationsPort },
    slug: SLUG,
    tenantId,
    prefix: `/t/${SLUG}`,
    accessTokens: createAccessTokens(createTokenKeys(deps), clock),
    tenant: (slug = SLUG) => createTenantDirectory(deps).bySlug(slug),
    addTenant: (slug) => seedDemoTenant(testDatabase, { ...seedOptions, slug, name: slug }),
    inTenant: (work) => database.tenant(tenantId, work),
    close: async () => {
      await app.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

function createTestClock(): TestClock {
  let aheadMs = 0;
  return {
    nowMs: () => Date.now() + aheadMs,
    advance: (milliseconds) => {
      aheadMs += milliseconds;
    },
  };
}

/** A Temporal that is down: every call is refused at once. */
export function absentTemporal(): TemporalGateway {
  const refuse = () => Promise.reject(new LatchkeyError('temporal_unavailable'));
  return {
    start: refuse,
    update: refuse,
    signal: refuse,
    signalWithStart: refuse,
    describe: refuse,
    healthy: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
}
