/**
 * A login that needs more, on from its refusal: the key that began it hands in the code, asks for another, and in the end gets its tokens. Code
 * and resending go the whole way through the workflow; the end is one transaction that uses the approval and begins the session.
 */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { finishLogin, loginRequester } from '../../db/login-factor.ts';
import { stepUpOfRequester, type StepUpRecord } from '../../db/step-up.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { STEP_UP_STEPS, takeStepUpStep, type StepUpSide } from '../step-ups/steps.ts';
import { loginStepUp } from '../step-ups/customer-views.ts';
import type { ApiServices } from '../dependencies.ts';
import { StepUpCodeBody, StepUpParams } from '../schemas/customer-step-ups.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { SessionTokens } from '../schemas/login.ts';
import { LoginStepUpView } from '../schemas/login-step-ups.ts';
import { answerLogin, answerLoginAgain, newFamily, placeSealer } from '../tokens/login-tokens.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';
import {
  CODE_PROBLEMS,
  ENDED_PROBLEMS,
  OWN_PROBLEMS,
  RESEND_PROBLEMS,
} from './step-up-problems.ts';

const tags = ['session'];
const params = StepUpParams;
const response = { 200: LoginStepUpView };

export function registerLoginStepUpRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerReading(app, services);
  registerCode(app, services);
  registerResend(app, services);
  registerFinish(app, services);
}

/** Of the key that began the login. @throws LatchkeyError step_up_not_found */
async function ownLogin(tx: Tx, request: FastifyRequest, stepUpId: string): Promise<StepUpRecord> {
  const { tenantId } = request.tenant;
  const requester = loginRequester(callerOf(request, 'key').jkt);
  const record = await stepUpOfRequester(tx, { tenantId, stepUpId, requester });
  if (record === undefined) throw new LatchkeyError('step_up_not_found');
  return record;
}

function sideOf(services: ApiServices): StepUpSide<LoginStepUpView> {
  return {
    own: ownLogin,
    actor: (request) => callerOf(request, 'key').jkt,
    answer: (request, stepUpId) =>
      services.database.tenant(request.tenant.tenantId, async (tx) =>
        loginStepUp(tx, services, await ownLogin(tx, request, stepUpId)),
      ),
  };
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'getLoginStepUp' as const, problems: OWN_PROBLEMS };
  const schema = {
    summary: 'Look at a login that needs more',
    description: 'For the key that began it; for any other it does not exist.',
    tags,
    params,
    response,
  };
  app.get('/auth/login-step-ups/:stepUpId', { config, schema }, (request) =>
    sideOf(services).answer(request, request.params.stepUpId),
  );
}

function registerCode(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'submitLoginCode' as const, problems: CODE_PROBLEMS };
  const schema = {
    summary: 'Prove the code of a login',
    tags,
    params,
    body: StepUpCodeBody,
    response,
  };
  app.post('/auth/login-step-ups/:stepUpId/code', { config, schema }, (request) =>
    takeStepUpStep(services, sideOf(services), request, {
      stepUpId: request.params.stepUpId,
      step: STEP_UP_STEPS.code,
      prepare: () => request.body,
    }),
  );
}

function registerResend(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'resendLoginCode' as const, problems: RESEND_PROBLEMS };
  const schema = {
    summary: 'Send another code for a login',
    description: 'The code before it is dead from then on.',
    tags,
    params,
    body: EmptyBody,
    response,
  };
  app.post('/auth/login-step-ups/:stepUpId/resend-code', { config, schema }, (request) =>
    takeStepUpStep(services, sideOf(services), request, {
      stepUpId: request.params.stepUpId,
      step: STEP_UP_STEPS.resendCode,
      prepare: () => request.body,
    }),
  );
}

function registerFinish(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'finishLogin' as const,
    problems: [
      ...ENDED_PROBLEMS,
      'step_up_not_approved',
      'customer_on_hold',
      'credential_unknown',
      'device_not_allowed',
      'session_limit_reached',
      'challenge_spent',
      'session_ended',
    ] as const,
  };
  const schema = {
    summary: 'Finish a login that needed more',
    description:
      'Once. Needs no Temporal. Repeated with the same Idempotency-Key it answers the same refresh token until that was used, and as long as a challenge lives.',
    tags,
    params,
    body: EmptyBody,
    response: { 200: SessionTokens },
  };
  app.post('/auth/login-step-ups/:stepUpId/finish', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const { jkt } = callerOf(request, 'key');
    const { stepUpId } = request.params;
    return idempotency.run(request, {
      work: async (claim) => {
        const family = newFamily(services);
        const { sessionId } = family;
        const session = await database.tenant(tenantId, async (tx) => {
          const { customerId } = await ownLogin(tx, request, stepUpId);
          const place = placeSealer(services, request, customerId);
          const login = { tenantId, stepUpId, jkt, ...family, ...place };
          return await finishLogin(tx, services, login, (settling) =>
            claim.settle(settling, sessionId),
          );
        });
        return { reference: sessionId, answer: await answerLogin(services, tenant, session) };
      },
      replay: (sessionId) => answerLoginAgain(services, request, sessionId),
    });
  });
}
