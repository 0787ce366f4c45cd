/** The steps of an enrollment, for the key that began it. How a step is taken stands in api/ceremonies/step.ts. */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { enrollmentOfKey } from '../../db/enrollment-view.ts';
import type { EnrollmentRecord } from '../../db/enrollment.ts';
import { parseOutcome } from '../../db/step-submissions.ts';
import { REFUSED_GUESSES } from '../../domain/enrollment.ts';
import type { EnrollmentState } from '../../domain/enrollment.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { takeStep, type CeremonyStep, type StepDependencies } from '../ceremonies/step.ts';
import type { EnrollmentView } from '../schemas/enrollments.ts';
import { callerOf } from '../types.ts';
import { answerEnrollment, stepRefusal } from './answers.ts';

interface Step extends CeremonyStep {
  readonly states: readonly EnrollmentState[];
}

export const STEPS = {
  submitPhoneCode: { step: 'phone', update: 'submitPhoneCode', states: ['phone'] },
  resendPhoneCode: { step: 'phone_resend', update: 'resendPhoneCode', states: ['phone'] },
  submitIdentity: { step: 'identity_check', update: 'identityDetails', states: ['identity'] },
  submitEmail: { step: 'email', update: 'submitEmail', states: ['email', 'email_code'] },
  submitEmailCode: { step: 'email_code', update: 'submitEmailCode', states: ['email_code'] },
  resendEmailCode: { step: 'email_code_resend', update: 'resendEmailCode', states: ['email_code'] },
  bindPasskey: { step: 'passkey', update: 'bindPasskey', states: ['passkey'] },
} as const satisfies Record<string, Step>;

const RESENT = { phone_resend: 'phone', email_code_resend: 'email_code' } as const;

/** Of the asking key; for any other it does not exist. @throws LatchkeyError ceremony_not_found */
export async function ownEnrollment(
  tx: Tx,
  request: FastifyRequest,
  enrollmentId: string,
): Promise<EnrollmentRecord> {
  const { jkt } = callerOf(request, 'key');
  const { tenantId } = request.tenant;
  const record = await enrollmentOfKey(tx, { tenantId, enrollmentId, jkt });
  if (record === undefined) throw new LatchkeyError('ceremony_not_found');
  return record;
}

/** `prepare` verifies what came and answers what the submission holds; it may refuse, and nothing was written then. */
export async function takeEnrollmentStep(
  deps: StepDependencies,
  request: FastifyRequest,
  args: {
    readonly enrollmentId: string;
    readonly step: Step;
    readonly prepare: () => object | Promise<object>;
  },
): Promise<EnrollmentView> {
  const { enrollmentId, step, prepare } = args;
  return await takeStep(
    deps,
    {
      kind: 'enrollment',
      own: ownEnrollment,
      refusal: stepRefusal,
      resends: (name) =>
        name === 'phone_resend' || name === 'email_code_resend' ? RESENT[name] : undefined,
      actor: ({ jkt }) => jkt,
      refusedAs,
      answer: ({ tenant: { tenantId } }) => answerEnrollment(deps, { tenantId, enrollmentId }),
    },
    request,
    { ceremonyId: enrollmentId, step, prepare },
  );
}

/** What was said to a submission is said again. */
function refusedAs(outcome: string, { state }: EnrollmentRecord): LatchkeyError | undefined {
  if (outcome === 'accepted') return undefined;
  const { fact, attemptsLeft } = parseOutcome(outcome);
  const code = REFUSED_GUESSES[fact];
  if (code === undefined) return undefined;
  return new LatchkeyError(code, {
    extra: { state, ...(attemptsLeft === null ? {} : { attemptsLeft }) },
  });
}
