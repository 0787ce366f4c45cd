/** The steps of an enrollment that prove phone, identity and e-mail, over HTTP. Each hands in and waits for what the workflow made of it. */
import type { Static, TSchema } from 'typebox';
import type { ErrorCode } from '../../domain/errors.ts';
import type { StepDependencies } from '../ceremonies/step.ts';
import { normaliseEmail } from '../enrollment/contacts.ts';
import { STEPS, takeEnrollmentStep } from '../enrollment/steps.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  CodeBody,
  EmailBody,
  EnrollmentParams,
  EnrollmentView,
  IdentityBody,
} from '../schemas/enrollments.ts';
import type { LatchkeyApp } from '../types.ts';
import { CODE_PROBLEMS, RESEND_PROBLEMS, STEP_PROBLEMS } from './enrollment-problems.ts';

interface StepRoute<Body extends TSchema> {
  /** Below the enrollment. */
  readonly path: string;
  readonly problems: readonly ErrorCode[];
  readonly summary: string;
  readonly description?: string;
  readonly body: Body;
  /** What the submission holds; may refuse. */
  readonly prepare: (body: Static<Body>) => object;
}

export function registerStepRoutes(app: LatchkeyApp, deps: StepDependencies): void {
  const step = <Body extends TSchema>(
    operationId: keyof typeof STEPS,
    route: StepRoute<Body>,
  ): void => registerStep(app, deps, operationId, route);
  step('submitPhoneCode', {
    path: 'phone-code',
    problems: CODE_PROBLEMS,
    summary: 'Prove the phone number',
    body: CodeBody,
    prepare: (body) => body,
  });
  step('resendPhoneCode', {
    path: 'phone-code/resend',
    problems: RESEND_PROBLEMS,
    summary: 'Send another code to the phone',
    description: 'The code before it is dead from then on.',
    body: EmptyBody,
    prepare: (body) => body,
  });
  step('submitIdentity', {
    path: 'identity',
    problems: STEP_PROBLEMS,
    summary: 'Hand in the identity document',
    description: 'A supplier checks it: the state is identity_check until its verdict came.',
    body: IdentityBody,
    prepare: identityOf,
  });
  step('submitEmail', {
    path: 'email',
    problems: [...RESEND_PROBLEMS, 'email_invalid'],
    summary: 'Give the e-mail address',
    description: 'Sends a code there. Until it was right the address may be corrected.',
    body: EmailBody,
    prepare: ({ email }) => ({ email: normaliseEmail(email) }),
  });
  step('submitEmailCode', {
    path: 'email-code',
    problems: [...CODE_PROBLEMS, 'email_in_use'],
    summary: 'Prove the e-mail address',
    body: CodeBody,
    prepare: (body) => body,
  });
  step('resendEmailCode', {
    path: 'email-code/resend',
    problems: RESEND_PROBLEMS,
    summary: 'Send another code by e-mail',
    body: EmptyBody,
    prepare: (body) => body,
  });
}

function registerStep<Body extends TSchema>(
  app: LatchkeyApp,
  deps: StepDependencies,
  operationId: keyof typeof STEPS,
  { path, problems, prepare, ...schema }: StepRoute<Body>,
): void {
  app.post(
    `/auth/enrollments/:enrollmentId/${path}`,
    {
      config: { operationId, problems },
      schema: {
        ...schema,
        tags: ['enrollment'],
        params: EnrollmentParams,
        response: { 200: EnrollmentView },
      },
    },
    (request) =>
      takeEnrollmentStep(deps, request, {
        enrollmentId: request.params.enrollmentId,
        step: STEPS[operationId],
        // The schema of this route has let it through.
        prepare: () => prepare(request.body as Static<Body>),
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
