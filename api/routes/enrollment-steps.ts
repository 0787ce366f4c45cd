/** The steps of an enrollment that prove phone, identity and e-mail, over HTTP. Each hands in and waits for what the workflow made of it. */
import { normaliseEmail } from '../contacts.ts';
import { STEPS, takeStep, type StepDependencies } from '../enrollment-steps.ts';
import {
  CodeBody,
  EmailBody,
  EmptyBody,
  EnrollmentParams,
  EnrollmentView,
  IdentityBody,
} from '../schemas/enrollments.ts';
import type { LatchkeyApp } from '../types.ts';
import { CODE_PROBLEMS, RESEND_PROBLEMS, STEP_PROBLEMS } from './enrollment-problems.ts';

const tags = ['enrollment'];
const response = { 200: EnrollmentView };

export function registerStepRoutes(app: LatchkeyApp, deps: StepDependencies): void {
  registerPhone(app, deps);
  registerIdentity(app, deps);
  registerEmail(app, deps);
  registerEmailCode(app, deps);
}

function registerPhone(app: LatchkeyApp, deps: StepDependencies): void {
  app.post(
    '/auth/enrollments/:enrollmentId/phone-code',
    {
      config: { operationId: 'submitPhoneCode', problems: CODE_PROBLEMS },
      schema: {
        summary: 'Prove the phone number',
        tags,
        params: EnrollmentParams,
        body: CodeBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.submitPhoneCode,
        prepare: () => request.body,
      }),
  );
  app.post(
    '/auth/enrollments/:enrollmentId/phone-code/resend',
    {
      config: { operationId: 'resendPhoneCode', problems: RESEND_PROBLEMS },
      schema: {
        summary: 'Send another code to the phone',
        description: 'The code before it is dead from then on.',
        tags,
        params: EnrollmentParams,
        body: EmptyBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.resendPhoneCode,
        prepare: () => ({}),
      }),
  );
}

function registerIdentity(app: LatchkeyApp, deps: StepDependencies): void {
  app.post(
    '/auth/enrollments/:enrollmentId/identity',
    {
      config: { operationId: 'submitIdentity', problems: STEP_PROBLEMS },
      schema: {
        summary: 'Hand in the identity document',
        description: 'A supplier checks it: the state is identity_check until its verdict came.',
        tags,
        params: EnrollmentParams,
        body: IdentityBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.submitIdentity,
        prepare: () => identityOf(request.body),
      }),
  );
}

/** One person, one form: the document's number is what he is known by. */
function identityOf({ givenName, familyName, birthDate, documentNumber }: IdentityBody): object {
  return {
    givenName: givenName.trim(),
    familyName: familyName.trim(),
    birthDate,
    documentNumber: documentNumber.replaceAll(/[ -]/g, '').toUpperCase(),
  };
}

function registerEmail(app: LatchkeyApp, deps: StepDependencies): void {
  app.post(
    '/auth/enrollments/:enrollmentId/email',
    {
      config: {
        operationId: 'submitEmail',
        problems: [...RESEND_PROBLEMS, 'email_invalid'],
      },
      schema: {
        summary: 'Give the e-mail address',
        description: 'Sends a code there. Until it was right the address may be corrected.',
        tags,
        params: EnrollmentParams,
        body: EmailBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.submitEmail,
        prepare: () => ({ email: normaliseEmail(request.body.email) }),
      }),
  );
}

function registerEmailCode(app: LatchkeyApp, deps: StepDependencies): void {
  app.post(
    '/auth/enrollments/:enrollmentId/email-code',
    {
      config: { operationId: 'submitEmailCode', problems: [...CODE_PROBLEMS, 'email_in_use'] },
      schema: {
        summary: 'Prove the e-mail address',
        tags,
        params: EnrollmentParams,
        body: CodeBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.submitEmailCode,
        prepare: () => request.body,
      }),
  );
  app.post(
    '/auth/enrollments/:enrollmentId/email-code/resend',
    {
      config: { operationId: 'resendEmailCode', problems: RESEND_PROBLEMS },
      schema: {
        summary: 'Send another code by e-mail',
        tags,
        params: EnrollmentParams,
        body: EmptyBody,
        response,
      },
    },
    (request) =>
      takeStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS.resendEmailCode,
        prepare: () => ({}),
      }),
  );
}
