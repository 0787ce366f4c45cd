/**
 * What a fraud engine may do: cut a customer off with one call, watch the revocation, lift the hold. The cut-off is one transaction in
 * PostgreSQL and asks nothing of Temporal: it works while every worker is down.
 */
import { cutOff, releaseHold, releaseOf, wasHeld } from '../../db/cut-off.ts';
import type { Release } from '../../db/cut-off.ts';
import { revocationFacts } from '../../db/revocation.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { RevocationFacts } from '../../domain/revocation.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Idempotency } from '../idempotency.ts';
import {
  CutOffAnswer,
  FraudSignalBody,
  ReleaseAnswer,
  ReleaseBody,
  RevocationParams,
  RevocationView,
} from '../schemas/fraud.ts';
import { isoTime } from '../iso-time.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';

type Parts = Pick<AppDependencies, 'database' | 'newId'> & { readonly idempotency: Idempotency };

export function registerFraudRoutes(app: LatchkeyApp, parts: Parts): void {
  registerSignal(app, parts);
  registerRevocation(app, parts);
  registerRelease(app, parts);
}

function registerSignal(app: LatchkeyApp, { database, newId, idempotency }: Parts): void {
  const schema = {
    summary: 'Cut a customer off',
    description:
      'Raises the security epoch, places a hold and suspends every device and passkey in one transaction. From its commit nothing that began before succeeds.',
    tags: ['fraud'],
    body: FraudSignalBody,
    response: { 202: CutOffAnswer },
  };
  const config = { operationId: 'fraudSignal', problems: ['not_found'] } as const;
  app.post('/fraud/signals', { config, schema }, async (request, reply) => {
    const { tenantId, policy } = request.tenant;
    const { clientId } = callerOf(request, 'machine');
    const { customerId, reason } = request.body;
    const answer = await idempotency.run(request, {
      work: async (claim) => {
        const revocationId = newId('revocation');
        const done = await database.tenant(tenantId, async (tx) => {
          const cut = {
            tenantId,
            customerId,
            revocationId,
            holdId: newId('hold'),
            reason,
            actor: { kind: 'machine' as const, id: clientId },
            localTokenSeconds: policy.session.accessTokenSeconds + policy.dpop.skewSeconds,
          };
          const result = await cutOff(tx, cut, (cutting) => claim.settle(cutting, revocationId));
          if (result === undefined) throw new LatchkeyError('not_found');
          return result;
        });
        return { reference: revocationId, answer: toCutOffAnswer(done) };
      },
      replay: async (revocationId) =>
        toCutOffAnswer(await readRevocation(database, { tenantId, revocationId })),
    });
    return await reply.code(202).send(answer);
  });
}

function registerRevocation(app: LatchkeyApp, { database }: Parts): void {
  const schema = {
    summary: 'Watch a revocation',
    description: 'The receipt is there once the second listing was empty.',
    tags: ['fraud'],
    params: RevocationParams,
    response: { 200: RevocationView },
  };
  const config = { operationId: 'getRevocation', problems: ['not_found'] } as const;
  app.get('/fraud/revocations/:revocationId', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    return toView(await readRevocation(database, { tenantId, ...request.params }));
  });
}

function registerRelease(app: LatchkeyApp, { database, idempotency }: Parts): void {
  const schema = {
    summary: 'Lift a hold',
    description:
      'Reinstates the devices and passkeys that the cut-offs of this hold suspended. What was cut off stays cut off: the customer logs in anew.',
    tags: ['fraud'],
    body: ReleaseBody,
    response: { 200: ReleaseAnswer },
  };
  const config = {
    operationId: 'releaseHold',
    problems: ['hold_not_found', 'hold_released'],
  } as const;
  app.post('/fraud/releases', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { clientId } = callerOf(request, 'machine');
    const { customerId, reason } = request.body;
    return await idempotency.run(request, {
      work: async (claim) => {
        const released = await database.tenant(tenantId, async (tx) => {
          const actor = { kind: 'machine', id: clientId } as const;
          const result = await releaseHold(tx, { tenantId, customerId, reason, actor });
          if (result === undefined) {
            const isLate = await wasHeld(tx, tenantId, customerId);
            throw new LatchkeyError(isLate ? 'hold_released' : 'hold_not_found');
          }
          await claim.settle(tx, result.holdId);
          return result;
        });
        return { reference: released.holdId, answer: toReleaseAnswer(released) };
      },
      replay: async (holdId) => {
        const released = await database.tenant(tenantId, (tx) =>
          releaseOf(tx, { tenantId, holdId }),
        );
        if (released === undefined) throw new LatchkeyError('hold_not_found');
        return toReleaseAnswer(released);
      },
    });
  });
}

async function readRevocation(
  database: AppDependencies['database'],
  subject: { tenantId: string; revocationId: string },
) {
  const facts = await database.tenant(subject.tenantId, (tx) => revocationFacts(tx, subject));
  if (facts === undefined) throw new LatchkeyError('not_found');
  return facts;
}

function toReleaseAnswer({ holdId, releasedAtMs, devices, credentials }: Release) {
  return { holdId, releasedAt: isoTime(releasedAtMs), devices, credentials };
}

type CutOffFacts = Pick<
  RevocationFacts,
  'revocationId' | 'effectiveAtMs' | 'oldEpoch' | 'newEpoch' | 'devices' | 'credentials'
>;

function toCutOffAnswer(facts: CutOffFacts) {
  const { revocationId, effectiveAtMs, oldEpoch, newEpoch, devices, credentials } = facts;
  return {
    revocationId,
    effectiveAt: isoTime(effectiveAtMs),
    oldEpoch,
    newEpoch,
    devices,
    credentials,
  };
}

function toView(facts: RevocationFacts & { receipt: unknown }): RevocationView {
  const { sessionsEnded, ceremoniesEnded, sealedAtMs, workflowsClosedAtMs, receipt } = facts;
  return {
    ...toCutOffAnswer(facts),
    customerId: facts.customerId,
    status: facts.status,
    lastTokenDiesAt: isoTime(facts.lastTokenDiesAtMs),
    ...(sessionsEnded === null ? {} : { sessionsEnded }),
    ...(ceremoniesEnded === null ? {} : { ceremoniesEnded }),
    ...(sealedAtMs === null ? {} : { sealedAt: isoTime(sealedAtMs) }),
    ...(workflowsClosedAtMs === null ? {} : { workflowsClosedAt: isoTime(workflowsClosedAtMs) }),
    // The column holds what revocationReceipt() made.
    ...(receipt === null ? {} : { receipt: receipt as NonNullable<RevocationView['receipt']> }),
  };
}
