/**
 * Step-ups on the customer's side: what he is asked for, opened and refused; how he approves stands in customer-step-up-steps.ts. Refusing is one
 * transaction that needs nothing but PostgreSQL.
 */
import { lockCustomer } from '../../db/customer-lock.ts';
import { usablePasskeys } from '../../db/credentials.ts';
import { endStepUp } from '../../db/step-up-ends.ts';
import { openStepUp } from '../../db/step-up-open.ts';
import { listStepUps } from '../../db/step-up.ts';
import { requireFreeHand } from '../callers/free-hand.ts';
import { trustedCallerOf } from '../step-ups/approval.ts';
import { ownStepUp, showStepUp } from '../step-ups/own-step-up.ts';
import { renderAction, signedDisplay } from '../step-ups/display.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  CustomerStepUp,
  CustomerStepUps,
  DenyStepUpBody,
  OpenedStepUp,
  OpenStepUpBody,
  StepUpParams,
} from '../schemas/customer-step-ups.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';
import { registerCustomerStepUpSteps } from './customer-step-up-steps.ts';
import { ENDED_PROBLEMS, OWN_PROBLEMS } from './step-up-problems.ts';

const tags = ['step-up'];
const params = StepUpParams;
const response = { 200: CustomerStepUp };

export function registerCustomerStepUpRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerReading(app, services);
  registerOpening(app, services);
  registerCustomerStepUpSteps(app, services);
  registerDenial(app, services);
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const { database } = services;
  const list = {
    summary: 'List what one is asked for',
    description: 'What waits for an answer first, then the youngest.',
    tags,
    response: { 200: CustomerStepUps },
  };
  app.get(
    '/auth/step-ups',
    { config: { operationId: 'listStepUps' }, schema: list },
    async (request) => {
      const { tenantId } = request.tenant;
      const { customerId } = callerOf(request, 'customer');
      const stepUps = await database.tenant(tenantId, async (tx) => {
        const records = await listStepUps(tx, { tenantId, customerId });
        const shown: CustomerStepUp[] = [];
        // One after the other: they share a connection.
        for (const record of records) shown.push(await showStepUp(tx, services, request, record));
        return shown;
      });
      return { stepUps };
    },
  );
  const config = { operationId: 'getCustomerStepUp', problems: OWN_PROBLEMS } as const;
  const one = { summary: 'Look at what one is asked for', tags, params, response };
  app.get('/auth/step-ups/:stepUpId', { config, schema: one }, (request) =>
    database.tenant(request.tenant.tenantId, async (tx) =>
      showStepUp(tx, services, request, await ownStepUp(tx, request, request.params.stepUpId)),
    ),
  );
}

function registerOpening(app: LatchkeyApp, services: ApiServices): void {
  const { database, clock } = services;
  const config = {
    operationId: 'openStepUp',
    problems: [
      ...ENDED_PROBLEMS,
      'device_not_allowed',
      'insufficient_user_authentication',
      'wrong_step',
    ],
  } as const;
  const schema = {
    summary: 'Open what one is asked for',
    description:
      'Fixes the text that is signed. Opened in the same way it answers the same; with another language, context or device a new challenge takes the place of the former.',
    tags,
    params,
    body: OpenStepUpBody,
    response: { 200: OpenedStepUp },
  };
  app.post('/auth/step-ups/:stepUpId/open', { config, schema }, async (request) => {
    const { tenantId, rpId } = request.tenant;
    const { customerId, deviceId, sessionId } = trustedCallerOf(request, clock.nowMs());
    const { stepUpId } = request.params;
    const { context, locale } = request.body;
    return await database.tenant(tenantId, async (tx) => {
      const { record, preimage, challenge } = await openStepUp(tx, services, {
        tenantId,
        stepUpId,
        customerId,
        deviceId,
        sessionId,
        context,
        locale,
        rpId,
        render: (subject) => renderAction(tx, { tenantId, ...subject }),
      });
      const passkeys = await usablePasskeys(tx, { tenantId, customerId, deviceId });
      return {
        ...(await showStepUp(tx, services, request, record)),
        display: signedDisplay(preimage),
        preimage,
        challenge: Buffer.from(challenge).toString('base64url'),
        rpId,
        allowCredentials: passkeys.map(({ webauthnId, transports }) => ({
          id: webauthnId,
          type: 'public-key' as const,
          transports: [...transports],
        })),
        delaySeconds: record.delaySeconds,
      };
    });
  });
}

function registerDenial(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'denyStepUp',
    problems: [...ENDED_PROBLEMS, 'device_not_allowed'],
  } as const;
  const schema = {
    summary: 'Refuse what one is asked for',
    description:
      'At any moment until it is used, from any session but one of a phone reported lost; needs no Temporal. `not_me` is a sign of fraud, and by policy stops everything.',
    tags,
    params,
    body: DenyStepUpBody,
    response,
  };
  app.post('/auth/step-ups/:stepUpId/deny', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const { stepUpId } = request.params;
    const { reason } = request.body;
    return idempotency.run(request, {
      work: async (claim) => {
        const answer = await database.tenant(tenantId, async (tx) => {
          // `not_me` may end everything: the customer's row comes first, and who asks is judged under it.
          await lockCustomer(tx, tenantId, customerId);
          await requireFreeHand(tx, tenant, caller);
          // A login is not his session's to refuse: it is answered by the key that began it.
          await ownStepUp(tx, request, stepUpId);
          const { stepUp } = await endStepUp(tx, services, {
            tenantId,
            stepUpId,
            customerId,
            event: 'denied',
            reason,
            actor: { kind: 'customer', id: customerId },
          });
          const shown = await showStepUp(tx, services, request, stepUp);
          await claim.settle(tx, stepUpId);
          return shown;
        });
        return { reference: stepUpId, answer };
      },
      replay: () =>
        database.tenant(tenantId, async (tx) =>
          showStepUp(tx, services, request, await ownStepUp(tx, request, stepUpId)),
        ),
    });
  });
}
