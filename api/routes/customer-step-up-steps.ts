/** The steps by which a customer approves: both signatures, then, when the value is high, the code. Each goes the whole way through the workflow. */
import type { ErrorCode } from '../../domain/errors.ts';
import { prepareApproval, trustedCallerOf } from '../step-ups/approval.ts';
import { customerSide, ownStepUp } from '../step-ups/own-step-up.ts';
import { STEP_UP_STEPS, takeStepUpStep } from '../step-ups/steps.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  ApproveStepUpBody,
  CustomerStepUp,
  StepUpCodeBody,
  StepUpParams,
} from '../schemas/customer-step-ups.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import type { LatchkeyApp } from '../types.ts';
import { CODE_PROBLEMS, RESEND_PROBLEMS, STEP_PROBLEMS } from './step-up-problems.ts';

const step = { tags: ['step-up'], params: StepUpParams, response: { 200: CustomerStepUp } };
const TRUSTED = ['device_not_allowed', 'insufficient_user_authentication'] as const;
const APPROVAL = [
  'unknown_client',
  'credential_invalid',
  'credential_unknown',
  'origin_mismatch',
  'relying_party_mismatch',
  'user_verification_missing',
  'challenge_invalid',
  'challenge_spent',
  'approval_invalid',
  'customer_on_hold',
  'customer_frozen',
  'session_ended',
] as const satisfies readonly ErrorCode[];

export function registerCustomerStepUpSteps(app: LatchkeyApp, services: ApiServices): void {
  registerApproval(app, services);
  registerCode(app, services);
  registerResend(app, services);
}

function registerApproval(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'approveStepUp' as const,
    problems: [...STEP_PROBLEMS, ...TRUSTED, ...APPROVAL],
  };
  const schema = {
    ...step,
    summary: 'Approve what one is asked for',
    description:
      'Both signatures are over the challenge of the last opening. With latchkey:4 a code that names amount and payee goes out next.',
    body: ApproveStepUpBody,
  };
  app.post('/auth/step-ups/:stepUpId/approve', { config, schema }, (request) => {
    const caller = trustedCallerOf(request, services.clock.nowMs());
    const { stepUpId } = request.params;
    return takeStepUpStep(services, customerSide(services), request, {
      stepUpId,
      step: STEP_UP_STEPS.approve,
      prepare: () =>
        prepareApproval(services, request, {
          caller,
          body: request.body,
          read: (tx) => ownStepUp(tx, request, stepUpId),
        }),
    });
  });
}

function registerCode(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'submitStepUpCode' as const,
    problems: [...CODE_PROBLEMS, ...TRUSTED],
  };
  const schema = { ...step, summary: 'Prove the code of an approval', body: StepUpCodeBody };
  app.post('/auth/step-ups/:stepUpId/code', { config, schema }, (request) => {
    trustedCallerOf(request, services.clock.nowMs());
    return takeStepUpStep(services, customerSide(services), request, {
      stepUpId: request.params.stepUpId,
      step: STEP_UP_STEPS.code,
      prepare: () => request.body,
    });
  });
}

function registerResend(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'resendStepUpCode' as const,
    problems: [...RESEND_PROBLEMS, ...TRUSTED],
  };
  const schema = {
    ...step,
    summary: 'Send another code for an approval',
    description: 'The code before it is dead from then on.',
    body: EmptyBody,
  };
  app.post('/auth/step-ups/:stepUpId/resend-code', { config, schema }, (request) => {
    trustedCallerOf(request, services.clock.nowMs());
    return takeStepUpStep(services, customerSide(services), request, {
      stepUpId: request.params.stepUpId,
      step: STEP_UP_STEPS.resendCode,
      prepare: () => request.body,
    });
  });
}
