/**
 * Builds the API: the frame, then every room's routes from the explicit list below. It listens to nothing and reads no environment; it must
 * never gain a route outside the access matrix.
 */
import Fastify, { LogController } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { createAuthentication } from './callers/authentication.ts';
import { useForms, useStrictJson } from './frame/body-parsers.ts';
import { createClientErrorHandler } from './frame/client-errors.ts';
import { DEFAULT_LIMITS } from './dependencies.ts';
import type { ApiServices, AppDependencies } from './dependencies.ts';
import {
  createOperationsDoor,
  endSilentConnections,
  hangRoutesAtDoors,
  ignoreUnknownExpectations,
  serverOptions,
} from './frame/doors.ts';
import { createProofVerifier } from './proofs/dpop.ts';
import { createDpopNonces } from './proofs/dpop-nonce.ts';
import {
  decorateRequests,
  requireAccessRows,
  surroundAll,
  surroundMetadata,
  surroundOperations,
  surroundTenant,
} from './frame/frame.ts';
import { createIdempotency } from './idempotency.ts';
import { createRequestLimits } from './limits/request-limits.ts';
import { traceRequests } from './frame/request-traces.ts';
import { answerUnknownRoutes } from './frame/not-found.ts';
import { describeApi } from './openapi.ts';
import { serveOperations } from './operations/pages.ts';
import { secureHeaders, servePages } from './frame/pages.ts';
import { sendProblem } from './problems.ts';
import { createRotations } from './grants/rotations.ts';
import { registerCodecRoutes } from './routes/codec.ts';
import { registerCustomerStepUpRoutes } from './routes/customer-step-ups.ts';
import { registerDeadLetterRoutes } from './routes/dead-letters.ts';
import { registerDiscoveryRoutes, registerMetadataRoute } from './routes/discovery.ts';
import {
  registerDeviceReportRoutes,
  registerStaffDeviceReportRoutes,
} from './routes/device-reports.ts';
import { registerFreezeRoutes } from './routes/freezes.ts';
import { registerOwnRecoveryRoutes } from './routes/own-recoveries.ts';
import { registerRecoveryRequestRoutes } from './routes/recovery-requests.ts';
import { registerRecoveryRoutes } from './routes/recoveries.ts';
import { registerFraudRoutes } from './routes/fraud.ts';
import { registerCutOffFeedRoutes } from './routes/cut-off-feed.ts';
import { registerEnrollmentRoutes } from './routes/enrollments.ts';
import { registerGatewayRoutes } from './routes/gateway.ts';
import { registerHealthRoutes } from './routes/health.ts';
import { registerIntrospectionRoutes } from './routes/introspection.ts';
import { registerLoginRoutes } from './routes/login.ts';
import { registerLoginStepUpRoutes } from './routes/login-step-ups.ts';
import { registerMeRoutes } from './routes/me.ts';
import { registerAppStreamRoutes } from './routes/app-stream.ts';
import { registerPushRoutes } from './routes/push.ts';
import { registerReceiptRoutes } from './routes/receipts.ts';
import { registerRevocationEndpoint } from './routes/revocation-endpoint.ts';
import { registerDeviceRoutes } from './routes/devices.ts';
import { registerLoginHistoryRoutes } from './routes/login-history.ts';
import { registerStaffDeviceRoutes } from './routes/staff-devices.ts';
import { registerRolesRoutes } from './routes/roles.ts';
import { registerSessionRoutes } from './routes/sessions.ts';
import { registerStepUpRoutes } from './routes/step-ups.ts';
import { registerStaffCallRoutes } from './routes/staff-calls.ts';
import { registerStaffCustomerRoutes } from './routes/staff-customers.ts';
import { registerStaffAuditRoutes } from './routes/staff-audit.ts';
import { registerStaffReadingRoutes } from './routes/staff-reading.ts';
import { registerStaffRecoveryRoutes } from './routes/staff-recoveries.ts';
import { registerStaffRecoveryRecordRoutes } from './routes/staff-recovery-record.ts';
import { registerStaffRecoveryWorkRoutes } from './routes/staff-recovery-work.ts';
import { registerStaffFreezeRoutes } from './routes/staff-freezes.ts';
import { registerStaffHoldRoutes } from './routes/staff-holds.ts';
import { registerStaffLoginRoutes } from './routes/staff-login.ts';
import { registerStaffSessionRoutes } from './routes/staff-session.ts';
import { registerTimelineRoutes } from './routes/timeline.ts';
import { registerTokenRoutes } from './routes/token.ts';
import { registerUserinfoRoutes } from './routes/userinfo.ts';
import { registerVendorRoutes } from './routes/vendors.ts';
import { createStaffAuthentication } from './staff/authentication.ts';
import { createTenantDirectory, mountAtRoot } from './tenancy.ts';
import { createAccessTokens } from './tokens/access-token.ts';
import { createIdTokens } from './tokens/id-token.ts';
import { createTokenKeys } from './tokens/signing-keys.ts';
import type { LatchkeyApp } from './types.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const MAX_REQUESTS_PER_SOCKET = 10_000;
const MAX_PARAMETER_LENGTH = 128;
const MAX_CONNECTIONS = 4_096;

/** Routes below a tenant. A room adds its line here. */
const TENANT_ROUTES: readonly ((app: LatchkeyApp, services: ApiServices) => void)[] = [
  registerDiscoveryRoutes,
  registerEnrollmentRoutes,
  registerCutOffFeedRoutes,
  registerVendorRoutes,
  registerFraudRoutes,
  registerGatewayRoutes,
  registerLoginRoutes,
  registerLoginStepUpRoutes,
  registerCustomerStepUpRoutes,
  registerStepUpRoutes,
  registerReceiptRoutes,
  registerMeRoutes,
  registerRolesRoutes,
  registerSessionRoutes,
  registerLoginHistoryRoutes,
  registerDeviceRoutes,
  registerDeviceReportRoutes,
  registerFreezeRoutes,
  registerRecoveryRequestRoutes,
  registerRecoveryRoutes,
  registerOwnRecoveryRoutes,
  registerTimelineRoutes,
  registerPushRoutes,
  registerAppStreamRoutes,
];

/** Routes below a tenant at the operations door. */
const OPERATIONS_ROUTES: readonly ((app: LatchkeyApp, services: ApiServices) => void)[] = [
  registerStaffLoginRoutes,
  registerStaffSessionRoutes,
  registerStaffHoldRoutes,
  registerStaffCustomerRoutes,
  registerStaffCallRoutes,
  registerStaffDeviceRoutes,
  registerStaffDeviceReportRoutes,
  registerStaffFreezeRoutes,
  registerStaffRecoveryRoutes,
  registerStaffRecoveryWorkRoutes,
  registerStaffRecoveryRecordRoutes,
  registerStaffReadingRoutes,
  registerStaffAuditRoutes,
  registerDeadLetterRoutes,
  registerCodecRoutes,
];

/** OAuth's endpoints below a tenant: forms in, RFC 6749 errors out. */
const OAUTH_ROUTES: readonly ((app: LatchkeyApp, services: ApiServices) => void)[] = [
  registerTokenRoutes,
  registerIntrospectionRoutes,
  registerRevocationEndpoint,
  registerUserinfoRoutes,
];

export async function buildApp(deps: AppDependencies): Promise<LatchkeyApp> {
  const services = createServices(deps);
  const app = createServer(deps);
  app.server.maxConnections = MAX_CONNECTIONS;
  endSilentConnections(app, app.server);
  ignoreUnknownExpectations(app.server);
  app.decorate('operationsDoor', createOperationsDoor(app, deps));
  decorateRequests(app);
  useStrictJson(app);
  app.setErrorHandler(sendProblem);
  requireAccessRows(app);
  hangRoutesAtDoors(app);
  await describeApi(app);
  await secureHeaders(app, services);
  answerUnknownRoutes(app);
  surroundAll(app, services);
  if (services.tracing !== undefined) traceRequests(app, services.tracing);
  registerHealthRoutes(app, services);
  await app.register(
    async (scope: LatchkeyApp) => {
      await surroundTenant(scope, services);
      for (const register of TENANT_ROUTES) register(scope, services);
      await scope.register(async (oauth: LatchkeyApp) => {
        useForms(oauth);
        for (const register of OAUTH_ROUTES) register(oauth, services);
      });
    },
    { prefix: '/t/:tenant' },
  );
  await app.register(
    async (scope: LatchkeyApp) => {
      await surroundOperations(scope, services);
      for (const register of OPERATIONS_ROUTES) register(scope, services);
    },
    { prefix: '/t/:tenant' },
  );
  await app.register(
    async (scope: LatchkeyApp) => {
      surroundMetadata(scope, services);
      registerMetadataRoute(scope);
    },
    { prefix: '/.well-known/oauth-authorization-server' },
  );
  await serveOperations(app, services);
  await servePages(app, services);
  return app;
}

function createServices(deps: AppDependencies): ApiServices {
  const nonces = createDpopNonces(deps.kms, deps.clock);
  const tokenKeys = createTokenKeys(deps);
  const accessTokens = createAccessTokens(tokenKeys, deps.clock);
  return {
    ...deps,
    tenants: createTenantDirectory(deps),
    nonces,
    tokenKeys,
    accessTokens,
    idTokens: createIdTokens(tokenKeys, deps.clock),
    authentication: createAuthentication(
      deps,
      createProofVerifier(nonces, deps.clock),
      accessTokens,
    ),
    rotate: createRotations(deps.database),
    idempotency: createIdempotency(deps),
    requestLimits: createRequestLimits(deps),
    staffAuthentication: createStaffAuthentication(deps),
  };
}

function createServer(deps: AppDependencies): LatchkeyApp {
  const { configuration, logger, newId, limits = DEFAULT_LIMITS } = deps;
  const { tenantAtRoot, trustedProxies } = configuration.http;
  const servesPages = deps.pagesDirectory !== undefined;
  return Fastify({
    loggerInstance: logger,
    // Our own line says more and leaves out the address.
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'requestId',
    }),
    genReqId: () => newId('request'),
    requestIdHeader: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    http: serverOptions(limits),
    routerOptions: {
      maxParamLength: MAX_PARAMETER_LENGTH,
      ignoreTrailingSlash: false,
      caseSensitive: true,
    },
    exposeHeadRoutes: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    // The frame answers it, as a problem.
    return503OnClosing: false,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    clientErrorHandler: createClientErrorHandler(deps),
    frameworkErrors: (error, request, reply) => {
      request.facts = { startedAt: performance.now() };
      reply.header('latchkey-request-id', request.id);
      sendProblem(error, request, reply);
    },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true,
      },
    },
    ...(tenantAtRoot === undefined ? {} : { rewriteUrl: mountAtRoot(tenantAtRoot, servesPages) }),
  }).withTypeProvider<TypeBoxTypeProvider>();
}
