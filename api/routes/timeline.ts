/** The audit trail, live, for machine clients that may read it: server-sent events. Entries carry ids and codes, no personal data. */
import { Readable } from 'node:stream';
import { readTimeline } from '../../db/timeline.ts';
import type { AppDependencies } from '../dependencies.ts';
import { singleHeader } from '../headers.ts';
import { TimelineQuery } from '../schemas/timeline.ts';
import { timelineFrames } from '../timeline-stream.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

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
          'Server-sent events; ends with the access token that opened it: come back with `Last-Event-ID`.',
        tags: ['operations'],
        querystring: TimelineQuery,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { tenantId } = request.tenant;
      const { claims } = callerOf(request, 'machine');
      const { customerId, ceremonyId, after = '0' } = request.query;
      const lastEventId = singleHeader(request, 'last-event-id', 'invalid_request') ?? after;
      const frames = timelineFrames(
        {
          read: (from, limit) =>
            database.tenant(tenantId, (tx) =>
              readTimeline(tx, { tenantId, after: from, limit, customerId, ceremonyId }),
            ),
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
