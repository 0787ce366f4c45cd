/**
 * Step-ups as services of the bank use them: ask, wait, use once, give up. A step-up is known to the client that asked for it alone; for any other it
 * does not exist. Whether something is approved is PostgreSQL's to say, in the transaction that uses it.
 */
import { readTenantAction } from '../../db/action-types.ts';
import { consumeStepUp, type StepUpUsed } from '../../db/step-up-consume.ts';
import { endStepUp } from '../../db/step-up-ends.ts';
import { readStepUpStandings } from '../../db/step-up-statuses.ts';
import { stepUpOfRequester, type StepUpRecord } from '../../db/step-up.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { isAnswered, statusOf } from '../../domain/step-up-status.ts';
import type { StepUpRequester, StepUpSubject } from '../../domain/step-up.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  ConsumeBody,
  ConsumedView,
  NotRequired,
  RequestedParams,
  RequestStepUpBody,
  StepUpView,
  WaitQuery,
} from '../schemas/step-ups.ts';
import { insertRequest, requireScopeOf, startRequested } from '../step-ups/request.ts';
import { requesterView } from '../step-ups/requester-view.ts';
import { createStepUpWatch } from '../step-ups/watch.ts';
import { callerOf, type LatchkeyApp, type MachineCaller } from '../types.ts';
import { ENDED_PROBLEMS, OWN_PROBLEMS } from './step-up-problems.ts';

const tags = ['step-up requester'];
const AGAIN_SECONDS = 5;

export function registerStepUpRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerRequest(app, services);
  registerReading(app, services);
  registerConsume(app, services);
  registerCancel(app, services);
}

function registerRequest(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId } = services;
  const config = {
    operationId: 'requestStepUp',
    problems: [
      'action_invalid',
      'insufficient_scope',
      'not_found',
      'customer_on_hold',
      'customer_frozen',
      'device_not_allowed',
      'session_ended',
      'step_up_pending',
      'step_ups_paused',
      'temporal_unavailable',
    ],
  } as const;
  const schema = {
    summary: 'Ask a customer to approve an action',
    description:
      'Scope `step-ups:` and the action’s type. 200 `not_required`: carry it out, it is counted. 201: wait for the customer, then use the approval once.',
    tags,
    body: RequestStepUpBody,
    response: { 200: NotRequired, 201: StepUpView },
  };
  app.post('/step-ups', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const client = callerOf(request, 'machine');
    const finish = (stepUpId: string) => startRequested(services, { tenantId, stepUpId, client });
    const answer = await idempotency.run(request, {
      work: async (claim) => {
        const stepUpId = newId('ceremony');
        await database.tenant(tenantId, async (tx) => {
          const asked = { tenantId, stepUpId, client, request: request.body };
          await insertRequest(tx, services, asked);
          await claim.settle(tx, stepUpId);
        });
        return { reference: stepUpId, answer: await finish(stepUpId) };
      },
      replay: finish,
    });
    if (answer.status === 'not_required') return await reply.code(200).send(answer);
    return await reply.code(201).send(answer);
  });
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const { database, logger } = services;
  const watch = createStepUpWatch(
    (tenantId, stepUpIds) =>
      readStepUpStandings(database, tenantId, { customerIds: [], stepUpIds }),
    (error) => {
      logger.warn({ err: error }, 'those who wait for a customer were not told: no database');
    },
  );
  const closing = new AbortController();
  app.addHook('preClose', async () => {
    closing.abort();
  });
  const config = { operationId: 'getStepUp', problems: OWN_PROBLEMS } as const;
  const schema = {
    summary: 'See how a step-up stands, or wait for the answer',
    tags,
    params: RequestedParams,
    querystring: WaitQuery,
    response: { 200: StepUpView },
  };
  app.get('/step-ups/:stepUpId', { config, schema }, async (request, reply) => {
    const subject = { tenantId: request.tenant.tenantId, stepUpId: request.params.stepUpId };
    const requester = requesterOf(callerOf(request, 'machine'));
    const first = await ownStepUp(services, { ...subject, requester });
    const waitSeconds = Number(request.query.wait ?? 0);
    if (waitSeconds === 0 || isAnswered(statusOf(first))) return requesterView(first);
    const gone = new AbortController();
    reply.raw.once('close', () => {
      gone.abort();
    });
    const time = AbortSignal.timeout(waitSeconds * 1000);
    const answered = watch.untilAnswered(
      { ...subject, clientId: requester.id },
      AbortSignal.any([time, gone.signal, closing.signal]),
    );
    if (answered === undefined)
      throw new LatchkeyError('too_many_requests', { retryAfterSeconds: AGAIN_SECONDS });
    // It stays for a while: what counts requests under way must not count it.
    request.facts.leave?.();
    await answered;
    return requesterView(await ownStepUp(services, { ...subject, requester }));
  });
}

function registerConsume(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'consumeStepUp',
    problems: [
      ...ENDED_PROBLEMS,
      'action_invalid',
      'action_mismatch',
      'insufficient_scope',
      'step_up_not_approved',
      'step_up_delayed',
      'customer_on_hold',
      'customer_frozen',
      'device_not_allowed',
      'credential_unknown',
    ],
  } as const;
  const schema = {
    summary: 'Use an approval, once, for exactly the action that was approved',
    description:
      'The action again, in any spelling of the same. A repeat answers the old fact (`isRepeat`), also after a cut-off (`revokedSince`). Works while Temporal is down.',
    tags,
    params: RequestedParams,
    body: ConsumeBody,
    response: { 200: ConsumedView },
  };
  app.post('/step-ups/:stepUpId/consume', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { stepUpId } = request.params;
    const client = callerOf(request, 'machine');
    const requester = requesterOf(client);
    const used = await services.database.tenant(tenantId, async (tx) => {
      const action = await readTenantAction(tx, tenantId, request.body.action);
      requireScopeOf(action, client);
      return await consumeStepUp(tx, services, { tenantId, stepUpId, requester, action });
    });
    return consumedView(stepUpId, used);
  });
}

function registerCancel(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'cancelStepUp', problems: ENDED_PROBLEMS } as const;
  const schema = {
    summary: 'Ask no longer',
    description: 'Until it is used. Works while Temporal is down.',
    tags,
    params: RequestedParams,
    body: EmptyBody,
    response: { 200: StepUpView },
  };
  app.post('/step-ups/:stepUpId/cancel', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { stepUpId } = request.params;
    const requester = requesterOf(callerOf(request, 'machine'));
    const { stepUp } = await services.database.tenant(tenantId, (tx) =>
      endStepUp(tx, services, {
        tenantId,
        stepUpId,
        requester,
        event: 'cancelled',
        actor: { kind: 'machine', id: requester.id },
      }),
    );
    return requesterView(stepUp);
  });
}

function requesterOf({ clientId }: MachineCaller): StepUpRequester {
  return { kind: 'client', id: clientId };
}

async function ownStepUp(
  { database }: ApiServices,
  subject: StepUpSubject & { readonly requester: StepUpRequester },
): Promise<StepUpRecord> {
  const record = await database.tenant(subject.tenantId, (tx) => stepUpOfRequester(tx, subject));
  if (record === undefined) throw new LatchkeyError('step_up_not_found');
  return record;
}

function consumedView(
  stepUpId: string,
  { consumedAtMs, approvedAtMs, acr, receiptId, isRepeat, revokedSinceMs }: StepUpUsed,
): ConsumedView {
  return {
    stepUpId,
    status: 'consumed',
    consumedAt: isoTime(consumedAtMs),
    approvedAt: isoTime(approvedAtMs),
    acr,
    receiptId,
    isRepeat,
    ...(revokedSinceMs === null ? {} : { revokedSince: isoTime(revokedSinceMs) }),
  };
}
