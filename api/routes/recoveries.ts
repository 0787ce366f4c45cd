/**
 * A case as the new phone works on it: the waiting room, the liveness check, the passkey, and giving up. Reading, checking and giving up go on while
 * Temporal is away; the passkey alone goes through the workflow. It must never be shown to another key than the case's.
 */
import { cancelRecovery } from '../../db/recovery-ends.ts';
import { openLivenessAttempt } from '../../db/recovery-liveness.ts';
import type { ApiServices } from '../dependencies.ts';
import { answerRecovery, phonesRecovery } from '../recovery/standing.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { RecoveryParams, RecoveryView } from '../schemas/recoveries.ts';
import { callerOf, type LatchkeyApp } from '../types.ts';
import { registerRecoveryPasskeyRoutes } from './recovery-passkeys.ts';

const tags = ['recovery'];
const params = RecoveryParams;
const response = { 200: RecoveryView };
const ENDED_PROBLEMS = ['recovery_held', 'ceremony_ended', 'ceremony_expired'] as const;

export function registerRecoveryRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerReading(app, services);
  registerLiveness(app, services);
  registerRecoveryPasskeyRoutes(app, services);
  registerCancel(app, services);
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'getRecovery', problems: ['recovery_not_found'] } as const;
  const schema = {
    summary: 'Look where the case stands',
    description:
      'For the key of the new phone; for any other it does not exist. While a liveness check waits, it carries what the vendor’s part of the app needs.',
    tags,
    params,
    response,
  };
  app.get('/recoveries/:recoveryId', { config, schema }, (request) =>
    services.database.tenant(request.tenant.tenantId, async (tx) =>
      answerRecovery(tx, services, await phonesRecovery(tx, request, request.params.recoveryId)),
    ),
  );
}

function registerLiveness(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'beginLiveness',
    problems: ['recovery_not_found', 'wrong_step', 'attempts_exhausted', ...ENDED_PROBLEMS],
  } as const;
  const schema = {
    summary: 'Begin a liveness check',
    description:
      'A new one takes the place of the former. The vendor’s session is made behind it: look at the case until the check is `ready`.',
    tags,
    params,
    body: EmptyBody,
    response,
  };
  app.post('/recoveries/:recoveryId/liveness', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { recoveryId } = request.params;
    const { jkt } = callerOf(request, 'key');
    const answer = () =>
      database.tenant(tenantId, async (tx) =>
        answerRecovery(tx, services, await phonesRecovery(tx, request, recoveryId)),
      );
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          await openLivenessAttempt(tx, services, { tenantId, recoveryId, jkt });
          await claim.settle(tx, recoveryId);
        });
        return { reference: recoveryId, answer: await answer() };
      },
      replay: answer,
    });
  });
}

function registerCancel(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'cancelRecovery',
    problems: ['recovery_not_found', ...ENDED_PROBLEMS],
  } as const;
  const schema = {
    summary: 'Give the recovery up',
    description: 'The account is as it was. Works while Temporal is down.',
    tags,
    params,
    body: EmptyBody,
    response,
  };
  app.post('/recoveries/:recoveryId/cancel', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { recoveryId } = request.params;
    const { jkt } = callerOf(request, 'key');
    const subject = { tenantId, recoveryId };
    const answer = () =>
      database.tenant(tenantId, async (tx) =>
        answerRecovery(tx, services, await phonesRecovery(tx, request, recoveryId)),
      );
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          await cancelRecovery(tx, { subject, jkt });
          await claim.settle(tx, recoveryId);
        });
        return { reference: recoveryId, answer: await answer() };
      },
      replay: answer,
    });
  });
}
