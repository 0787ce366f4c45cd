/** The one step of a recovery that goes the whole way through its workflow: the passkey of the new phone. How a step is taken stands in api/ceremonies/step.ts. */
import type { FastifyRequest } from 'fastify';
import type { RecoveryRecord } from '../../db/recovery.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { takeStep, type CeremonyStep, type StepDependencies } from '../ceremonies/step.ts';
import type { RegisteringPhone } from '../enrollment/passkey.ts';
import type { RecoveryView } from '../schemas/recoveries.ts';
import { callerOf } from '../types.ts';
import { answerRecovery, phonesRecovery, recoveryRefusal } from './standing.ts';

const STEP = {
  step: 'recovery_passkey',
  update: 'bindPasskey',
  states: ['rebind'],
} as const satisfies CeremonyStep;

/** @throws LatchkeyError when the passkey is not due. */
export function registeringPhone(record: RecoveryRecord): RegisteringPhone {
  const { tenantId, recoveryId, customerId, clientId, jkt, nowMs } = record;
  if (record.state !== 'rebind') throw recoveryRefusal(record);
  // The case is this key's: it has both.
  if (clientId === null || jkt === null) throw new LatchkeyError('recovery_not_found');
  return { tenantId, ceremonyId: recoveryId, customerId, clientId, jkt, nowMs };
}

export async function takePasskeyStep(
  deps: StepDependencies,
  request: FastifyRequest,
  { recoveryId, prepare }: { recoveryId: string; prepare: () => Promise<object> },
): Promise<RecoveryView> {
  return await takeStep(
    deps,
    {
      kind: 'recovery',
      own: phonesRecovery,
      refusal: recoveryRefusal,
      resends: () => undefined,
      actor: () => callerOf(request, 'key').jkt,
      // What is refused leaves no outcome: the passkey is made anew.
      refusedAs: () => undefined,
      answer: () =>
        deps.database.tenant(request.tenant.tenantId, async (tx) =>
          answerRecovery(tx, deps, await phonesRecovery(tx, request, recoveryId)),
        ),
    },
    request,
    { ceremonyId: recoveryId, step: STEP, prepare },
  );
}
