/**
 * Enrollment of a new customer over HTTP. Each handler proves who asks and writes what was handed in; what follows is the workflow's. No answer
 * and no status tells a known number from an unknown one, and no token is issued here.
 */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { endEnrollment } from '../../db/enrollment-moves.ts';
import { insertEnrollment, isDeviceKeyKnown, readEnrollment } from '../../db/enrollment.ts';
import type { EnrollmentSubject } from '../../domain/enrollment.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireAppClient } from '../callers/app-client.ts';
import { normalisePhone } from '../enrollment/contacts.ts';
import { answerEnrollment, stepRefusal, viewIn } from '../enrollment/answers.ts';
import type { StepDependencies } from '../ceremonies/step.ts';
import { ownEnrollment } from '../enrollment/steps.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { EnrollmentParams, EnrollmentView, StartEnrollmentBody } from '../schemas/enrollments.ts';
import { callerOf, type LatchkeyApp } from '../types.ts';
import { registerPasskeyRoutes } from './enrollment-passkeys.ts';
import { OWN_PROBLEMS } from './enrollment-problems.ts';
import { registerStepRoutes } from './enrollment-steps.ts';

const DEFAULT_LOCALE = 'en';
const tags = ['enrollment'];
const response = { 200: EnrollmentView };

export function registerEnrollmentRoutes(app: LatchkeyApp, deps: StepDependencies): void {
  registerStart(app, deps);
  registerReading(app, deps);
  registerStepRoutes(app, deps);
  registerPasskeyRoutes(app, deps);
  registerCancel(app, deps);
}

function registerStart(app: LatchkeyApp, deps: StepDependencies): void {
  const config = {
    operationId: 'startEnrollment',
    problems: [
      'unknown_client',
      'origin_not_allowed',
      'phone_invalid',
      'device_key_exists',
      'temporal_unavailable',
    ],
  } as const;
  const schema = {
    summary: 'Start an enrollment',
    description:
      'Sends a code to the number. A number that is known gets the same answer and the same message; what comes of it is said once the code was right.',
    tags,
    body: StartEnrollmentBody,
    response: { 202: EnrollmentView },
  };
  app.post('/auth/enrollments', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const answer = await deps.idempotency.run(request, {
      work: async (claim) => {
        const enrollmentId = deps.newId('ceremony');
        await deps.database.tenant(tenantId, async (tx) => {
          await insertStart(tx, deps, request, { enrollmentId, body: request.body });
          await claim.settle(tx, enrollmentId);
        });
        return {
          reference: enrollmentId,
          answer: await startWorkflow(deps, { tenantId, enrollmentId }),
        };
      },
      replay: (enrollmentId) => startWorkflow(deps, { tenantId, enrollmentId }),
    });
    return await reply.code(202).send(answer);
  });
}

async function insertStart(
  tx: Tx,
  deps: StepDependencies,
  request: FastifyRequest,
  { enrollmentId, body }: { enrollmentId: string; body: StartEnrollmentBody },
): Promise<void> {
  const { tenantId } = request.tenant;
  const { jkt } = callerOf(request, 'key');
  const client = await requireAppClient(tx, request, body.clientId);
  const phone = normalisePhone(body.phone);
  if (await isDeviceKeyKnown(tx, tenantId, jkt)) throw new LatchkeyError('device_key_exists');
  await insertEnrollment(tx, deps.personalData, {
    tenantId,
    enrollmentId,
    customerId: deps.newId('customer'),
    contactId: deps.newId('contact'),
    clientId: client.clientId,
    jkt,
    phone,
    locale: body.locale ?? DEFAULT_LOCALE,
  });
}

/** Also the repeat after a 503: the row is there, and a workflow that is there already is as good. */
async function startWorkflow(
  deps: StepDependencies,
  subject: EnrollmentSubject,
): Promise<EnrollmentView> {
  const { tenantId, enrollmentId } = subject;
  const record = await deps.database.tenant(tenantId, (tx) => readEnrollment(tx, subject));
  if (record?.state === 'starting') {
    await deps.temporal.start('enrollment', {
      tenantId,
      id: enrollmentId,
      healCount: record.healCount,
      searchAttributes: { state: 'starting', customerId: record.customerId },
    });
  }
  return await answerEnrollment(deps, subject);
}

function registerReading(app: LatchkeyApp, { database, personalData }: StepDependencies): void {
  const config = { operationId: 'getEnrollment', problems: OWN_PROBLEMS } as const;
  const schema = {
    summary: 'Look at an enrollment',
    description: 'For the key that started it; for any other it does not exist.',
    tags,
    params: EnrollmentParams,
    response,
  };
  app.get('/auth/enrollments/:enrollmentId', { config, schema }, (request) =>
    database.tenant(request.tenant.tenantId, async (tx) =>
      viewIn(tx, personalData, await ownEnrollment(tx, request, request.params.enrollmentId)),
    ),
  );
}

function registerCancel(app: LatchkeyApp, deps: StepDependencies): void {
  const { database } = deps;
  const config = {
    operationId: 'cancelEnrollment',
    problems: [...OWN_PROBLEMS, 'ceremony_ended', 'ceremony_expired', 'revoked'],
  } as const;
  const schema = {
    summary: 'Give the enrollment up',
    description: 'Works while Temporal is down. What was handed in is erased.',
    tags,
    params: EnrollmentParams,
    body: EmptyBody,
    response,
  };
  app.post('/auth/enrollments/:enrollmentId/cancel', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { enrollmentId } = request.params;
    return deps.idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          const record = await ownEnrollment(tx, request, enrollmentId);
          const actor = { kind: 'customer', id: record.customerId } as const;
          const subject = { tenantId, enrollmentId, event: 'cancelled', actor } as const;
          const ended = await endEnrollment(tx, deps, subject);
          if (ended?.refused !== undefined)
            throw stepRefusal((await readEnrollment(tx, subject)) ?? record);
          await claim.settle(tx, enrollmentId);
        });
        return {
          reference: enrollmentId,
          answer: await answerEnrollment(deps, { tenantId, enrollmentId }),
        };
      },
      replay: () => answerEnrollment(deps, { tenantId, enrollmentId }),
    });
  });
}
