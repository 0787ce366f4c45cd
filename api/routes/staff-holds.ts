/**
 * Holds at the operations door: listed, and lifted by two people. Whoever asks for a release never approves it; who is who, and whether anything
 * changed in between, is decided by db/approvals.ts in the transaction that lifts the hold.
 */
import { approveRelease, declineRelease, requestRelease } from '../../db/approvals.ts';
import { releaseOf } from '../../db/cut-off.ts';
import type { Release } from '../../db/cut-off.ts';
import { listApprovals, listHolds } from '../../db/staff-desk.ts';
import type { ApprovalEntry, HoldEntry } from '../../db/staff-desk.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { idPattern } from '../../domain/ids.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { PageQuery, pageOf, readPage } from '../page-cursor.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  ApprovalParams,
  ApprovalView,
  ApprovalsAnswer,
  ApprovalsQuery,
  ApprovedAnswer,
  HoldParams,
  HoldsAnswer,
  ReleaseRequestBody,
} from '../schemas/staff-holds.ts';
import type { HoldView } from '../schemas/staff-holds.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['staff'];
const HOLD_ID = new RegExp(idPattern('hold'));
const APPROVAL_ID = new RegExp(idPattern('approval'));

export function registerStaffHoldRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerHolds(app, services);
  registerRequest(app, services);
  registerApprovals(app, services);
  registerApproval(app, services);
  registerDecline(app, services);
}

function registerHolds(app: LatchkeyApp, { database }: ApiServices): void {
  const schema = {
    summary: 'List holds',
    description: 'Active ones, the youngest first.',
    tags,
    querystring: PageQuery,
    response: { 200: HoldsAnswer },
  };
  app.get('/staff/holds', { config: { operationId: 'listHolds' }, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const asked = readPage(request.query, HOLD_ID);
    const rows = await database.tenant(tenantId, (tx) =>
      listHolds(tx, { tenantId, before: asked.after, limit: asked.readLimit }),
    );
    const { entries, next } = pageOf(rows, asked, ({ holdId }) => holdId);
    return { holds: entries.map(holdView), next };
  });
}

function registerRequest(app: LatchkeyApp, { database, newId, idempotency }: ApiServices): void {
  const schema = {
    summary: 'Ask for the release of a hold',
    description:
      'Covers the hold as it stands: a further cut-off, or any change of what a release reinstates, makes the request void. Another person approves it.',
    tags,
    params: HoldParams,
    body: ReleaseRequestBody,
    response: { 201: ApprovalView },
  };
  const problems = ['hold_not_found', 'hold_released', 'approval_pending'] as const;
  const config = { operationId: 'requestRelease', problems } as const;
  const url = '/staff/holds/:holdId/release-requests';
  app.post(url, { config, schema }, async (request, reply) => {
    const { tenantId, policy } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const answer = await idempotency.run(request, {
      work: async (claim) => {
        const approvalId = newId('approval');
        const { ttlSeconds } = policy.approval;
        const asked = { tenantId, ...request.params, ...request.body };
        const requested = await database.tenant(tenantId, async (tx) => {
          const done = await requestRelease(tx, { ...asked, approvalId, staffId, ttlSeconds });
          if (!('refused' in done)) await claim.settle(tx, approvalId);
          return done;
        });
        // After the commit: what was found void is noted whatever became of the request.
        if ('refused' in requested) throw new LatchkeyError(requested.refused);
        return { reference: approvalId, answer: await readView(database, tenantId, approvalId) };
      },
      replay: (approvalId) => readView(database, tenantId, approvalId),
    });
    return await reply.code(201).send(answer);
  });
}

function registerApprovals(app: LatchkeyApp, { database }: ApiServices): void {
  const schema = {
    summary: 'List requests for approval',
    description: 'The youngest first.',
    tags,
    querystring: ApprovalsQuery,
    response: { 200: ApprovalsAnswer },
  };
  const config = { operationId: 'listApprovals' } as const;
  app.get('/staff/approvals', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { status, ...page } = request.query;
    const asked = readPage(page, APPROVAL_ID);
    const query = { tenantId, before: asked.after, limit: asked.readLimit };
    const rows = await database.tenant(tenantId, (tx) =>
      listApprovals(tx, { ...query, isPending: status === 'pending' }),
    );
    const { entries, next } = pageOf(rows, asked, ({ approvalId }) => approvalId);
    return { approvals: entries.map(approvalView), next };
  });
}

function registerApproval(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'Approve a release',
    description:
      'Lifts the hold and reinstates what its cut-offs suspended. Needs a login of the last minutes, by another natural person than the one who asked.',
    tags,
    params: ApprovalParams,
    body: EmptyBody,
    response: { 200: ApprovedAnswer },
  };
  const problems = [
    'approval_not_found',
    'approval_decided',
    'approval_expired',
    'approval_void',
    'hold_released',
    'four_eyes_required',
  ] as const;
  const config = { operationId: 'approveRelease', problems } as const;
  const url = '/staff/approvals/:approvalId/approve';
  app.post(url, { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { approvalId } = request.params;
    return await idempotency.run(request, {
      work: async (claim) => {
        const released = await database.tenant(tenantId, async (tx) => {
          const done = await approveRelease(tx, { tenantId, approvalId, staffId });
          if (!('refused' in done)) await claim.settle(tx, done.holdId);
          return done;
        });
        if ('refused' in released) throw new LatchkeyError(released.refused);
        return { reference: released.holdId, answer: approvedView(approvalId, released) };
      },
      replay: async (holdId) => {
        const released = await database.tenant(tenantId, (tx) =>
          releaseOf(tx, { tenantId, holdId }),
        );
        if (released === undefined) throw new LatchkeyError('approval_not_found');
        return approvedView(approvalId, released);
      },
    });
  });
}

function registerDecline(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const schema = {
    summary: 'Decline a release',
    description: 'The hold stays. Whoever asked may decline too: that takes the request back.',
    tags,
    params: ApprovalParams,
    body: EmptyBody,
    response: { 200: ApprovalView },
  };
  const problems = [
    'approval_not_found',
    'approval_decided',
    'approval_expired',
    'approval_void',
  ] as const;
  const config = { operationId: 'declineRelease', problems } as const;
  const url = '/staff/approvals/:approvalId/decline';
  app.post(url, { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { approvalId } = request.params;
    return await idempotency.run(request, {
      work: async (claim) => {
        const declined = await database.tenant(tenantId, async (tx) => {
          const done = await declineRelease(tx, { tenantId, approvalId, staffId });
          if (!('refused' in done)) await claim.settle(tx, approvalId);
          return done;
        });
        if ('refused' in declined) throw new LatchkeyError(declined.refused);
        return { reference: approvalId, answer: await readView(database, tenantId, approvalId) };
      },
      replay: () => readView(database, tenantId, approvalId),
    });
  });
}

async function readView(
  database: ApiServices['database'],
  tenantId: string,
  approvalId: string,
): Promise<ApprovalView> {
  const [entry] = await database.tenant(tenantId, (tx) =>
    listApprovals(tx, { tenantId, approvalId, limit: 1 }),
  );
  if (entry === undefined) throw new LatchkeyError('approval_not_found');
  return approvalView(entry);
}

export function holdView({ placedAtMs, ...hold }: HoldEntry): HoldView {
  return { ...hold, placedAt: isoTime(placedAtMs) };
}

function approvalView({
  preparedAtMs,
  expiresAtMs,
  decidedAtMs,
  ...approval
}: ApprovalEntry): ApprovalView {
  return {
    ...approval,
    preparedAt: isoTime(preparedAtMs),
    expiresAt: isoTime(expiresAtMs),
    decidedAt: isoTime(decidedAtMs),
  };
}

function approvedView(approvalId: string, { releasedAtMs, ...released }: Release) {
  return { approvalId, ...released, releasedAt: isoTime(releasedAtMs) };
}
