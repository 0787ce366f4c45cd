/**
 * The OpenAPI 3.1 document, made from the routes themselves: what a route does not say, its row in the access matrix does: security, headers
 * and the refusals that its kind of caller meets. The committed docs/openapi.json is compared with it by a test.
 */
import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { RouteOptions } from 'fastify';
import type { ErrorCode } from '../domain/errors.ts';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import { accessOf, needsIdempotencyKey } from './access.ts';
import type { CallerKind } from './access.ts';
import { oauthError } from './oauth/oauth-errors.ts';
import type { LatchkeyApp } from './types.ts';

const ALWAYS: readonly ErrorCode[] = [
  'invalid_request',
  'uri_too_long',
  'headers_too_large',
  'request_timeout',
  'too_many_requests',
  'internal_error',
  'shutting_down',
];
const BELOW_A_TENANT: readonly ErrorCode[] = [
  'not_found',
  'method_not_allowed',
  'database_unavailable',
  'conflict',
];
const WITH_A_BODY: readonly ErrorCode[] = [
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
];
const WITH_AN_IDEMPOTENCY_KEY: readonly ErrorCode[] = [
  'idempotency_key_missing',
  'idempotency_key_reused',
  'idempotency_in_progress',
];
const WITH_A_PROOF: readonly ErrorCode[] = [
  'dpop_proof_missing',
  'dpop_proof_invalid',
  'dpop_nonce_required',
  'dpop_proof_replayed',
];
const WITH_A_TOKEN: readonly ErrorCode[] = [
  ...WITH_A_PROOF,
  'token_missing',
  'token_invalid',
  'token_expired',
  'dpop_key_mismatch',
  'caller_not_allowed',
];
const OF_CALLER: { readonly [Kind in CallerKind]: readonly ErrorCode[] } = {
  public: [],
  key: [...WITH_A_PROOF, 'caller_not_allowed'],
  client: [...WITH_A_PROOF, 'caller_not_allowed'],
  customer: [...WITH_A_TOKEN, 'session_ended', 'customer_on_hold', 'device_not_allowed'],
  machine: [...WITH_A_TOKEN, 'insufficient_scope'],
  service: [...WITH_A_TOKEN, 'insufficient_scope', 'invalid_client_assertion'],
  vendor: ['signature_invalid'],
  gateway: [],
  staff: ['staff_login_required', 'staff_role_missing'],
};
const SECURITY: { readonly [Kind in CallerKind]: readonly Readonly<Record<string, string[]>>[] } = {
  public: [],
  key: [{ dpop: [] }],
  client: [{ dpop: [] }],
  customer: [{ accessToken: [], dpop: [] }],
  machine: [{ accessToken: [], dpop: [] }],
  // In the form where there is no token.
  service: [{ accessToken: [], dpop: [] }, {}],
  vendor: [{ vendorSignature: [] }],
  gateway: [{ accessToken: [], dpop: [] }],
  staff: [{ staffSession: [] }],
};

/** Every code an operation may answer, each once, in the table's order. */
export function problemsOf(
  route: Pick<RouteOptions, 'config' | 'method' | 'url' | 'schema'>,
): ErrorCode[] {
  const row = accessOf(route.config?.operationId);
  const method = String(route.method);
  const codes = new Set<ErrorCode>([
    ...ALWAYS,
    ...(route.url.includes('/t/:tenant') ? BELOW_A_TENANT : []),
    ...(isOpenToPages(route) ? [] : (['origin_not_allowed'] as const)),
    ...(readsBodies(method) ? WITH_A_BODY : []),
    ...(needsIdempotencyKey(route.config?.operationId, method) ? WITH_AN_IDEMPOTENCY_KEY : []),
    ...(row === undefined ? [] : OF_CALLER[row.caller]),
    ...(row?.acr === undefined && row?.maxAgeSeconds === undefined
      ? []
      : (['insufficient_user_authentication'] as const)),
    ...(row?.caller === 'customer' && row.scope === 'profile:write' && row.whileFrozen !== true
      ? (['customer_frozen'] as const)
      : []),
    ...(row?.recentLogin === true ? (['reauthentication_required'] as const) : []),
    ...(route.config?.problems ?? []),
  ]);
  // Object.keys of the table answers its codes.
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => codes.has(code));
}

/** Fastify reads what was sent before it asks whether the route wants it: a DELETE with a form is 415 too. */
const readsBodies = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

/** What the public may read, any page may; what stands below no tenant asks nobody where he comes from. */
function isOpenToPages({ config, method, url }: Pick<RouteOptions, 'config' | 'method' | 'url'>) {
  const row = accessOf(config?.operationId);
  const isPublic = row?.caller === 'public' && row.door !== 'operations';
  const isOpen = String(method) === 'GET' || row?.fromAnyPage === true;
  return !url.includes('/t/:tenant') || (isPublic && isOpen);
}

/** Call it before any route is added. */
export async function describeApi(app: LatchkeyApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Latchkey',
        version: '1',
        description:
          "A bank's authentication ceremonies. Below `/t/{tenant}`; a tenant mounted at the root answers there as well. Refusals are RFC 9457 problems with a stable `code`, at `/oauth/token`, `/oauth/introspect` and `/oauth/revoke` RFC 6749's. Every answer carries `Latchkey-Request-Id` and, at the public door, a fresh `DPoP-Nonce`. Operations with `x-latchkey-door: operations` exist at the operations origin alone.",
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        schemas: { Problem: PROBLEM, OauthError: OAUTH_ERROR },
        securitySchemes: SECURITY_SCHEMES,
      },
    },
    transform: ({ schema, url, route }) => ({ schema: describeRoute(schema ?? {}, route), url }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) throw new TypeError('this is OpenAPI 3');
      return letBodiesBeLeftOut(document.openapiObject);
    },
  });
}

/** The plugin says of every body that it is required; one that may be null need not be sent. */
function letBodiesBeLeftOut<Described extends object>(document: Described): Described {
  // The shape is OpenAPI's.
  const { paths = {} } = document as {
    paths?: Record<string, Record<string, { requestBody?: RequestBody }>>;
  };
  for (const { requestBody } of Object.values(paths).flatMap(
    Object.values<{ requestBody?: RequestBody }>,
  ))
    if (
      requestBody !== undefined &&
      Object.values(requestBody.content).some(({ schema }) => mayBeNull(schema))
    )
      requestBody.required = false;
  return document;
}

interface RequestBody {
  required: boolean;
  readonly content: Record<string, { readonly schema: BodySchema }>;
}

interface BodySchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly BodySchema[];
}

function mayBeNull({ type, anyOf = [] }: BodySchema): boolean {
  return [type].flat().includes('null') || anyOf.some(mayBeNull);
}

function describeRoute(
  schema: NonNullable<RouteOptions['schema']>,
  route: RouteOptions,
): NonNullable<RouteOptions['schema']> {
  const row = accessOf(route.config?.operationId);
  if (row === undefined || route.config?.operationId === undefined)
    return { ...schema, hide: true };
  const params = tenantParameter(route.url, schema.params);
  const headers = idempotencyHeader(route);
  return {
    ...schema,
    operationId: route.config.operationId,
    ...(params === undefined ? {} : { params }),
    ...(headers === undefined ? {} : { headers }),
    ...(row.door === 'operations' ? { 'x-latchkey-door': 'operations' } : {}),
    security: [...SECURITY[row.caller]],
    response: { ...successes(schema), ...refusals(route) },
  };
}

/** Routes are hung below the tenant, whose part of the path their own schemas do not know. */
function tenantParameter(url: string, params: unknown): unknown {
  if (!url.includes('/t/:tenant')) return params;
  // A route's parameters are an object schema of TypeBox.
  const own = (params ?? {}) as { properties?: Record<string, unknown>; required?: string[] };
  return {
    type: 'object',
    properties: {
      tenant: { type: 'string', description: "The tenant's slug." },
      ...own.properties,
    },
    required: ['tenant', ...(own.required ?? [])],
  };
}

function idempotencyHeader(route: RouteOptions): unknown {
  if (!needsIdempotencyKey(route.config?.operationId, String(route.method))) return undefined;
  return {
    type: 'object',
    properties: {
      'idempotency-key': {
        type: 'string',
        pattern: '^[\\x21-\\x7e]{1,128}$',
        description: 'One for each thing to be done; the same for every retry of it.',
      },
    },
    required: ['idempotency-key'],
  };
}

function successes({
  response,
  produces,
}: NonNullable<RouteOptions['schema']>): Record<string, unknown> {
  // Fastify's response schemas are keyed by status, and each is an object.
  const schemas = (response ?? {}) as Record<string, Readonly<Record<string, unknown>>>;
  const described = Object.entries(schemas).map(([status, schema]) => [
    status,
    { description: STATUS_CODES[status] ?? status, ...schema },
  ]);
  const type = produces?.[0] ?? 'application/json';
  const otherwise = { 200: { description: 'OK', content: { [type]: { schema: {} } } } };
  const isSaid = Object.keys(schemas).some((status) => status.startsWith('2'));
  return { ...(isSaid ? {} : otherwise), ...Object.fromEntries(described) };
}

function refusals(route: RouteOptions): Record<string, unknown> {
  const isOauth = route.config?.errors === 'oauth';
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of problemsOf(route)) {
    const status = isOauth
      ? oauthError(new LatchkeyError(code), route.config?.operationId).status
      : ERRORS[code].status;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([left], [right]) => left - right)
      .map(([status, codes]) => [
        String(status),
        {
          description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('\n\n'),
          content: isOauth
            ? { 'application/json': { schema: { $ref: '#/components/schemas/OauthError' } } }
            : { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  );
}

const PROBLEM = {
  type: 'object' as const,
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string' as const, format: 'uri' },
    title: { type: 'string' as const },
    status: { type: 'integer' as const },
    code: { type: 'string' as const },
    requestId: { type: 'string' as const },
    detail: { type: 'string' as const },
    retryAfterSeconds: { type: 'integer' as const },
    errors: {
      type: 'array' as const,
      items: {
        type: 'object' as const,
        properties: { path: { type: 'string' as const }, message: { type: 'string' as const } },
      },
    },
  },
};

const OAUTH_ERROR = {
  type: 'object' as const,
  required: ['error', 'code'],
  properties: {
    error: { type: 'string' as const },
    error_description: { type: 'string' as const },
    code: { type: 'string' as const },
  },
};

const SECURITY_SCHEMES = {
  dpop: {
    type: 'apiKey',
    in: 'header',
    name: 'DPoP',
    description: 'A proof of possession, RFC 9449: ES256, with the nonce of the last answer.',
  },
  accessToken: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`DPoP <access token>`; the proof names the token in `ath`.',
  },
  staffSession: {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-latchkey-staff',
    description:
      'A staff session, at the operations door alone. What changes something also sends `Origin`, the operations origin.',
  },
  vendorSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Latchkey-Signature',
    description: '`t=<unix seconds>,v1=<hex HMAC-SHA-256(secret, t + "." + body)>`',
  },
} as const;
