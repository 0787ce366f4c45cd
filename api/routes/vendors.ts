/**
 * What suppliers tell us. The frame has verified the body's signature; a verdict is written once on the check it names, and the workflow is
 * rung. A repeat and a verdict nobody waits for are harmless and answered alike.
 */
import { appendAudit } from '../../db/audit.ts';
import { ringIdentityResult } from '../../db/enrollment.ts';
import { recordLivenessVerdict } from '../../db/recovery-liveness.ts';
import { recordVerdict } from '../../db/step-attempts.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { parseLivenessResult } from '../../domain/liveness.ts';
import type { AppDependencies } from '../dependencies.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { IdentityResultBody } from '../schemas/enrollments.ts';
import { LivenessResultBody } from '../schemas/recoveries.ts';
import type { LatchkeyApp } from '../types.ts';

type VendorDependencies = Pick<AppDependencies, 'database' | 'personalData' | 'newId'>;

export function registerVendorRoutes(app: LatchkeyApp, deps: VendorDependencies): void {
  registerIdentityResult(app, deps);
  registerLivenessResult(app, deps);
}

function registerIdentityResult(app: LatchkeyApp, { database }: VendorDependencies): void {
  const config = { operationId: 'identityResult', problems: ['not_found'] } as const;
  const schema = {
    summary: 'Tell the verdict of an identity check',
    description: 'For the identity supplier; signed over the raw body. Safe to repeat.',
    tags: ['vendors'],
    body: IdentityResultBody,
    response: { 202: EmptyBody },
  };
  app.post('/vendors/identity/results', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const { reference, vendorReference, verdict, reason, evidenceId } = request.body;
    await database.tenant(tenantId, async (tx) => {
      const recorded = await recordVerdict(tx, {
        tenantId,
        attemptId: reference,
        vendorReference,
        verdict,
        evidenceId,
      });
      if (recorded === undefined) throw new LatchkeyError('not_found');
      if (recorded.result === 'late') return;
      const { ceremonyId, customerId } = recorded;
      await appendAudit(tx, {
        tenantId,
        actor: { kind: 'vendor', id: 'identity' },
        action: 'identity.verdict',
        subject: { kind: 'step_attempt', id: reference },
        customerId,
        ceremonyId,
        detail: { verdict, reason: reason ?? null, evidenceId },
      });
      await ringIdentityResult(tx, { tenantId, ceremonyId });
    });
    return await reply.code(202).send({});
  });
}

function registerLivenessResult(app: LatchkeyApp, deps: VendorDependencies): void {
  const config = { operationId: 'livenessResult', problems: ['not_found'] } as const;
  const schema = {
    summary: 'Tell the result of a liveness check',
    description:
      'For the liveness supplier; signed over the raw body. Safe to repeat. One of another check, session, case or key is not found.',
    tags: ['vendors'],
    body: LivenessResultBody,
    response: { 202: EmptyBody },
  };
  app.post('/vendors/liveness/results', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const result = parseLivenessResult(request.body);
    if (result === undefined) throw new LatchkeyError('invalid_request');
    const { reference: attemptId, ...verdict } = result;
    const recorded = await deps.database.tenant(tenantId, (tx) =>
      recordLivenessVerdict(tx, deps, { ...verdict, tenantId, attemptId, vendorId: 'signed-http' }),
    );
    if (recorded === undefined) throw new LatchkeyError('not_found');
    return await reply.code(202).send({});
  });
}
