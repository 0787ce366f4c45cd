/** A step-up as the customer's own session finds it: anybody else's does not exist, and what it may read depends on how it logged in. */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { stepUpOfCustomer, type StepUpRecord } from '../../db/step-up.ts';
import { isReadOnly } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { CustomerStepUp } from '../schemas/customer-step-ups.ts';
import { callerOf } from '../types.ts';
import type { StepUpSide } from './steps.ts';
import { customerStepUp } from './customer-views.ts';

/** @throws LatchkeyError step_up_not_found */
export async function ownStepUp(
  tx: Tx,
  request: FastifyRequest,
  stepUpId: string,
): Promise<StepUpRecord> {
  const { tenantId } = request.tenant;
  const { customerId } = callerOf(request, 'customer');
  const record = await stepUpOfCustomer(tx, { tenantId, stepUpId, customerId });
  if (record === undefined) throw new LatchkeyError('step_up_not_found');
  return record;
}

export async function showStepUp(
  tx: Tx,
  tools: Pick<AppDependencies, 'personalData'>,
  request: FastifyRequest,
  record: StepUpRecord,
): Promise<CustomerStepUp> {
  const isMasked = isReadOnly(callerOf(request, 'customer').acr);
  return await customerStepUp(tx, tools, { record, isMasked });
}

export function customerSide(
  deps: Pick<AppDependencies, 'database' | 'personalData'>,
): StepUpSide<CustomerStepUp> {
  return {
    own: ownStepUp,
    actor: (request) => callerOf(request, 'customer').sessionId,
    answer: (request, stepUpId) =>
      deps.database.tenant(request.tenant.tenantId, async (tx) =>
        showStepUp(tx, deps, request, await ownStepUp(tx, request, stepUpId)),
      ),
  };
}
