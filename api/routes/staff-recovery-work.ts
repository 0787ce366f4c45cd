/**
 * Recoveries at the operations door, worked on: opened with the caller on the line, claimed, handed over, put on record, confirmed, decided. Each is
 * one transaction once under its Idempotency-Key; who may is asked of the rows there. Nothing here lets a customer in: that takes the ledger.
 */
import type { FastifyRequest } from 'fastify';
import { claimRecovery, handOverRecovery } from '../../db/recovery-claims.ts';
import type { Tx } from '../../db/connection.ts';
import { decide } from '../../db/recovery-decisions.ts';
import { confirmFactor, recordFactor } from '../../db/recovery-ledger.ts';
import { openRecoveryWithCaller, refuseOffDesk } from '../../db/recovery-work.ts';
import { readRecovery, type RecoveryRecord } from '../../db/recovery.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { RecoverySubject } from '../../domain/recovery.ts';
import { isRecentLogin } from '../../domain/staff.ts';
import type { ApiServices } from '../dependencies.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { CustomerParams } from '../schemas/staff-customers.ts';
import {
  CallBackBody,
  ChangedRecoveryAnswer,
  EvidenceBody,
  FactorParams,
  HandOverBody,
  OpenedRecoveryAnswer,
  OpenRecoveryBody,
  RecoveryDecisionBody,
  RecoveryParams,
} from '../schemas/staff-recoveries.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, StaffCaller } from '../types.ts';

const tags = ['staff'];
const params = RecoveryParams;
const response = { 200: ChangedRecoveryAnswer };
/** How a case may stand where nothing more is done with it, or not now. */
const STANDING = [
  'recovery_not_found',
  'own_account',
  'wrong_step',
  'recovery_held',
  'ceremony_ended',
  'ceremony_expired',
] as const;

export function registerStaffRecoveryWorkRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerOpening(app, services);
  registerClaim(app, services);
  registerHandOver(app, services);
  registerEvidence(app, services);
  registerConfirmation(app, services);
  registerCallBack(app, services);
  registerDecision(app, services);
}

interface Case {
  readonly subject: RecoverySubject;
  readonly caller: StaffCaller;
}

/** Answers how the case stands after it. */
async function once(
  { database, idempotency }: ApiServices,
  request: FastifyRequest<{ Params: { recoveryId: string } }>,
  change: (tx: Tx, one: Case) => Promise<unknown>,
): Promise<ChangedRecoveryAnswer> {
  const { tenantId } = request.tenant;
  const { recoveryId } = request.params;
  const subject = { tenantId, recoveryId };
  const caller = callerOf(request, 'staff');
  return await idempotency.run(request, {
    work: async (claim) => {
      const answer = await database.tenant(tenantId, async (tx) => {
        await change(tx, { subject, caller });
        await claim.settle(tx, recoveryId);
        return changed(await standing(tx, subject));
      });
      return { reference: recoveryId, answer };
    },
    replay: () => database.tenant(tenantId, async (tx) => changed(await standing(tx, subject))),
  });
}

async function standing(tx: Tx, subject: RecoverySubject): Promise<RecoveryRecord> {
  const record = await readRecovery(tx, subject);
  if (record === undefined) throw new LatchkeyError('recovery_not_found');
  return record;
}

function changed({ recoveryId, state, revision }: RecoveryRecord): ChangedRecoveryAnswer {
  return { recoveryId, state, revision };
}

function registerOpening(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'openRecoveryByStaff',
    problems: ['not_found', 'own_account', 'caller_not_proved', 'device_ended', 'ceremony_expired'],
  } as const;
  const schema = {
    summary: 'Open a recovery with the caller on the line',
    description:
      'With what proves the caller: a call approved in the app, or one’s own call to the number that the bank has. Joins the case that is open. A device that is lost or stolen may only read from then on.',
    tags,
    params: CustomerParams,
    body: OpenRecoveryBody,
    response: { 201: OpenedRecoveryAnswer },
  };
  const url = '/staff/customers/:customerId/recoveries';
  app.post(url, { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const answer = await idempotency.run(request, {
      work: async (claim) => {
        const opened = await database.tenant(tenantId, async (tx) => {
          const asked = { tenantId, customerId, staffId, ...request.body };
          const one = await openRecoveryWithCaller(tx, services, asked);
          await claim.settle(tx, `${one.joined ? 'joined' : 'opened'} ${one.recoveryId}`);
          return one;
        });
        return { reference: opened.recoveryId, answer: opened };
      },
      replay: (reference) => {
        const [how, recoveryId = ''] = reference.split(' ');
        return Promise.resolve({ recoveryId, joined: how === 'joined' });
      },
    });
    return await reply.code(201).send(answer);
  });
}

function registerClaim(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'claimRecovery',
    problems: ['recovery_not_found', 'own_account', 'ceremony_ended', 'case_taken'],
  } as const;
  const schema = {
    summary: 'Take a recovery',
    description: 'One at a time works on a case. A claim gives no right.',
    tags,
    params,
    body: EmptyBody,
    response,
  };
  app.post('/staff/recoveries/:recoveryId/claim', { config, schema }, (request) =>
    once(services, request, (tx, { subject, caller: { staffId } }) =>
      claimRecovery(tx, { subject, staffId }),
    ),
  );
}

function registerHandOver(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'handOverRecovery',
    problems: [
      'recovery_not_found',
      'own_account',
      'ceremony_ended',
      'case_taken',
      'staff_role_missing',
    ],
  } as const;
  const schema = {
    summary: 'Hand a recovery over',
    description:
      'To a colleague, or back to the queue, by whoever has it. A supervisor takes it from anybody.',
    tags,
    params,
    body: HandOverBody,
    response,
  };
  app.post('/staff/recoveries/:recoveryId/hand-over', { config, schema }, (request) =>
    once(services, request, async (tx, { subject, caller: { staffId, roles } }) => {
      const { to } = request.body;
      if (to !== null) await refuseOffDesk(tx, subject.tenantId, to);
      const isSupervisor = roles.includes('supervisor');
      await handOverRecovery(tx, { subject, staffId, to, isSupervisor });
    }),
  );
}

function registerEvidence(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'recordEvidence',
    problems: [...STANDING, 'phone_not_joined', 'caller_not_proved'],
  } as const;
  const schema = {
    summary: 'Put evidence on the record of a recovery',
    description:
      'For a customer who cannot do a liveness check: seen in person, by video, or in documents; of the last two a second person says that it was so. Or a call that the customer approved in the app.',
    tags,
    params,
    body: EvidenceBody,
    response,
  };
  app.post('/staff/recoveries/:recoveryId/evidence', { config, schema }, (request) =>
    once(services, request, (tx, { subject, caller: { staffId } }) =>
      recordFactor(tx, services, { subject, staffId, ...request.body }),
    ),
  );
}

function registerConfirmation(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'confirmEvidence',
    problems: [...STANDING, 'not_found', 'four_eyes_required'],
  } as const;
  const schema = {
    summary: 'Confirm evidence that a colleague recorded',
    description: 'By another natural person than the one who recorded it.',
    tags,
    params: FactorParams,
    body: EmptyBody,
    response,
  };
  const url = '/staff/recoveries/:recoveryId/evidence/:factorId/confirm';
  app.post(url, { config, schema }, (request) =>
    once(services, request, (tx, { subject, caller: { staffId } }) =>
      confirmFactor(tx, { subject, staffId, factorId: request.params.factorId }),
    ),
  );
}

function registerCallBack(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'recordCallBack', problems: STANDING } as const;
  const schema = {
    summary: 'Record that the customer was reached under the bank’s number',
    description:
      'One’s own call to the number on record. It counts for nothing where that number rings on a phone that was reported.',
    tags,
    params,
    body: CallBackBody,
    response,
  };
  app.post('/staff/recoveries/:recoveryId/call-back', { config, schema }, (request) =>
    once(services, request, (tx, { subject, caller: { staffId } }) => {
      const { reference: evidenceId } = request.body;
      return recordFactor(tx, services, { subject, staffId, method: 'call_back', evidenceId });
    }),
  );
}

function registerDecision(app: LatchkeyApp, services: ApiServices): void {
  const { configuration } = services;
  const config = {
    operationId: 'decideRecovery',
    problems: [
      ...STANDING,
      'approval_void',
      'four_eyes_required',
      'factors_missing',
      'customer_on_hold',
      'reauthentication_required',
      'staff_role_missing',
    ],
  } as const;
  const schema = {
    summary: 'Approve, refuse, send back or release a recovery',
    description:
      'An approval counts for the revision it names. Approving and releasing ask for a login of the last minutes and for somebody who prepared nothing of it; of two who approve one is a supervisor, and only a supervisor releases.',
    tags,
    params,
    body: RecoveryDecisionBody,
    response,
  };
  app.post('/staff/recoveries/:recoveryId/decisions', { config, schema }, (request) =>
    once(services, request, async (tx, { subject, caller }) => {
      const { kind } = request.body;
      const isSupervisor = caller.roles.includes('supervisor');
      if (kind === 'release' && !isSupervisor)
        throw new LatchkeyError('staff_role_missing', { extra: { roles: 'supervisor' } });
      const { nowMs } = await standing(tx, subject);
      const isGraver = kind === 'approve' || kind === 'release';
      if (isGraver && !isRecentLogin(caller.authTimeMs, nowMs)) {
        const origin = configuration.operations?.url ?? '';
        const loginUrl = `${origin}/t/${request.tenant.slug}/staff/login?fresh=true`;
        throw new LatchkeyError('reauthentication_required', { extra: { loginUrl } });
      }
      const { staffId } = caller;
      await decide(tx, services, { subject, staffId, isSupervisor, ...request.body });
    }),
  );
}
