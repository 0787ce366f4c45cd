/**
 * What waits for the customer, live, for an app in the foreground: server-sent events, and the way to hear of a step-up when no push service is
 * there. Ids and statuses only.
 */
import { Readable } from 'node:stream';
import { checkSessions } from '../../db/session-checks.ts';
import { readStepUpStandings } from '../../db/step-up-statuses.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import type { ApiServices } from '../dependencies.ts';
import { AppStreamQuery } from '../schemas/app-stream.ts';
import { createAppStreams } from '../streams/app-stream.ts';
import type { AppStreamSource } from '../streams/app-stream.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const AGAIN_SECONDS = 5;

export function registerAppStreamRoutes(app: LatchkeyApp, services: ApiServices): void {
  const { clock, logger } = services;
  const slugs = new Map<string, string>();
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  const streams = createAppStreams({
    source: sourceOf(services, slugs),
    clock,
    isClosing: () => isClosing,
    onError: (error) => {
      logger.warn({ err: error }, 'the streams of a tenant end: PostgreSQL was not there');
    },
  });
  app.get(
    '/auth/stream',
    {
      config: { operationId: 'appStream' },
      schema: {
        summary: 'Follow what waits for one’s decision',
        description:
          'Server-sent events: first `step_up` {stepUpId, status} for each step-up that has not ended, then again whenever its status changes, and `beat` every fifteen seconds, when the session has been judged anew. Ends with the access token that opened it, at a cut-off, and when the session listens elsewhere; whoever comes back hears the whole picture again.',
        tags: ['step-up'],
        querystring: AppStreamQuery,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { tenantId, slug } = request.tenant;
      slugs.set(tenantId, slug);
      const { customerId, sessionId, claims } = callerOf(request, 'customer');
      const expiresAtMs = claims.exp * 1000;
      const listening = streams.listen({ tenantId, customerId, sessionId, expiresAtMs });
      if (listening === undefined)
        throw new LatchkeyError('too_many_requests', { retryAfterSeconds: AGAIN_SECONDS });
      reply.raw.once('close', () => {
        listening.end();
      });
      // It stays for minutes: what counts requests under way must not count it.
      request.facts.leave?.();
      return await reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(listening.frames));
    },
  );
}

function sourceOf(
  { database, tenants }: ApiServices,
  slugs: ReadonlyMap<string, string>,
): AppStreamSource {
  return {
    standings: (tenantId, asked) => readStepUpStandings(database, tenantId, asked),
    ended: async (tenantId, sessionIds) => {
      const questions = sessionIds.map((sessionId) => ({ sessionId, proof: undefined }));
      const answers = await checkSessions(database, tenantId, questions);
      const { policy } = await tenants.bySlug(slugs.get(tenantId) ?? '');
      const dead = sessionIds.filter((_, place) => {
        const session = answers[place]?.session;
        return session === undefined || 'refused' in judgeSession(session, policy.session);
      });
      return new Set(dead);
    },
  };
}
