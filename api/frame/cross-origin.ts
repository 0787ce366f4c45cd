/**
 * Which web pages may call: exactly the origins of the tenant's app clients, Capacitor's WebView among them. A request that names another
 * origin is refused before anything else is looked at; what the public may read, any page may.
 */
import cors from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import { accessOf } from '../access.ts';
import type { LatchkeyApp } from '../types.ts';

const PREFLIGHT_KEPT_SECONDS = 600;
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'dpop',
  'idempotency-key',
  'latchkey-app-id',
  'last-event-id',
];
const ANSWER_HEADERS = [
  'dpop-nonce',
  'latchkey-request-id',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'www-authenticate',
];

/** For the tenant's scope, after the hook that finds the tenant. */
export async function answerCrossOrigin(app: LatchkeyApp): Promise<void> {
  await app.register(cors, {
    hideOptionsRoute: true,
    delegator: (request, done) => {
      const isOpen = isPublicReading(request);
      const origin = request.headers.origin;
      done(null, {
        origin: isOpen ? '*' : origin !== undefined && isAllowed(request, origin) ? origin : false,
        methods: ['GET', 'POST', 'PUT', 'DELETE'],
        allowedHeaders: REQUEST_HEADERS,
        exposedHeaders: ANSWER_HEADERS,
        maxAge: PREFLIGHT_KEPT_SECONDS,
        strictPreflight: false,
      });
    },
  });
  // The plugin's own route for preflights has no slash after the prefix and so matches none of the paths below it.
  app.options('/*', { schema: { hide: true } }, () => {
    throw new LatchkeyError('not_found');
  });
  app.addHook('onRequest', async (request) => {
    const { origin } = request.headers;
    if (origin === undefined || isPublicReading(request) || isAllowed(request, origin)) return;
    throw new LatchkeyError('origin_not_allowed');
  });
}

function isAllowed(request: FastifyRequest, origin: string): boolean {
  return request.tenant.appOrigins.includes(origin);
}

function isPublicReading(request: FastifyRequest): boolean {
  const row = accessOf(request.routeOptions.config.operationId);
  return row?.caller === 'public' && (request.method === 'GET' || row.fromAnyPage === true);
}
