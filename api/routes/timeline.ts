/** The audit trail, live, for machine clients that may read it: server-sent events. Entries carry ids and codes, no personal data. */
import { Readable } from 'node:stream';
import { getClient } from '../../db/clients.ts';
import { readTimeline } from '../../db/timeline.ts';
import { ACCESS } from '../access.ts';
import type { AppDependencies } from '../dependencies.ts';
import { singleHeader } from '../frame/headers.ts';
import { TimelineQuery } from '../schemas/timeline.ts';
import { timelineFrames } from '../streams/timeline-stream.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const { scope } = ACCESS.timeline;

export function registerTimelineRoutes(
  app: LatchkeyApp,
  { database, clock }: Pick<AppDependencies, 'database' | 'clock'>,
): void {
  app.get(
    '/ops/timeline',
    {
      config: { operationId: 'timeline' },
      schema: {
        summary: 'Follow the audit trail',
        description:
          'Server-sent events; ends with the access token that opened it: come back with `Last-Event-ID`. Ends at once when the client may not read it any more.',
        tags: ['operations'],
        querystring: TimelineQuery,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { tenantId } = request.tenant;
      const { claims, clientId } = callerOf(request, 'machine');
      const { customerId, ceremonyId, after = '0' } = request.query;
      const lastEventId = singleHeader(request, 'last-event-id', 'invalid_request') ?? after;
      const frames = timelineFrames(
        {
          read: (from, limit) =>
            database.tenant(tenantId, async (tx) => {
              const client = await getClient(tx, tenantId, clientId);
              if (client?.status !== 'active' || !client.scopes.includes(scope)) return undefined;
              return await readTimeline(tx, {
                tenantId,
                after: from,
                limit,
                customerId,
                ceremonyId,
              });
            }),
        },
        {
          after: /^[0-9]{1,15}$/.test(lastEventId) ? Number(lastEventId) : 0,
          expiresAtMs: claims.exp * 1000,
          clock,
        },
      );
      return await reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames));
    },
  );
}
