/** Who was cut off, live, for services that check tokens by themselves (docs/services.md): server-sent events with a heartbeat. Ids and times only. */
import { Readable } from 'node:stream';
import { getClient } from '../../db/clients.ts';
import { feedPositionNow, FEED_POSITION, FEED_START, readCutOffs } from '../../db/cut-off-feed.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { ACCESS } from '../access.ts';
import type { AppDependencies } from '../dependencies.ts';
import { createFeedTap, cutOffFrames } from '../streams/cut-off-feed-stream.ts';
import type { FeedSource, FeedTap } from '../streams/cut-off-feed-stream.ts';
import { singleHeader } from '../frame/headers.ts';
import { CutOffFeedQuery } from '../schemas/cut-off-feed.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const { scope } = ACCESS.cutOffFeed;

export function registerCutOffFeedRoutes(
  app: LatchkeyApp,
  { database, clock }: Pick<AppDependencies, 'database' | 'clock'>,
): void {
  const taps = new Map<string, FeedTap>();
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  const sourceOf = (tenantId: string): FeedSource => ({
    read: (after, limit) =>
      database.tenant(tenantId, (tx) => readCutOffs(tx, { tenantId, after, limit })),
    positionNow: () => database.tenant(tenantId, feedPositionNow),
  });
  const mayRead = async (tenantId: string, clientId: string): Promise<boolean> => {
    const client = await database.tenant(tenantId, (tx) => getClient(tx, tenantId, clientId));
    return client?.status === 'active' && client.scopes.includes(scope);
  };
  app.get(
    '/feeds/cut-offs',
    {
      config: { operationId: 'cutOffFeed' },
      schema: {
        summary: 'Follow who is cut off',
        description:
          'Server-sent events: `cut-offs` with what a service must refuse from now on, and every two seconds `beat` with the time until which that is all. Ends with the access token that opened it: come back with `Last-Event-ID`, or without one after a pause.',
        tags: ['gateway'],
        querystring: CutOffFeedQuery,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { tenantId } = request.tenant;
      const { claims, clientId } = callerOf(request, 'machine');
      const after =
        singleHeader(request, 'last-event-id', 'invalid_request') ??
        request.query.after ??
        FEED_START;
      if (!FEED_POSITION.test(after))
        throw new LatchkeyError('invalid_request', { detail: 'Last-Event-ID' });
      const source = sourceOf(tenantId);
      const tap = taps.get(tenantId) ?? createFeedTap(source, () => isClosing);
      taps.set(tenantId, tap);
      const frames = cutOffFrames({
        source,
        tap,
        after,
        expiresAtMs: claims.exp * 1000,
        clock,
        mayRead: () => mayRead(tenantId, clientId),
      });
      return await reply
        .type('text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames));
    },
  );
}
