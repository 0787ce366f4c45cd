/**
 * Customers at the operations door: found, looked at and their sessions ended, by staff who speak with them. Everything shown is masked, every look
 * is audited, and a search is bounded in rate. It must never show a contact in clear nor change one.
 */
import { appendAudit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { pageOfSessions } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { readEnd } from '../../db/session-ends.ts';
import type { EndedSession } from '../../db/session-ends.ts';
import { endSessionByStaff } from '../../db/staff-desk-sessions.ts';
import { customerOfPhone, isCustomer, readCustomer, takeSearch } from '../../db/staff-desk.ts';
import type { CustomerEntry } from '../../db/staff-desk.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { idPattern } from '../../domain/ids.ts';
import { judgeSession } from '../../domain/session-standing.ts';
import { normalisePhone, staffMasks } from '../enrollment/contacts.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { PageQuery, pageOf, readPage } from '../page-cursor.ts';
import {
  CustomerParams,
  CustomerSearchBody,
  CustomerSessionsAnswer,
  CustomerView,
  CustomersAnswer,
  EndedSessionAnswer,
  EndSessionBody,
  SessionParams,
} from '../schemas/staff-customers.ts';
import type { CustomerSessionView } from '../schemas/staff-customers.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, RequestTenant } from '../types.ts';
import { holdView } from './staff-holds.ts';

const tags = ['staff'];
const SESSION_ID = new RegExp(idPattern('session'));
/** The outcome of a search that found nobody, for its Idempotency-Key. */
const NOBODY = 'nobody';
const SEARCHED = 'staff.customer_searched';

export function registerStaffCustomerRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerSearch(app, services);
  registerCustomer(app, services);
  registerSessions(app, services);
  registerEnd(app, services);
}

function registerSearch(app: LatchkeyApp, services: ApiServices): void {
  const { database, personalData, idempotency } = services;
  const schema = {
    summary: 'Find a customer by phone number',
    description: 'The number stands in the body, never in an address; answers are masked.',
    tags,
    body: CustomerSearchBody,
    response: { 200: CustomersAnswer },
  };
  const config = {
    operationId: 'searchCustomers',
    problems: ['phone_invalid', 'too_many_requests'],
  } as const;
  app.post('/staff/customers/search', { config, schema }, async (request) => {
    const { tenantId, policy } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const phone = normalisePhone(request.body.phone);
    const phoneIndex = personalData.blindIndex(tenantId, 'phone', phone);
    const show = async (tx: Tx, customerId: string | undefined) => {
      if (customerId === undefined) return { customers: [] };
      const customer = await readCustomer(tx, personalData, { tenantId, customerId });
      return { customers: customer === undefined ? [] : [customerView(customer)] };
    };
    return await idempotency.run(request, {
      work: (claim) =>
        database.tenant(tenantId, async (tx) => {
          await takeSearch(tx, { tenantId, staffId, ...policy.staffSearch });
          const customerId = await customerOfPhone(tx, { tenantId, phoneIndex });
          await recordLook(tx, { tenantId, staffId, customerId, action: SEARCHED });
          const reference = customerId ?? NOBODY;
          await claim.settle(tx, reference);
          return { reference, answer: await show(tx, customerId) };
        }),
      // What stands now is shown, not what stood then: a look like any other.
      replay: (reference) =>
        database.tenant(tenantId, async (tx) => {
          const customerId = reference === NOBODY ? undefined : reference;
          await recordLook(tx, { tenantId, staffId, customerId, action: SEARCHED });
          return await show(tx, customerId);
        }),
    });
  });
}

function registerCustomer(app: LatchkeyApp, { database, personalData }: ApiServices): void {
  const schema = {
    summary: 'Look at a customer',
    tags,
    params: CustomerParams,
    response: { 200: CustomerView },
  };
  const config = { operationId: 'getCustomer', problems: ['not_found'] } as const;
  app.get('/staff/customers/:customerId', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const customer = await database.tenant(tenantId, async (tx) => {
      const found = await readCustomer(tx, personalData, { tenantId, customerId });
      if (found === undefined) throw new LatchkeyError('not_found');
      await recordLook(tx, { tenantId, staffId, customerId, action: 'staff.customer_viewed' });
      return found;
    });
    return customerView(customer);
  });
}

function registerSessions(app: LatchkeyApp, { database }: ApiServices): void {
  const schema = {
    summary: 'List a customer’s sessions',
    description: 'Those that have not been ended, the youngest first.',
    tags,
    params: CustomerParams,
    querystring: PageQuery,
    response: { 200: CustomerSessionsAnswer },
  };
  const config = { operationId: 'listCustomerSessions' } as const;
  app.get('/staff/customers/:customerId/sessions', { config, schema }, async (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const asked = readPage(request.query, SESSION_ID);
    const query = { tenantId, customerId, before: asked.after, limit: asked.readLimit };
    const rows = await database.tenant(tenantId, async (tx) => {
      const found = (await isCustomer(tx, tenantId, customerId)) ? customerId : undefined;
      const action = 'staff.sessions_viewed';
      await recordLook(tx, { tenantId, staffId, customerId: found, action });
      return await pageOfSessions(tx, query);
    });
    const { entries, next } = pageOf(rows, asked, ({ sessionId }) => sessionId);
    return { sessions: entries.map((session) => sessionView(session, tenant)), next };
  });
}

function registerEnd(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'End a session',
    description:
      'From the commit its tokens are refused. A session that had ended already is answered as it ended. The customer is told.',
    tags,
    params: SessionParams,
    body: EndSessionBody,
    response: { 200: EndedSessionAnswer },
  };
  const config = { operationId: 'endSession', problems: ['not_found'] } as const;
  app.post('/staff/sessions/:sessionId/end', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { sessionId } = request.params;
    const because = request.body.reason;
    return await idempotency.run(request, {
      work: async (claim) => {
        const ended = await database.tenant(tenantId, async (tx) => {
          const end = await endSessionByStaff(tx, { tenantId, sessionId, staffId, because });
          if (end === undefined) throw new LatchkeyError('not_found');
          await claim.settle(tx, sessionId);
          return end;
        });
        return { reference: sessionId, answer: endView(ended) };
      },
      replay: async () => {
        const end = await database.tenant(tenantId, (tx) => readEnd(tx, tenantId, sessionId));
        if (end === undefined) throw new LatchkeyError('not_found');
        return endView(end);
      },
    });
  });
}

/** Who looked at whom. The number that was searched for is nowhere, nor is its index. */
async function recordLook(
  tx: Tx,
  look: {
    readonly tenantId: string;
    readonly staffId: string;
    readonly customerId: string | undefined;
    readonly action: string;
  },
): Promise<void> {
  const { tenantId, staffId, customerId, action } = look;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action,
    subject:
      customerId === undefined
        ? { kind: 'staff', id: staffId }
        : { kind: 'customer', id: customerId },
    customerId,
    detail: { found: customerId !== undefined },
  });
}

function customerView({
  createdAtMs,
  frozenUntilMs,
  givenName,
  contacts,
  devices,
  hold,
  ...facts
}: CustomerEntry): CustomerView {
  return {
    ...facts,
    createdAt: isoTime(createdAtMs),
    frozenUntil: isoTime(frozenUntilMs),
    givenName: givenName === undefined ? null : staffMasks.name(givenName),
    phone: contacts.phone === undefined ? null : staffMasks.phone(contacts.phone),
    email: contacts.email === undefined ? null : staffMasks.email(contacts.email),
    devices: [...devices],
    hold: hold === undefined ? null : holdView(hold),
  };
}

function sessionView(session: SessionRecord, { policy }: RequestTenant): CustomerSessionView {
  const standing = judgeSession(session, policy.session);
  return {
    sessionId: session.sessionId,
    standing: 'refused' in standing ? standing.refused : 'good',
    deviceId: session.deviceId,
    deviceName: session.deviceName,
    platform: session.devicePlatform,
    clientId: session.clientId,
    acr: session.acr,
    startedAt: isoTime(session.startedAtMs),
    lastSeenAt: isoTime(session.lastSeenAtMs),
    absoluteExpiresAt: isoTime(session.absoluteDeadlineMs),
  };
}

function endView({ endedAtMs, ...end }: EndedSession) {
  return { ...end, endedAt: isoTime(endedAtMs) };
}
