/** A customer's own sessions: what is open, and how to end it. Ending is one transaction that every grant in flight waits for. */
import { touchCustomer } from '../../db/customer-lock.ts';
import { openPlaces } from '../../db/login-history.ts';
import { endOwnSession, endSessions, readOwnEnd } from '../../db/session-ends.ts';
import type { EndedSession, SessionsToEnd } from '../../db/session-ends.ts';
import { sessionPlaces, sessionsOfCustomer } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import { requireFreeHand } from '../callers/free-hand.ts';
import type { ApiServices } from '../dependencies.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  EndedOwnSession,
  LogoutAnswer,
  LogoutBody,
  OwnSessionParams,
  SessionsAnswer,
} from '../schemas/sessions.ts';
import type { LogoutScope, SessionView } from '../schemas/sessions.ts';
import { isoTime } from '../iso-time.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp, RequestTenant } from '../types.ts';

const MAX_SESSIONS = 100;
const tags = ['session'];

export function registerSessionRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerLogout(app, services);
  registerEnd(app, services);
  registerList(app, services);
}

function registerLogout(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const config = { operationId: 'logout' } as const;
  const schema = {
    summary: 'Log out',
    description: 'Ends this session, the customer’s others, or all of them, at once.',
    tags,
    body: LogoutBody,
    response: { 200: LogoutAnswer },
  };
  app.post('/auth/logout', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId, sessionId } = caller;
    const { scope } = request.body;
    return idempotency.run(request, {
      work: async (claim) => {
        const ended = await database.tenant(tenantId, async (tx) => {
          await touchCustomer(tx, tenantId, customerId);
          if (scope !== 'this') await requireFreeHand(tx, tenant, caller);
          const ids = await endSessions(tx, {
            tenantId,
            customerId,
            sessions: sessionsMeant(scope, sessionId),
            reason: scope === 'this' ? 'logged_out' : 'ended_by_customer',
            actor: { kind: 'customer', id: customerId },
          });
          await claim.settle(tx, String(ids.length));
          return ids.length;
        });
        return { reference: String(ended), answer: { ended } };
      },
      replay: (reference) => Promise.resolve({ ended: Number(reference) }),
    });
  });
}

function sessionsMeant(scope: LogoutScope, sessionId: string): SessionsToEnd {
  switch (scope) {
    case 'this':
      return { only: sessionId };
    case 'others':
      return { except: sessionId };
    case 'everywhere':
      return 'all';
  }
}

function registerEnd(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'End one of one’s sessions',
    description:
      'From the commit its tokens are refused. A session that had ended already is answered as it ended.',
    tags,
    params: OwnSessionParams,
    body: EmptyBody,
    response: { 200: EndedOwnSession },
  };
  const config = { operationId: 'endOwnSession', problems: ['not_found'] } as const;
  app.post('/auth/sessions/:sessionId/end', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const { sessionId } = request.params;
    const session = { tenantId, customerId, sessionId };
    return idempotency.run(request, {
      work: async (claim) => {
        const ended = await database.tenant(tenantId, async (tx) => {
          await touchCustomer(tx, tenantId, customerId);
          if (sessionId !== caller.sessionId) await requireFreeHand(tx, tenant, caller);
          const end = await endOwnSession(tx, session);
          if (end === undefined) throw new LatchkeyError('not_found');
          await claim.settle(tx, sessionId);
          return end;
        });
        return { reference: sessionId, answer: endView(ended) };
      },
      replay: async () => {
        const end = await database.tenant(tenantId, (tx) => readOwnEnd(tx, session));
        if (end === undefined) throw new LatchkeyError('not_found');
        return endView(end);
      },
    });
  });
}

function endView({ sessionId, endReason, endedAtMs }: EndedSession) {
  return { sessionId, endReason, endedAt: isoTime(endedAtMs) };
}

function registerList(app: LatchkeyApp, { database, personalData }: ApiServices): void {
  const config = { operationId: 'listSessions' } as const;
  const schema = {
    summary: 'List one’s sessions',
    tags,
    response: { 200: SessionsAnswer },
  };
  app.get('/auth/sessions', { config, schema }, async (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const { records, details, places } = await database.tenant(tenantId, async (tx) => {
      const found = await sessionsOfCustomer(tx, { tenantId, customerId, limit: MAX_SESSIONS });
      const rows = await sessionPlaces(
        tx,
        tenantId,
        found.map(({ sessionId }) => sessionId),
      );
      const places = await openPlaces(tx, personalData, { tenantId, customerId }, rows);
      return {
        records: found,
        details: new Map(rows.map((row) => [row.sessionId, row])),
        places,
      };
    });
    const sessions = records.flatMap((record) => {
      const { sessionId } = record;
      const model = details.get(sessionId)?.model ?? null;
      return viewOf(record, tenant, caller, { model, place: places.get(sessionId) ?? null });
    });
    return { sessions };
  });
}

/** Nothing for a row that is live in name only. */
function viewOf(
  session: SessionRecord,
  tenant: RequestTenant,
  caller: CustomerCaller,
  { model, place }: { readonly model: string | null; readonly place: string | null },
): readonly SessionView[] {
  const standing = judgeSession(session, tenant.policy.session);
  if ('refused' in standing) return [];
  return [
    {
      sessionId: session.sessionId,
      current: session.sessionId === caller.sessionId,
      deviceId: session.deviceId,
      deviceName: session.deviceName,
      platform: session.devicePlatform,
      model,
      place: isReadOnly(caller.acr) ? null : place,
      acr: standing.acr,
      amr: [...session.amr],
      startedAt: isoTime(session.startedAtMs),
      lastSeenAt: isoTime(session.lastSeenAtMs),
      idleExpiresAt: isoTime(standing.idleMs),
      absoluteExpiresAt: isoTime(standing.absoluteMs),
    },
  ];
}
