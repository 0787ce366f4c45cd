/**
 * A customer's freeze at the operations door: placed by whoever has him on the line, lifted by a supervisor. The reason is picked, everything is
 * audited, and the customer is told.
 */
import { liftFreeze, placeFreeze } from '../../db/freeze.ts';
import type { ApiServices } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import { FreezeLiftedAnswer, FrozenAnswer, StaffFreezeBody } from '../schemas/freezes.ts';
import { CustomerParams } from '../schemas/staff-customers.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

const tags = ['staff'];

export function registerStaffFreezeRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerFreeze(app, services);
  registerLift(app, services);
}

function registerFreeze(app: LatchkeyApp, { database, idempotency, newId }: ApiServices): void {
  const config = { operationId: 'freezeByStaff', problems: ['not_found'] } as const;
  const schema = {
    summary: 'Freeze a customer’s account',
    description:
      'No money moves and nothing sensitive changes; logins and reading go on. It ends by itself, by the customer’s passkey, or by a supervisor.',
    tags,
    params: CustomerParams,
    body: StaffFreezeBody,
    response: { 200: FrozenAnswer },
  };
  app.post('/staff/customers/:customerId/freeze', { config, schema }, (request) => {
    const { tenantId, policy } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    return idempotency.run(request, {
      work: async (claim) => {
        const frozenUntil = await database.tenant(tenantId, async (tx) => {
          const frozen = await placeFreeze(tx, {
            tenantId,
            customerId,
            freezeId: newId('freeze'),
            how: 'staff',
            by: { kind: 'staff', id: staffId },
            isProved: true,
            reason: request.body.reason,
            policy: policy.freeze,
          });
          const until = isoTime(frozen.frozenUntilMs);
          await claim.settle(tx, until);
          return until;
        });
        return { reference: frozenUntil, answer: { frozenUntil } };
      },
      replay: (frozenUntil) => Promise.resolve({ frozenUntil }),
    });
  });
}

function registerLift(app: LatchkeyApp, { database, idempotency }: ApiServices): void {
  const config = { operationId: 'liftFreezeByStaff', problems: ['not_found'] } as const;
  const schema = {
    summary: 'End the freeze of a customer’s account',
    description: 'By a supervisor, for a customer who cannot use his passkey. He is told.',
    tags,
    params: CustomerParams,
    body: StaffFreezeBody,
    response: { 200: FreezeLiftedAnswer },
  };
  app.post('/staff/customers/:customerId/lift-freeze', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { staffId } = callerOf(request, 'staff');
    const { customerId } = request.params;
    const { reason } = request.body;
    const answer = { frozenUntil: null };
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          await liftFreeze(tx, {
            tenantId,
            customerId,
            reason,
            by: { kind: 'staff', id: staffId },
          });
          await claim.settle(tx, customerId);
        });
        return { reference: customerId, answer };
      },
      replay: () => Promise.resolve(answer),
    });
  });
}
