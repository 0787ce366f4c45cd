/**
 * Recoveries at the operations door, to read: the queue in the order of what is due, a case with what its reader may do now, and a bell that rings when
 * it changes. Everything is masked, a look at a case that one does not work on is audited, and no code or link is ever in it.
 */
import { Readable } from 'node:stream';
import { appendAudit } from '../../db/audit.ts';
import { recoveryOnDesk } from '../../db/recovery-desk.ts';
import { marksOfRecoveries, sessionsThatMayLook } from '../../db/recovery-marks.ts';
import { QUEUE_PLACE, queueOfRecoveries, type QueuedRecovery } from '../../db/recovery-queue.ts';
import { customerOfRecovery } from '../../db/recovery.ts';
import { readCustomer } from '../../db/staff-desk.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { ACCESS } from '../access.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { pageOf, readPage } from '../page-cursor.ts';
import type { QueuedRecoveryView } from '../schemas/staff-recoveries.ts';
import {
  RecoveriesAnswer,
  RecoveriesQuery,
  RecoveryCaseView,
  RecoveryParams,
} from '../schemas/staff-recoveries.ts';
import { caseView } from '../staff/recovery-case.ts';
import { createRecoveryStreams } from '../streams/recovery-stream.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['staff'];
const AGAIN_SECONDS = 5;
const { roles } = ACCESS.followRecoveryCase;

export function registerStaffRecoveryRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerQueue(app, services);
  registerCase(app, services);
  registerStream(app, services);
}

function registerQueue(app: LatchkeyApp, { database }: ApiServices): void {
  const config = { operationId: 'listRecoveries' } as const;
  const schema = {
    summary: 'List open recoveries',
    description:
      'What was brought before a supervisor first, then what is to be reviewed, the soonest due first, then what waits for the customer.',
    tags,
    querystring: RecoveriesQuery,
    response: { 200: RecoveriesAnswer },
  };
  app.get('/staff/recoveries', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { state, mine, overdue, secondPerson, customerId, ...page } = request.query;
    const asked = readPage(page, QUEUE_PLACE);
    const rows = await database.tenant(tenantId, (tx) =>
      queueOfRecoveries(tx, {
        tenantId,
        state,
        customerId,
        claimedBy: mine === undefined ? undefined : staffId,
        onlyOverdue: overdue !== undefined,
        onlySecondPerson: secondPerson !== undefined,
        after: asked.after,
        limit: asked.readLimit,
      }),
    );
    const { entries, next } = pageOf(rows, asked, ({ place }) => place);
    return { recoveries: entries.map((entry) => queuedView(entry, staffId)), next };
  });
}

function registerCase(app: LatchkeyApp, { database, personalData }: ApiServices): void {
  const config = { operationId: 'getRecoveryCase', problems: ['recovery_not_found'] } as const;
  const schema = {
    summary: 'Look at a recovery',
    description:
      'With what the caller may do now and, where not, why. A look by whoever does not work on it is noted.',
    tags,
    params: RecoveryParams,
    response: { 200: RecoveryCaseView },
  };
  app.get('/staff/recoveries/:recoveryId', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const caller = callerOf(request, 'staff');
    const { recoveryId } = request.params;
    return await database.tenant(tenantId, async (tx) => {
      const found = await recoveryOnDesk(tx, { tenantId, recoveryId }, caller);
      if (found === undefined) throw new LatchkeyError('recovery_not_found');
      const { customerId, claimedBy } = found.record;
      const customer = await readCustomer(tx, personalData, { tenantId, customerId });
      if (customer === undefined) throw new LatchkeyError('recovery_not_found');
      if (claimedBy !== caller.staffId)
        await appendAudit(tx, {
          tenantId,
          actor: { kind: 'staff', id: caller.staffId },
          action: 'staff.recovery_viewed',
          // Not an entry of the case: its own timeline tells what happened to it, not who looked.
          subject: { kind: 'recovery', id: recoveryId },
          customerId,
        });
      return caseView(found, customer, caller.staffId);
    });
  });
}

function registerStream(app: LatchkeyApp, { database, clock, logger }: ApiServices): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  const streams = createRecoveryStreams({
    source: {
      marks: (tenantId, recoveryIds) =>
        database.tenant(tenantId, (tx) => marksOfRecoveries(tx, tenantId, recoveryIds)),
      mayLook: (tenantId, staffSessionIds) =>
        database.tenant(tenantId, (tx) =>
          sessionsThatMayLook(tx, tenantId, { staffSessionIds, roles }),
        ),
    },
    clock,
    isClosing: () => isClosing,
    onError: (error) => {
      logger.warn({ err: error }, 'the streams of cases end: PostgreSQL was not there');
    },
  });
  const config = {
    operationId: 'followRecoveryCase',
    problems: ['recovery_not_found', 'too_many_requests'],
  } as const;
  const schema = {
    summary: 'Hear when a recovery changes',
    description:
      'Server-sent events: `recovery` {revision, seq} at once and after every change, for which the case is read anew, and `beat` every fifteen seconds, when the session has been judged anew. Ends with the session; listening keeps none awake.',
    tags,
    params: RecoveryParams,
    produces: ['text/event-stream'],
  };
  app.get('/staff/recoveries/:recoveryId/stream', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const { recoveryId } = request.params;
    const { staffSessionId } = callerOf(request, 'staff');
    const customerId = await database.tenant(tenantId, (tx) =>
      customerOfRecovery(tx, { tenantId, recoveryId }),
    );
    if (customerId === undefined) throw new LatchkeyError('recovery_not_found');
    const listening = streams.listen({ tenantId, recoveryId, staffSessionId });
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
  });
}

function queuedView(entry: QueuedRecovery, staffId: string): QueuedRecoveryView {
  const { recoveryId, customerId, state, report, risk, isOverdue, claimedBy } = entry;
  return {
    recoveryId,
    customerId,
    state,
    report,
    risk,
    isOverdue,
    openedBy: entry.openedByKind,
    openedAt: isoTime(entry.createdAtMs),
    people: { needed: entry.peopleRequired, approved: entry.approvals },
    claimedBy: claimedBy === null ? null : { staffId: claimedBy, name: entry.claimedByName ?? '' },
    isMine: claimedBy === staffId,
    reviewDueAt: isoTime(entry.reviewDueAtMs),
    escalatedAt: isoTime(entry.escalatedAtMs),
    heldAt: isoTime(entry.heldAtMs),
    stepEndsAt: isoTime(entry.stepDeadlineMs),
  };
}
