/** The last step of a recovery over HTTP: the options for a passkey, which write nothing, and its binding with both keys of the new phone. */
import type { FastifyRequest } from 'fastify';
import { getClient } from '../../db/clients.ts';
import { provedContacts } from '../../db/contacts.ts';
import type { VerifiedRecoveryPasskey } from '../../db/recovery-binding.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { StepDependencies } from '../ceremonies/step.ts';
import { preparePasskey, registrationContext } from '../enrollment/passkey.ts';
import { issueChallenge } from '../proofs/challenges.ts';
import { registeringPhone, takePasskeyStep } from '../recovery/passkey-step.ts';
import { phonesRecovery } from '../recovery/standing.ts';
import { BindPasskeyBody, PasskeyOptionsAnswer } from '../schemas/enrollments.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { RecoveryParams, RecoveryView } from '../schemas/recoveries.ts';
import { callerOf, type LatchkeyApp } from '../types.ts';
import { registrationOptions } from '../webauthn/registration.ts';

const tags = ['recovery'];
const STANDING_PROBLEMS = [
  'recovery_not_found',
  'wrong_step',
  'recovery_held',
  'ceremony_ended',
  'ceremony_expired',
] as const;

export function registerRecoveryPasskeyRoutes(app: LatchkeyApp, deps: StepDependencies): void {
  registerOptions(app, deps);
  registerBinding(app, deps);
}

function registerOptions(app: LatchkeyApp, deps: StepDependencies): void {
  const { database, personalData, kms, clock } = deps;
  const config = {
    operationId: 'createRecoveryPasskeyOptions',
    problems: STANDING_PROBLEMS,
  } as const;
  const schema = {
    summary: 'Ask for passkey options for the new phone',
    description: 'Writes nothing. The challenge is good for this key and this recovery, once.',
    tags,
    params: RecoveryParams,
    body: EmptyBody,
    response: { 200: PasskeyOptionsAnswer },
  };
  const path = '/recoveries/:recoveryId/passkey-options';
  app.post(path, { config, schema }, async (request) => {
    const { tenantId, rpId, name, policy } = request.tenant;
    const { phone, email } = await database.tenant(tenantId, async (tx) => {
      const record = await phonesRecovery(tx, request, request.params.recoveryId);
      const registering = registeringPhone(record);
      const contacts = await provedContacts(tx, personalData, record, ['email']);
      return { phone: registering, email: contacts.email };
    });
    const { ttlSeconds } = policy.challenge;
    const challenge = issueChallenge(
      { kms, clock },
      registrationContext({ rpId }, phone),
      ttlSeconds,
    );
    const options = await registrationOptions({
      rpId,
      rpName: name,
      challenge,
      user: { handle: phone.customerId, name: email ?? name, displayName: email ?? name },
      timeoutSeconds: ttlSeconds,
    });
    return { options, approvalChallenge: challenge };
  });
}

function registerBinding(app: LatchkeyApp, deps: StepDependencies): void {
  const config = {
    operationId: 'bindRecoveredPasskey',
    problems: [
      ...STANDING_PROBLEMS,
      'unknown_client',
      'revoked',
      'customer_on_hold',
      'factors_missing',
      'cooling_off',
      'approval_void',
      'device_too_weak',
      'too_many_updates',
      'submission_expired',
      'outcome_pending',
      'temporal_unavailable',
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
    summary: 'Bind the new phone and its passkey',
    description:
      'Under a new epoch: every phone, passkey and session of before ends in the same moment. The app logs in next.',
    tags,
    params: RecoveryParams,
    body: BindPasskeyBody,
    response: { 200: RecoveryView },
  };
  app.post('/recoveries/:recoveryId/passkey', { config, schema }, (request) => {
    const { recoveryId } = request.params;
    return takePasskeyStep(deps, request, {
      recoveryId,
      prepare: () => verifiedPasskey(deps, request, recoveryId, request.body),
    });
  });
}

async function verifiedPasskey(
  { database, kms }: StepDependencies,
  request: FastifyRequest,
  recoveryId: string,
  body: BindPasskeyBody,
): Promise<VerifiedRecoveryPasskey> {
  const { tenantId, rpId, origins } = request.tenant;
  const { record, client } = await database.tenant(tenantId, async (tx) => {
    const found = registeringPhone(await phonesRecovery(tx, request, recoveryId));
    return { record: found, client: await getClient(tx, tenantId, found.clientId) };
  });
  if (client?.status !== 'active') throw new LatchkeyError('unknown_client');
  const { jkt, jwk } = callerOf(request, 'key');
  const passkey = await preparePasskey({
    kms,
    rpId,
    origins: [...origins, ...client.allowedOrigins, ...client.nativeAppIds],
    record,
    sessionJwk: jwk,
    body,
  });
  // No attestation is asked for: the key stands for itself, as at enrollment.
  return { ...passkey, sessionJkt: jkt, attestationLevel: 'software' };
}
