/**
 * "I lost my phone", from any phone: a request about a number or an address, the code typed here, or the link opened wherever that is. Every answer is
 * the same whether or not somebody has that contact; what a proof opens is one transaction in db/recovery-requests.ts.
 */
import { createRecoveryLinks } from '../../db/recovery-links.ts';
import {
  isCodeOfRequest,
  requestStanding,
  requestStatusOf,
  type RequestStanding,
} from '../../db/recovery-request-standing.ts';
import {
  checkNumberOf,
  createRecoveryRequest,
  proveRequestByCode,
  proveRequestByLink,
  type NewRecoveryRequest,
  type RequestProof,
} from '../../db/recovery-requests.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireAppClient } from '../callers/app-client.ts';
import type { ApiServices } from '../dependencies.ts';
import { normaliseEmail, normalisePhone } from '../enrollment/contacts.ts';
import { isoTime } from '../iso-time.ts';
import { riskOfRecovery } from '../recovery/risk.ts';
import { CodeBody } from '../schemas/enrollments.ts';
import {
  RecoveryLinkAnswer,
  RecoveryLinkBody,
  RecoveryRequestAnswer,
  RecoveryRequestBody,
  RecoveryRequestParams,
  RecoveryRequestView,
} from '../schemas/recoveries.ts';
import { callerOf, type LatchkeyApp } from '../types.ts';

const tags = ['recovery'];
const DEFAULT_LOCALE = 'en';

interface OfKey {
  readonly tenantId: string;
  readonly requestId: string;
  readonly jkt: string;
}

export function registerRecoveryRequestRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerRequest(app, services);
  registerReading(app, services);
  registerCode(app, services);
  registerLink(app, services);
}

function contactOf(body: RecoveryRequestBody): NewRecoveryRequest['contact'] {
  return 'phone' in body
    ? { kind: 'phone', value: normalisePhone(body.phone) }
    : { kind: 'email', value: normaliseEmail(body.email) };
}

function registerRequest(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId } = services;
  const config = {
    operationId: 'requestRecovery',
    problems: [
      'unknown_client',
      'origin_not_allowed',
      'phone_invalid',
      'email_invalid',
      'recovery_request_not_found',
    ],
  } as const;
  const schema = {
    summary: 'Say that the old phone is lost, stolen, broken or replaced',
    description:
      'By the key of the new phone. A link and a code go to the number or address if it is a customer’s; the answer is the same if it is not. Nothing is restricted until the contact has answered.',
    tags,
    body: RecoveryRequestBody,
    response: { 202: RecoveryRequestAnswer },
  };
  app.post('/recovery-requests', { config, schema }, async (request, reply) => {
    const { tenantId } = request.tenant;
    const { jkt } = callerOf(request, 'key');
    const { body } = request;
    const { clientId, report, locale = DEFAULT_LOCALE } = body;
    const contact = contactOf(body);
    const answer = await idempotency.run<RecoveryRequestAnswer>(request, {
      work: async (claim) => {
        const requestId = newId('recoveryRequest');
        const made = await database.tenant(tenantId, async (tx) => {
          await requireAppClient(tx, request, clientId);
          const asked = { tenantId, requestId, clientId, jkt, contact, report, locale };
          const created = await createRecoveryRequest(tx, services, asked);
          await claim.settle(tx, requestId);
          return created;
        });
        const { checkNumber, expiresAtMs } = made;
        return {
          reference: requestId,
          answer: { requestId, checkNumber, expiresAt: isoTime(expiresAtMs) },
        };
      },
      replay: async (requestId) => {
        const standing = await standingOf(services, { tenantId, requestId, jkt });
        const { checkNumber, expiresAtMs } = standing;
        return { requestId, checkNumber, expiresAt: isoTime(expiresAtMs) };
      },
    });
    return await reply.code(202).send(answer);
  });
}

/** @throws LatchkeyError recovery_request_not_found */
async function standingOf(services: ApiServices, ofKey: OfKey): Promise<RequestStanding> {
  const standing = await services.database.tenant(ofKey.tenantId, (tx) =>
    requestStanding(tx, services, ofKey),
  );
  if (standing === undefined) throw new LatchkeyError('recovery_request_not_found');
  return standing;
}

function viewOf(standing: RequestStanding): RecoveryRequestView {
  const { requestId, status, recoveryId, checkNumber, expiresAtMs } = standing;
  return {
    requestId,
    status,
    ...(recoveryId === null ? {} : { recoveryId }),
    checkNumber,
    expiresAt: isoTime(expiresAtMs),
  };
}

function registerReading(app: LatchkeyApp, services: ApiServices): void {
  const problems = ['recovery_request_not_found'] as const;
  const config = { operationId: 'getRecoveryRequest', problems } as const;
  const schema = {
    summary: 'Look whether the contact has answered',
    description:
      'For the key that asked. `proved` without a recovery: another phone has the case; call the bank.',
    tags,
    params: RecoveryRequestParams,
    response: { 200: RecoveryRequestView },
  };
  app.get('/recovery-requests/:requestId', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { jkt } = callerOf(request, 'key');
    const { requestId } = request.params;
    return viewOf(await standingOf(services, { tenantId, requestId, jkt }));
  });
}

function registerCode(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = {
    operationId: 'submitRecoveryCode',
    problems: ['recovery_request_not_found', 'wrong_code', 'code_expired', 'attempts_exhausted'],
  } as const;
  const schema = {
    summary: 'Prove the contact with the code that came',
    description: 'For the key that asked. The right code opens the case, or joins the open one.',
    tags,
    params: RecoveryRequestParams,
    body: CodeBody,
    response: { 200: RecoveryRequestView },
  };
  app.post('/recovery-requests/:requestId/code', { config, schema }, (request) => {
    const { tenantId } = request.tenant;
    const { jkt } = callerOf(request, 'key');
    const { requestId } = request.params;
    const { code } = request.body;
    const ofKey = { tenantId, requestId, jkt };
    const answer = async () => viewOf(await standingOf(services, ofKey));
    return idempotency.run(request, {
      work: async (claim) => {
        const risk = await riskOfRecovery(services, ofKey, (tx) =>
          isCodeOfRequest(tx, services, { ...ofKey, code }),
        );
        const proof = await database
          .tenant(tenantId, async (tx) => {
            const done = await proveRequestByCode(tx, services, { ...ofKey, code, risk });
            if (done.result === 'proved') await claim.settle(tx, requestId);
            return done;
          })
          .catch(asSpent);
        // After the commit: the guess counts whatever is answered.
        refuseUnproved(proof);
        const standing = await answer();
        if (standing.status !== 'proved') throw new LatchkeyError('code_expired');
        return { reference: requestId, answer: standing };
      },
      replay: answer,
    });
  });
}

/** Right, and too late: what it would have done was taken back. */
function asSpent(error: unknown): RequestProof {
  if (error instanceof LatchkeyError && error.code === 'code_expired') return { result: 'used' };
  throw error;
}

/** `used` passes: whoever may see the request is told how it stands. */
function refuseUnproved(proof: RequestProof): void {
  switch (proof.result) {
    case 'wrong':
      throw new LatchkeyError('wrong_code', { extra: { attemptsLeft: proof.attemptsLeft } });
    case 'exhausted':
      throw new LatchkeyError('attempts_exhausted', { extra: { attemptsLeft: 0 } });
    case 'expired':
      throw new LatchkeyError('code_expired');
    case 'used':
    case 'proved':
  }
}

function registerLink(app: LatchkeyApp, services: ApiServices): void {
  const { database, kms, otpCodes } = services;
  const links = createRecoveryLinks(kms);
  const config = {
    operationId: 'submitRecoveryLink',
    problems: [
      'recovery_link_invalid',
      'recovery_link_expired',
      'recovery_link_used',
      'wrong_code',
      'attempts_exhausted',
    ],
  } as const;
  const schema = {
    summary: 'Prove the contact with the link that came',
    description:
      'The token is the fragment of the link; opening the page sends nothing. The number stands on the phone that asked, so that nobody proves somebody else’s phone.',
    tags,
    body: RecoveryLinkBody,
    response: { 200: RecoveryLinkAnswer },
  };
  app.post('/recovery-links', { config, schema }, async (request) => {
    const { tenantId } = request.tenant;
    const { token, checkNumber } = request.body;
    const requestId = links.read(tenantId, token);
    if (requestId === undefined) throw new LatchkeyError('recovery_link_invalid');
    const shown = { tenantId, requestId };
    const risk = await riskOfRecovery(services, shown, () =>
      Promise.resolve(checkNumber === checkNumberOf(otpCodes, requestId)),
    );
    const proof = await database
      .tenant(tenantId, (tx) => proveRequestByLink(tx, services, { ...shown, checkNumber, risk }))
      .catch(asForgotten);
    if (proof.result === 'used' || proof.result === 'expired') {
      const status = await database.tenant(tenantId, (tx) => requestStatusOf(tx, shown));
      throw new LatchkeyError(status === 'proved' ? 'recovery_link_used' : 'recovery_link_expired');
    }
    refuseUnproved(proof);
    return { status: 'proved' as const };
  });
}

function asForgotten(error: unknown): RequestProof {
  const isForgotten = error instanceof LatchkeyError && error.code === 'recovery_request_not_found';
  return isForgotten ? { result: 'expired' } : asSpent(error);
}
