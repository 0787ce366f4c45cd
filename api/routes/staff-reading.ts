/**
 * What staff read beside a customer's page: a contact in clear, for a picked reason and a short time; what the customer has gone through; and what
 * works now. A contact shown is a search of its reader, bounded and audited alike. No code and no link is ever shown here.
 */
import { appendAudit } from '../../db/audit.ts';
import { tenantBacklog } from '../../db/backlog.ts';
import type { Backlog } from '../../db/backlog.ts';
import type { Tx } from '../../db/connection.ts';
import { provedContacts } from '../../db/contacts.ts';
import { ceremoniesOfCustomer } from '../../db/staff-desk-ceremonies.ts';
import { isCustomer, takeSearch } from '../../db/staff-desk.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { CustomerParams } from '../schemas/staff-customers.ts';
import {
  CeremoniesAnswer,
  RevealBody,
  RevealedAnswer,
  WorksNowAnswer,
} from '../schemas/staff-reading.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['staff'];
/** Long enough to dial a number, short enough that nobody else walks past it. */
const HIDE_AFTER_SECONDS = 30;
/** What waits longer than this is late: deliveries take seconds. */
const LATE_SECONDS = 60;

export function registerStaffReadingRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerReveal(app, services);
  registerCeremonies(app, services);
  registerWorksNow(app, services);
}

function registerReveal(app: LatchkeyApp, services: ApiServices): void {
  const { database, personalData, idempotency } = services;
  const config = {
    operationId: 'revealContact',
    problems: ['not_found', 'too_many_requests'],
  } as const;
  const schema = {
    summary: 'See a customer’s contact in clear',
    description:
      'For a picked reason. Each look counts as a search of the person who looks, and stands in the audit with its reason and without the contact.',
    tags,
    params: CustomerParams,
    body: RevealBody,
    response: { 200: RevealedAnswer },
  };
  app.post('/staff/customers/:customerId/reveal-contact', { config, schema }, (request) => {
    const { tenantId, policy } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const { contact, reason } = request.body;
    const reveal = async (tx: Tx) => {
      await takeSearch(tx, { tenantId, staffId, ...policy.staffSearch });
      const subject = { tenantId, customerId };
      const { [contact]: value } = await provedContacts(tx, personalData, subject, [contact]);
      if (value === undefined) throw new LatchkeyError('not_found');
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'staff', id: staffId },
        action: 'staff.contact_revealed',
        subject: { kind: 'customer', id: customerId },
        customerId,
        detail: { contact, reason },
      });
      return { contact, value, hideAfterSeconds: HIDE_AFTER_SECONDS };
    };
    return idempotency.run(request, {
      work: (claim) =>
        database.tenant(tenantId, async (tx) => {
          const answer = await reveal(tx);
          await claim.settle(tx, customerId);
          return { reference: customerId, answer };
        }),
      // Kept nowhere: a look like any other.
      replay: () => database.tenant(tenantId, reveal),
    });
  });
}

function registerCeremonies(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'listCustomerCeremonies', problems: ['not_found'] } as const;
  const schema = {
    summary: 'List what a customer has gone through',
    description: 'The youngest step-ups, and the youngest enrollments and recoveries.',
    tags,
    params: CustomerParams,
    response: { 200: CeremoniesAnswer },
  };
  app.get('/staff/customers/:customerId/ceremonies', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const ceremonies = await database.tenant(tenantId, async (tx) => {
      if (!(await isCustomer(tx, tenantId, customerId))) throw new LatchkeyError('not_found');
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'staff', id: staffId },
        action: 'staff.ceremonies_viewed',
        subject: { kind: 'customer', id: customerId },
        customerId,
      });
      return await ceremoniesOfCustomer(tx, { tenantId, customerId });
    });
    return {
      ceremonies: ceremonies.map(({ createdAtMs, endedAtMs, ...ceremony }) => ({
        ...ceremony,
        createdAt: isoTime(createdAtMs),
        endedAt: isoTime(endedAtMs),
      })),
    };
  });
}

/** What hands over to each part, by the topics of the outbox. */
const DELIVERIES = [
  ['sms', ['message.sms']],
  ['email', ['message.email']],
  ['push', ['push.send']],
  ['callbacks', ['callback.send']],
  ['events', ['event']],
  ['receipts', ['receipt.seal']],
] as const satisfies readonly (readonly [string, readonly string[]])[];

function registerWorksNow(app: LatchkeyApp, services: ApiServices): void {
  const { database, temporal, readiness = [], clock } = services;
  const config = { operationId: 'worksNow' } as const;
  const schema = {
    summary: 'See what works now',
    description: 'Each part that customers depend on, and how long the oldest waits for it.',
    tags,
    response: { 200: WorksNowAnswer },
  };
  app.get('/staff/works-now', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const isUp = (ready: Promise<boolean>) => ready.catch(() => false);
    const [backlog, hasTemporal, ...others] = await Promise.all([
      database.tenant(tenantId, (tx) => tenantBacklog(tx, tenantId)),
      isUp(temporal.healthy()),
      ...readiness.map(async ({ name, isReady }) => partOf(name, await isUp(isReady()))),
    ]);
    return {
      at: isoTime(clock.nowMs()),
      parts: [
        // This very answer came over both.
        partOf('api', true),
        partOf('database', true),
        partOf('temporal', hasTemporal),
        ...others,
        ...DELIVERIES.map(([name, topics]) => deliveryOf(name, topics, backlog)),
      ],
    };
  });
}

type Part = WorksNowAnswer['parts'][number];

function partOf(name: string, isUp: boolean): Part {
  return {
    name,
    standing: isUp ? 'works' : 'down',
    waiting: 0,
    oldestSeconds: 0,
    undelivered: 0,
  };
}

function deliveryOf(name: string, topics: readonly string[], { outbox, dead }: Backlog): Part {
  const waits = outbox.filter(({ topic }) => topics.includes(topic));
  const lost = dead.filter(({ topic }) => topics.includes(topic));
  const oldestSeconds = Math.max(0, ...waits.map((entry) => Math.floor(entry.oldestSeconds)));
  return {
    name,
    standing: oldestSeconds > LATE_SECONDS ? 'slow' : 'works',
    waiting: waits.reduce((sum, { pending }) => sum + pending, 0),
    oldestSeconds,
    undelivered: lost.reduce((sum, { rows }) => sum + rows, 0),
  };
}
