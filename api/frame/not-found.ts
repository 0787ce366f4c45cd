/** 404 for what is not there, and 405 with Allow for what is there under another method (RFC 9110 section 15.5.6). */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Door } from '../access.ts';
import { doorOf, doorOfRoute } from './doors.ts';
import type { LatchkeyApp } from '../types.ts';

interface KnownRoute {
  readonly path: RegExp;
  readonly method: string;
  readonly door: Door | 'both';
}

/** Call it before any route is added: it listens to them all. */
export function answerUnknownRoutes(app: LatchkeyApp): void {
  const routes: KnownRoute[] = [];
  // No route takes it; the framework would speak of a missing content type before it knew that.
  app.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true });
  app.addHook('onRoute', (route) => {
    const { url, method } = route;
    if (url.includes('*')) return;
    const path = new RegExp(
      `^${url.replaceAll(/[.\\]/g, '\\$&').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`,
    );
    for (const each of [method].flat())
      routes.push({ path, method: each, door: doorOfRoute(route) });
  });
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const here = doorOf(request.raw);
    const allowed = routes
      .filter(({ door }) => door === here || door === 'both')
      .filter((route) => route.path.test(path))
      .map(({ method }) => method);
    if (allowed.length === 0 || allowed.includes(request.method))
      throw new LatchkeyError('not_found');
    reply.header('allow', [...new Set(allowed)].toSorted().join(', '));
    throw new LatchkeyError('method_not_allowed');
  });
}
