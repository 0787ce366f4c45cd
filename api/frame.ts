/**
 * The hooks that surround every route, in order: limits, request id and nonce for all; tenant, origin, caller for what lies below a tenant.
 * A route without a row in the access matrix does not boot.
 */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../domain/errors.ts';
import { noFailPoint } from '../domain/fail-point.ts';
import { accessOf } from './access.ts';
import { credentialsOf } from './authentication.ts';
import { answerCrossOrigin } from './cross-origin.ts';
import { DEFAULT_LIMITS } from './dependencies.ts';
import type { ApiServices } from './dependencies.ts';
import { singleHeader } from './headers.ts';
import { requireIdempotencyKey } from './idempotency.ts';
import type { Caller, LatchkeyApp } from './types.ts';

const MAX_URL_LENGTH = 2_048;

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
export function surroundAll(
  app: LatchkeyApp,
  { nonces, limits = DEFAULT_LIMITS, failPoint = noFailPoint }: ApiServices,
): void {
  let inFlight = 0;
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async (request, reply) => {
    request.facts = { startedAt: performance.now() };
    reply.headers({ 'latchkey-request-id': request.id, 'dpop-nonce': nonces.current() });
    inFlight += 1;
    reply.raw.once('close', () => {
      inFlight -= 1;
    });
    if (isClosing) {
      reply.header('connection', 'close');
      throw new LatchkeyError('shutting_down', { retryAfterSeconds: 1 });
    }
    if (inFlight > limits.maxInFlight)
      throw new LatchkeyError('too_many_requests', { retryAfterSeconds: 1 });
    if (request.originalUrl.length > MAX_URL_LENGTH) throw new LatchkeyError('uri_too_long');
  });
  app.addHook('onSend', async (request, reply) => {
    const { operationId } = request.routeOptions.config;
    if (reply.statusCode < 300) failPoint(`api.before_answer.${operationId ?? 'none'}`);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  app.addHook('onResponse', async (request, reply) => {
    const { startedAt, tenant, caller, problemCode } = request.facts;
    // No address: it may carry ids, and strangers write it.
    request.log.info(
      {
        operationId: request.routeOptions.config.operationId,
        method: request.method,
        status: reply.statusCode,
        tenant: tenant?.slug,
        caller: caller?.kind,
        code: problemCode,
        durationMs: Math.round(performance.now() - startedAt),
      },
      'answered',
    );
  });
}

/** For the scope below `/t/:tenant`, before its routes. */
export async function surroundTenant(app: LatchkeyApp, services: ApiServices): Promise<void> {
  app.addHook('onRequest', async (request) => {
    // The scope's prefix has the parameter; the operation's own schema must not have to know of it.
    const parameters = request.params as { tenant?: string };
    const { tenant = '' } = parameters;
    delete parameters.tenant;
    request.facts.tenant = await services.tenants.bySlug(tenant);
  });
  await answerCrossOrigin(app);
  app.addHook('onRequest', async (request) => {
    request.facts.caller = await identify(request, services);
  });
  app.addHook('preValidation', async (request) => {
    if (request.caller.kind === 'vendor') requireSignature(request, services);
  });
  app.addHook('preHandler', async (request) => {
    requireIdempotencyKey(request);
  });
}

/** Every route of the process is a row of the matrix, or the boot fails. Listens: call it before any route is added. */
export function requireAccessRows(app: LatchkeyApp): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (accessOf(config?.operationId) === undefined && !isOfPlugin(String(method), url))
      throw new TypeError(`${String(method)} ${url} has no row in the access matrix`);
  });
}

/** Routes that plugins add by themselves: preflights, the reference's page and script (row `docs`), the stage's files (row `pages`). */
function isOfPlugin(method: string, url: string): boolean {
  if (method === 'OPTIONS') return ['/t/:tenant*', '/t/:tenant/*'].includes(url);
  return ['/docs', '/docs/', '/docs/js/scalar.js', '/*'].includes(url);
}

/** Over the bytes as they came: what a parser made of them is not what was signed. */
function requireSignature(request: FastifyRequest, { identitySignatures }: ApiServices): void {
  const header = singleHeader(request, 'latchkey-signature', 'signature_invalid');
  const { rawBody } = request.facts;
  if (rawBody === undefined || !identitySignatures.isSigned(header, rawBody))
    throw new LatchkeyError('signature_invalid');
}

/** The caller that the matrix asks for, or a refusal. */
async function identify(request: FastifyRequest, services: ApiServices): Promise<Caller> {
  const { operationId, proofSpentBy } = request.routeOptions.config;
  const row = accessOf(operationId);
  if (row === undefined) throw new LatchkeyError('not_found');
  if (row.caller === 'public' || row.caller === 'vendor' || row.caller === 'gateway')
    return { kind: row.caller };
  const { authorization, dpop } = credentialsOf(request);
  const call = {
    tenant: request.tenant,
    dpop,
    method: request.method,
    htu: htuOf(request, services),
  };
  if (row.caller === 'key' || row.caller === 'client') {
    // A token has no place here: whoever sends one takes this for another operation.
    if (authorization !== undefined) throw new LatchkeyError('caller_not_allowed');
    const proof = await services.authentication.proveKey({ ...call, nonce: 'required' });
    if (proofSpentBy !== 'handler') await services.authentication.spend(request.tenant, proof);
    request.facts.proof = proof;
    return { kind: row.caller, jkt: proof.jkt, jwk: proof.jwk };
  }
  const { proof, caller } = await services.authentication.authenticate({
    ...call,
    authorization,
    nonce: 'optional',
  });
  request.facts.proof = proof;
  if (caller.kind !== row.caller) throw new LatchkeyError('caller_not_allowed');
  if (row.scope !== undefined && !caller.scopes.includes(row.scope))
    throw new LatchkeyError('insufficient_scope', { extra: { scope: row.scope } });
  return caller;
}

/** RFC 9449 section 4.3: the address as the client knows it, never from Host, forwarding headers or a request target in absolute form. */
function htuOf(request: FastifyRequest, { configuration }: ApiServices): string {
  const path = request.originalUrl.split('?', 1)[0] ?? '';
  if (!path.startsWith('/')) throw new LatchkeyError('dpop_proof_invalid', { detail: 'htu' });
  return `${configuration.http.publicUrl}${path}`;
}
