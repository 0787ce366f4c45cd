/** The last step of an enrollment over HTTP: the options for a passkey, which write nothing, and its binding with both device keys. */
import type { FastifyRequest } from 'fastify';
import { getClient } from '../../db/clients.ts';
import { enrollmentEmail } from '../../db/enrollment-view.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { issueChallenge } from '../proofs/challenges.ts';
import { stepRefusal } from '../enrollment/answers.ts';
import { preparePasskey, registrationContext } from '../enrollment/passkey.ts';
import type { StepDependencies } from '../ceremonies/step.ts';
import { ownEnrollment, STEPS, takeEnrollmentStep } from '../enrollment/steps.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import {
  BindPasskeyBody,
  EnrollmentParams,
  EnrollmentView,
  PasskeyOptionsAnswer,
} from '../schemas/enrollments.ts';
import { callerOf, type LatchkeyApp } from '../types.ts';
import { registrationOptions } from '../webauthn/registration.ts';
import { STEP_PROBLEMS } from './enrollment-problems.ts';

const tags = ['enrollment'];

export function registerPasskeyRoutes(app: LatchkeyApp, deps: StepDependencies): void {
  registerOptions(app, deps);
  registerBinding(app, deps);
}

function registerOptions(app: LatchkeyApp, deps: StepDependencies): void {
  const { database, personalData, kms, clock } = deps;
  const config = {
    operationId: 'createPasskeyOptions',
    problems: ['ceremony_not_found', 'wrong_step', 'ceremony_ended', 'ceremony_expired', 'revoked'],
  } as const;
  const schema = {
    summary: 'Ask for passkey options',
    description: 'Writes nothing. The challenge is good for this key and this enrollment, once.',
    tags,
    params: EnrollmentParams,
    body: EmptyBody,
    response: { 200: PasskeyOptionsAnswer },
  };
  const path = '/auth/enrollments/:enrollmentId/passkey-options';
  app.post(path, { config, schema }, async (request) => {
    const { tenantId, rpId, name, policy } = request.tenant;
    const { record, email } = await database.tenant(tenantId, async (tx) => {
      const found = await ownEnrollment(tx, request, request.params.enrollmentId);
      if (found.state !== 'passkey') throw stepRefusal(found);
      return { record: found, email: await enrollmentEmail(tx, personalData, found) };
    });
    const { ttlSeconds } = policy.challenge;
    const context = registrationContext({ rpId }, { ...record, ceremonyId: record.enrollmentId });
    const challenge = issueChallenge({ kms, clock }, context, ttlSeconds);
    const options = await registrationOptions({
      rpId,
      rpName: name,
      challenge,
      user: { handle: record.customerId, name: email ?? name, displayName: email ?? name },
      timeoutSeconds: ttlSeconds,
    });
    // One challenge for both, so that the passkey and the approval key are bound in one act.
    return { options, approvalChallenge: challenge };
  });
}

function registerBinding(app: LatchkeyApp, deps: StepDependencies): void {
  const config = {
    operationId: 'bindPasskey',
    problems: [
      ...STEP_PROBLEMS,
      'challenge_invalid',
      'challenge_spent',
      'origin_mismatch',
      'relying_party_mismatch',
      'user_verification_missing',
      'credential_invalid',
      'credential_exists',
      'approval_key_invalid',
      'device_key_exists',
    ],
  } as const;
  const schema = {
    summary: 'Bind passkey and device',
    description:
      'The passkey, the approval key and the session key of this request are bound together. The customer is active and the device trusted then; the app logs in next.',
    tags,
    params: EnrollmentParams,
    body: BindPasskeyBody,
    response: { 200: EnrollmentView },
  };
  const path = '/auth/enrollments/:enrollmentId/passkey';
  app.post(path, { config, schema }, (request) => {
    const { enrollmentId } = request.params;
    return takeEnrollmentStep(deps, request, {
      enrollmentId,
      step: STEPS.bindPasskey,
      prepare: () => verifiedPasskey(deps, request, enrollmentId, request.body),
    });
  });
}

async function verifiedPasskey(
  { database, kms }: StepDependencies,
  request: FastifyRequest,
  enrollmentId: string,
  body: BindPasskeyBody,
): Promise<object> {
  const { tenantId, rpId, origins } = request.tenant;
  const { record, client } = await database.tenant(tenantId, async (tx) => {
    const found = await ownEnrollment(tx, request, enrollmentId);
    return { record: found, client: await getClient(tx, tenantId, found.clientId) };
  });
  if (client?.status !== 'active') throw new LatchkeyError('unknown_client');
  return await preparePasskey({
    kms,
    rpId,
    origins: [...origins, ...client.allowedOrigins, ...client.nativeAppIds],
    record: { ...record, ceremonyId: record.enrollmentId },
    sessionJwk: callerOf(request, 'key').jwk,
    body,
  });
}
