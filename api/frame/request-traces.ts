/**
 * One span a request, named after its operation, with status and code. A trace that a caller brings along is not followed: strangers must not
 * choose ids in ours, nor which of their requests are kept.
 */
import type { FastifyRequest } from 'fastify';
import { ERRORS, isErrorCode } from '../../domain/errors.ts';
import type { OpenSpan, Tracing } from '../../domain/tracing.ts';
import type { LatchkeyApp } from '../types.ts';

/** Asked every few seconds by whoever runs us. */
const UNTRACED: ReadonlySet<string> = new Set(['livez', 'readyz']);

export function traceRequests(app: LatchkeyApp, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  const within = (request: FastifyRequest, done: () => void): void => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.within(done);
  };
  app.addHook('onRequest', (request, _reply, done) => {
    const { operationId } = request.routeOptions.config;
    const operation = operationId ?? 'unknown';
    if (UNTRACED.has(operation)) {
      done();
      return;
    }
    spans.set(
      request,
      tracing.begin({ name: operation, kind: 'server', attributes: { operation } }),
    );
    within(request, done);
  });
  // A body arrives in events of its socket, which know nothing of the request they belong to.
  app.addHook('preValidation', (request, _reply, done) => {
    within(request, done);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { problemCode: code } = request.facts;
    const isFault = code !== undefined && isErrorCode(code) && ERRORS[code].status >= 500;
    spans.get(request)?.end({
      attributes: { status: reply.statusCode, ...(code === undefined ? {} : { code }) },
      ...(isFault ? { failedWith: code } : {}),
    });
    done();
  });
}
