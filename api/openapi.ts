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
import { oauthError } from './oauth/oauth-errors.ts';
import { OAUTH_ERROR, PROBLEM, SECURITY, SECURITY_SCHEMES } from './openapi-components.ts';
import { problemsOf } from './operation-problems.ts';
import type { LatchkeyApp } from './types.ts';

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
