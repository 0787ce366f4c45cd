/** A customer's own sessions: what is open, and how to end it. Ending is one transaction that every grant in flight waits for. */
import { touchCustomer } from '../../db/customer-lock.ts';
import { endSessions, sessionsOfCustomer } from '../../db/sessions.ts';
import type { SessionRecord, SessionsToEnd } from '../../db/sessions.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import type { ApiServices } from '../dependencies.ts';
import { LogoutAnswer, LogoutBody, SessionsAnswer } from '../schemas/sessions.ts';
import type { LogoutScope, SessionView } from '../schemas/sessions.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, RequestTenant } from '../types.ts';

const MAX_SESSIONS = 100;
const tags = ['session'];

export function registerSessionRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerLogout(app, services);
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
    const { tenantId } = request.tenant;
    const { customerId, sessionId } = callerOf(request, 'customer');
    const { scope } = request.body;
    return idempotency.run(request, {
      work: async (claim) => {
        const ended = await database.tenant(tenantId, async (tx) => {
          await touchCustomer(tx, tenantId, customerId);
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

function registerList(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'listSessions' } as const;
  const schema = {
    summary: 'List one’s sessions',
    tags,
    response: { 200: SessionsAnswer },
  };
  app.get('/auth/sessions', { config, schema }, async (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { customerId, sessionId } = callerOf(request, 'customer');
    const records = await database.tenant(tenantId, (tx) =>
      sessionsOfCustomer(tx, { tenantId, customerId, limit: MAX_SESSIONS }),
    );
    return { sessions: records.flatMap((record) => viewOf(record, tenant, sessionId)) };
  });
}

/** Nothing for a row that is live in name only. */
function viewOf(
  session: SessionRecord,
  tenant: RequestTenant,
  currentSessionId: string,
): readonly SessionView[] {
  const standing = judgeSession(session, tenant.policy.session);
  if ('refused' in standing) return [];
  return [
    {
      sessionId: session.sessionId,
      current: session.sessionId === currentSessionId,
      deviceName: session.deviceName,
      acr: standing.acr,
      startedAt: new Date(session.startedAtMs).toISOString(),
      lastSeenAt: new Date(session.lastSeenAtMs).toISOString(),
      idleExpiresAt: new Date(standing.idleMs).toISOString(),
      absoluteExpiresAt: new Date(standing.absoluteMs).toISOString(),
    },
  ];
}
