/** What the API is built from. api/server.ts makes it for a process, the tests for themselves; nothing here reads the environment. */
import type { PayloadCodec } from '@temporalio/common';
import type { FastifyBaseLogger } from 'fastify';
import type { Database } from '../db/connection.ts';
import type { PersonalData } from '../db/personal-data.ts';
import type { Clock } from '../domain/clock.ts';
import type { FailPoint } from '../domain/fail-point.ts';
import type { IdKind } from '../domain/ids.ts';
import type { Tracing } from '../domain/tracing.ts';
import type {
  KeyManagement,
  LastingSigner,
  OtpCodes,
  RiskEngine,
  SignatureVerifier,
} from '../domain/ports.ts';
import type { RoleMap } from '../domain/staff.ts';
import type { TemporalGateway } from '../temporal/client.ts';
import type { Authentication } from './callers/authentication.ts';
import type { DpopNonces } from './proofs/dpop-nonce.ts';
import type { ApiMetrics } from './frame/metrics.ts';
import type { GatewayConfiguration } from './callers/original-request.ts';
import type { Idempotency } from './idempotency.ts';
import type { Rotate } from './grants/rotations.ts';
import type { RequestLimits } from './limits/request-limits.ts';
import type { StaffAuthentication } from './staff/authentication.ts';
import type { TenantDirectory } from './tenancy.ts';
import type { AccessTokens } from './tokens/access-token.ts';
import type { IdTokens } from './tokens/id-token.ts';
import type { TokenKeys } from './tokens/signing-keys.ts';

/** The part of the process's configuration that the API asks. */
export interface ApiConfiguration {
  readonly mode: 'production' | 'development';
  readonly http: {
    /** An origin without a trailing slash. */
    readonly publicUrl: string;
    readonly tenantAtRoot?: string;
    readonly trustedProxies: readonly string[];
    readonly placeHeader?: string;
  };
  /** By the id that a gateway names itself with. */
  readonly gateways: Readonly<Record<string, GatewayConfiguration>>;
  /** The operations door, an origin without a trailing slash; without it staff have nowhere to go. */
  readonly operations?: { readonly url: string };
  /** Temporal's web UI behind that door; without it there is none. */
  readonly temporalUi?: {
    readonly upstream: string;
    /** The slug of the one tenant whose staff may look. */
    readonly tenant: string;
    readonly namespace: string;
  };
  /** Where the staff of each tenant log in, by its slug; who came from elsewhere is nobody. Left out, nobody can log in and sessions are not asked. */
  readonly staff?: Readonly<Record<string, StaffDirectory>>;
}

/** An OpenID provider that knows one tenant's staff, and what its claims mean. */
export interface StaffDirectory {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Members of the ID token. */
  readonly rolesClaim: string;
  readonly employeeClaim: string;
  readonly roles: RoleMap;
  /** Asked for, and one of them required, when given. */
  readonly acrValues?: readonly string[];
}

/** Bounds of the HTTP server that tests lower. */
export interface HttpLimits {
  /** Requests under way in this process; one more is answered 429. */
  readonly maxInFlight: number;
  readonly requestTimeoutMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = { maxInFlight: 512, requestTimeoutMs: 10_000 };

/** A part that must stand before /readyz is green; what throws is not ready. */
export interface ReadinessCheck {
  readonly name: string;
  /** What it means when it is not. */
  readonly detail: string;
  readonly isReady: () => Promise<boolean>;
}

export interface AppDependencies {
  readonly configuration: ApiConfiguration;
  readonly database: Database;
  readonly temporal: TemporalGateway;
  readonly kms: KeyManagement;
  readonly personalData: PersonalData;
  readonly otpCodes: OtpCodes;
  /** Of the identity vendor's webhooks. */
  readonly identitySignatures: SignatureVerifier;
  /** Of the liveness vendor's; left out, nobody's result is believed: there is none, or it is asked. */
  readonly livenessSignatures?: SignatureVerifier;
  /** Asked about logins; left out, none has an opinion. */
  readonly riskEngine?: RiskEngine;
  /** Of the records that staff take away; left out, none is given. */
  readonly receiptSigner?: LastingSigner;
  readonly clock: Clock;
  readonly newId: (kind: IdKind) => string;
  readonly logger: FastifyBaseLogger;
  readonly limits?: HttpLimits;
  /** Left out: nothing is counted. */
  readonly metrics?: ApiMetrics;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing;
  /** Where a test kills the process: before the answer of an operation that was carried out. */
  readonly failPoint?: FailPoint;
  /** Beyond database, migrations and Temporal. */
  readonly readiness?: readonly ReadinessCheck[];
  /** Opens what Temporal's UI shows; left out, nobody can. */
  readonly payloadCodec?: Pick<PayloadCodec, 'decode'>;
  /** The built pages of the operations door; left out, it has none. */
  readonly operationsPagesDirectory?: string;
  /** The built pages, served at `/` in development only. */
  readonly pagesDirectory?: string;
}

/** What routes are given: the dependencies and what the frame made of them. */
export interface ApiServices extends AppDependencies {
  readonly tenants: TenantDirectory;
  readonly nonces: DpopNonces;
  readonly authentication: Authentication;
  readonly rotate: Rotate;
  readonly tokenKeys: TokenKeys;
  readonly accessTokens: AccessTokens;
  readonly idTokens: IdTokens;
  readonly idempotency: Idempotency;
  readonly requestLimits: RequestLimits;
  readonly staffAuthentication: StaffAuthentication;
}
