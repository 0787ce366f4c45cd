/**
 * The hooks that surround every route, in order: limits, request id and, by the door, nonce or origin for all; tenant, origin, caller for what
 * lies below a tenant. A route without a row in the access matrix does not boot.
 */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import { noFailPoint } from '../../domain/fail-point.ts';
import { accessOf } from '../access.ts';
import { answerCrossOrigin } from './cross-origin.ts';
import { DEFAULT_LIMITS } from '../dependencies.ts';
import type { ApiServices } from '../dependencies.ts';
import { doorOf } from './doors.ts';
import { requireIdempotencyKey } from '../idempotency.ts';
import { identify, identifyByAssertion, requireSignature } from '../callers/identification.ts';
import { limitRequests } from '../limits/limit-requests.ts';
import { endsAccess } from '../limits/counted-operations.ts';
import { uncounted } from './metrics.ts';
import { createTurns } from './turns.ts';
import { requireJson, requireOwnPage, requireSameOrigin } from '../staff/same-origin.ts';
import type { LatchkeyApp } from '../types.ts';

const MAX_URL_LENGTH = 2_048;
/** Some identity providers send codes of well over a thousand characters to the callback. */
const MAX_OPERATIONS_URL_LENGTH = 8_192;

/** The members that slices read off a request; each throws when this kind of caller does not bring it. */
export function decorateRequests(app: LatchkeyApp): void {
  app.decorateRequest('facts');
  for (const name of ['tenant', 'proof', 'caller', 'rawBody'] as const) {
    app.decorateRequest(name, {
      getter(this: FastifyRequest) {
        const fact = this.facts[name];
        if (fact === undefined) throw new TypeError(`this operation has no ${name}`);
        // Each getter answers the fact of its own name; the loop hides that from the compiler.
        return fact as never;
      },
    });
  }
}

/** For every answer of the process, 404s included. */
export function surroundAll(app: LatchkeyApp, services: ApiServices): void {
  const { nonces, configuration, limits = DEFAULT_LIMITS } = services;
  const { failPoint = noFailPoint, metrics = uncounted } = services;
  // Apart: staff who wait for their identity provider take no customer's place.
  const inFlight = { public: 0, operations: 0 };
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    request.facts = { startedAt: performance.now() };
    const door = doorOf(request.raw);
    const atOperations = door === 'operations';
    reply.header('latchkey-request-id', request.id);
    if (!atOperations) reply.header('dpop-nonce', nonces.current());
    inFlight[door] += 1;
    metrics.began();
    let isUnderWay = true;
    const leave = () => {
      if (!isUnderWay) return;
      isUnderWay = false;
      inFlight[door] -= 1;
      metrics.ended();
    };
    request.facts.leave = leave;
    reply.raw.once('close', leave);
    if (isClosing) {
      reply.header('connection', 'close');
      throw new LatchkeyError('shutting_down', { retryAfterSeconds: 1 });
    }
    if (inFlight[door] > limits.maxInFlight)
      throw new LatchkeyError('too_many_requests', { retryAfterSeconds: 1 });
    const maxLength = atOperations ? MAX_OPERATIONS_URL_LENGTH : MAX_URL_LENGTH;
    if (request.originalUrl.length > maxLength) throw new LatchkeyError('uri_too_long');
    if (atOperations) requireSameOrigin(request, configuration.operations?.url);
  });
  app.addHook('onSend', async (request, reply) => {
    const { operationId } = request.routeOptions.config;
    if (reply.statusCode < 300) failPoint(`api.before_answer.${operationId ?? 'none'}`);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { startedAt, tenant, caller, problemCode: code } = request.facts;
    const { operationId } = request.routeOptions.config;
    const durationMs = performance.now() - startedAt;
    metrics.answered({
      operationId,
      status: reply.statusCode,
      code,
      caller: caller?.kind,
      seconds: durationMs / 1000,
    });
    // No address: it may carry ids, and strangers write it.
    request.log.info(
      {
        operationId,
        method: request.method,
        status: reply.statusCode,
        tenant: tenant?.slug,
        caller: caller?.kind,
        code,
        durationMs: Math.round(durationMs),
      },
      'answered',
    );
  });
}

/** For the scope below `/t/:tenant`, before its routes. */
export async function surroundTenant(app: LatchkeyApp, services: ApiServices): Promise<void> {
  findTenant(app, services);
  await answerCrossOrigin(app);
  const turn = createTurns();
  app.addHook('onRequest', async (request) => {
    const { operationId } = request.routeOptions.config;
    if (!endsAccess(operationId)) await turn();
    request.facts.caller = await identify(request, services);
  });
  app.addHook('preValidation', async (request) => {
    if (request.caller.kind === 'vendor') requireSignature(request, services);
    if (request.caller.kind === 'unproved')
      request.facts.caller = await identifyByAssertion(request, services);
  });
  app.addHook('preHandler', async (request) => {
    requireIdempotencyKey(request);
  });
  limitRequests(app, services);
}

/** For metadata that stands before the tenant's path: public reading alone, for pages of any origin. */
export function surroundMetadata(app: LatchkeyApp, services: ApiServices): void {
  findTenant(app, services);
  app.addHook('onRequest', async (request, reply) => {
    request.facts.caller = await identify(request, services);
    reply.header('access-control-allow-origin', '*');
  });
}

/** The same for the operations door: no other origin, JSON alone, and staff by their cookie. */
export async function surroundOperations(app: LatchkeyApp, services: ApiServices): Promise<void> {
  app.addHook('onRequest', async (request) => {
    requireJson(request);
    if (accessOf(request.routeOptions.config.operationId)?.caller === 'staff')
      requireOwnPage(request);
  });
  findTenant(app, services);
  app.addHook('onRequest', async (request) => {
    request.facts.caller = await identify(request, services);
  });
  app.addHook('preHandler', async (request) => {
    requireIdempotencyKey(request);
  });
  limitRequests(app, services);
}

function findTenant(app: LatchkeyApp, services: ApiServices): void {
  app.addHook('onRequest', async (request) => {
    // The scope's prefix has the parameter; the operation's own schema must not have to know of it.
    const parameters = request.params as { tenant?: string };
    const { tenant = '' } = parameters;
    delete parameters.tenant;
    request.facts.tenant = await services.tenants.bySlug(tenant);
  });
}

/** Every route of the process is a row of the matrix, or the boot fails. Listens: call it before any route is added. */
export function requireAccessRows(app: LatchkeyApp): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (accessOf(config?.operationId) === undefined && !isOfPlugin(String(method), url))
      throw new TypeError(`${String(method)} ${url} has no row in the access matrix`);
  });
}

/** Routes that plugins add by themselves: preflights, the stage's files (row `pages`). */
function isOfPlugin(method: string, url: string): boolean {
  if (method === 'OPTIONS') return ['/t/:tenant*', '/t/:tenant/*'].includes(url);
  return url === '/*';
}
