/**
 * From what an app hands in to what an approval's submission holds: both signatures verified over the challenge that this device was sent last.
 * It grants nothing; the workflow's transaction compares all of it with the rows as they stand then.
 */
import type { FastifyRequest } from 'fastify';
import { getClient } from '../../db/clients.ts';
import type { Tx } from '../../db/connection.ts';
import { passkeyOfCustomer } from '../../db/credentials.ts';
import { approvalKeyOf } from '../../db/devices.ts';
import type { VerifiedApproval } from '../../db/step-up-approval.ts';
import type { StepUpRecord } from '../../db/step-up.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireStrength } from '../callers/strength.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { ApproveStepUpBody } from '../schemas/customer-step-ups.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller } from '../types.ts';
import { verifyApprovalAssertion, verifyApprovalSignature } from '../webauthn/approval.ts';

/** A session whose device may speak for the customer. */
export type TrustedCaller = CustomerCaller & { readonly deviceId: string };

/** @throws LatchkeyError device_not_allowed (reported lost), insufficient_user_authentication (any other that may only read) */
export function requireTrustedDevice(caller: CustomerCaller, nowMs: number): TrustedCaller {
  const { deviceId } = caller;
  if (caller.deviceStatus === 'restricted') throw new LatchkeyError('device_not_allowed');
  requireStrength({ acr: 'latchkey:2' }, caller, nowMs);
  if (deviceId === undefined) throw new LatchkeyError('device_not_allowed');
  return { ...caller, deviceId };
}

/** @throws LatchkeyError with a code of its own for each thing that can be wrong. */
export async function prepareApproval(
  { database }: Pick<AppDependencies, 'database'>,
  request: FastifyRequest,
  {
    caller,
    body,
    read,
  }: {
    readonly caller: TrustedCaller;
    readonly body: ApproveStepUpBody;
    readonly read: (tx: Tx) => Promise<StepUpRecord>;
  },
): Promise<VerifiedApproval> {
  const { tenantId, rpId, issuer, origins } = request.tenant;
  const { customerId, deviceId, sessionId, clientId } = caller;
  const { assertion, approvalSignature } = body;
  const { record, credential, jwk, client } = await database.tenant(tenantId, async (tx) => ({
    record: await read(tx),
    credential: await passkeyOfCustomer(tx, { tenantId, customerId, webauthnId: assertion.id }),
    jwk: await approvalKeyOf(tx, { tenantId, deviceId }),
    client: await getClient(tx, tenantId, clientId),
  }));
  if (client?.status !== 'active') throw new LatchkeyError('unknown_client');
  if (record.deviceId !== null && record.deviceId !== deviceId)
    throw new LatchkeyError('device_not_allowed');
  // What was sent to one device is signed on that one.
  if (record.challenge === null || record.openedDeviceId !== deviceId || jwk === undefined)
    throw new LatchkeyError('challenge_invalid');
  const { stepUpId } = record;
  const challenge = Buffer.from(record.challenge).toString('base64url');
  const { signCount, isBackedUp } = await verifyApprovalAssertion({
    assertion,
    credential: credential?.status === 'active' ? credential : undefined,
    rpId,
    origins: [...origins, ...client.allowedOrigins, ...client.nativeAppIds],
    signed: { challenge },
  });
  if (credential === undefined) throw new LatchkeyError('credential_unknown');
  verifyApprovalSignature(approvalSignature, { jwk, signed: { stepUpId, challenge, issuer } });
  const { credentialId } = credential;
  return {
    kind: 'approval',
    credentialId,
    signCount,
    isBackedUp,
    assertion,
    approvalSignature,
    deviceId,
    sessionId,
  };
}

/** The caller of an operation that only a trusted device may take. */
export function trustedCallerOf(request: FastifyRequest, nowMs: number): TrustedCaller {
  return requireTrustedDevice(callerOf(request, 'customer'), nowMs);
}
