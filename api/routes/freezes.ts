/**
 * "Freeze my account": from an enrolled phone, by the link of a notice, or from any phone after a code to the enrolled number; and its end by the
 * owner's passkey. What nobody proved is bounded in db/freeze.ts; no answer tells a stranger whether a customer exists.
 */
import { createFreezeLinks } from '../../db/freeze-links.ts';
import { freezeRequestExpiryMs, judgeFreezeCode, requestFreeze } from '../../db/freeze-requests.ts';
import { frozenSinceMs, liftFreeze, placeFreeze } from '../../db/freeze.ts';
import { touchCustomer } from '../../db/customer-lock.ts';
import type { Tx } from '../../db/connection.ts';
import { isPasskeyOfReportedDevice } from '../../db/credentials.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { requireAppClient } from '../callers/app-client.ts';
import type { ApiServices } from '../dependencies.ts';
import { normalisePhone } from '../enrollment/contacts.ts';
import { isoTime } from '../iso-time.ts';
import { EmptyBody } from '../schemas/empty-body.ts';
import { CodeBody } from '../schemas/enrollments.ts';
import {
  FreezeLiftedAnswer,
  FreezeLinkBody,
  FreezeRequestAnswer,
  FreezeRequestBody,
  FreezeRequestParams,
  FrozenAnswer,
} from '../schemas/freezes.ts';
import { standingOf } from '../tokens/session-tokens.ts';
import { callerOf } from '../types.ts';
import type { CustomerCaller, LatchkeyApp, RequestTenant } from '../types.ts';

const tags = ['freeze'];
const response = { 200: FrozenAnswer };

export function registerFreezeRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerLift(app, services);
  registerOwn(app, services);
  registerLink(app, services);
  registerRequest(app, services);
  registerCode(app, services);
}

/** Judged again under the customer's lock: what ended the session meanwhile came first. */
async function standingSession(
  tx: Tx,
  tenant: RequestTenant,
  { customerId, sessionId }: CustomerCaller,
) {
  await touchCustomer(tx, tenant.tenantId, customerId);
  const session = await readSession(tx, tenant.tenantId, sessionId);
  if (session === undefined) throw new LatchkeyError('session_ended');
  return { session, ...standingOf(session, tenant) };
}

/** A trusted phone that is not reported: such a one is restricted. */
const isTrusted = ({ device }: SessionRecord) => device?.status === 'trusted';

function registerOwn(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId } = services;
  const config = { operationId: 'freezeAccount', problems: ['freeze_limit_reached'] } as const;
  const schema = {
    summary: 'Freeze one’s account',
    description:
      'No money moves and nothing sensitive changes until the freeze ends by itself or is lifted. Logins, reading, ending sessions and recovery go on. From any live session.',
    tags,
    body: EmptyBody,
    response,
  };
  app.post('/auth/freeze', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId, policy } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    return idempotency.run(request, {
      work: async (claim) => {
        const frozenUntil = await database.tenant(tenantId, async (tx) => {
          const { session } = await standingSession(tx, tenant, caller);
          const frozen = await placeFreeze(tx, {
            tenantId,
            customerId,
            freezeId: newId('freeze'),
            how: 'app',
            by: { kind: 'customer', id: customerId },
            isProved: isTrusted(session),
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

function registerLift(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency } = services;
  const config = { operationId: 'liftFreeze' } as const;
  const schema = {
    summary: 'End the freeze of one’s account',
    description:
      'By a passkey that was used after the freeze began, on a trusted device that is not reported. Tokens from before lack what was withheld: refresh.',
    tags,
    body: EmptyBody,
    response: { 200: FreezeLiftedAnswer },
  };
  app.post('/auth/freeze/lift', { config, schema }, (request) => {
    const { tenant } = request;
    const { tenantId } = tenant;
    const caller = callerOf(request, 'customer');
    const { customerId } = caller;
    const answer = { frozenUntil: null };
    return idempotency.run(request, {
      work: async (claim) => {
        await database.tenant(tenantId, async (tx) => {
          const { session } = await standingSession(tx, tenant, caller);
          await requireOwner(tx, tenantId, caller, session);
          await liftFreeze(tx, { tenantId, customerId, by: { kind: 'customer', id: customerId } });
          await claim.settle(tx, customerId);
        });
        return { reference: customerId, answer };
      },
      replay: () => Promise.resolve(answer),
    });
  });
}

/** @throws LatchkeyError device_not_allowed, insufficient_user_authentication */
async function requireOwner(
  tx: Tx,
  tenantId: string,
  caller: CustomerCaller,
  session: SessionRecord,
): Promise<void> {
  const { credentialId, authTimeMs, nowMs } = session;
  if (!isTrusted(session) || (await isPasskeyOfReportedDevice(tx, tenantId, credentialId)))
    throw new LatchkeyError('device_not_allowed');
  const sinceMs = await frozenSinceMs(tx, { tenantId, customerId: caller.customerId });
  if (sinceMs === undefined || authTimeMs > sinceMs) return;
  // The passkey must have been asked for since: whoever holds an unlocked phone has a session, and no more.
  const maxAgeSeconds = Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
  throw new LatchkeyError('insufficient_user_authentication', {
    extra: { acr_values: 'latchkey:2', max_age: maxAgeSeconds },
  });
}

function registerLink(app: LatchkeyApp, services: ApiServices): void {
  const { database, kms, newId } = services;
  const links = createFreezeLinks(kms);
  const config = {
    operationId: 'freezeByLink',
    problems: [
      'freeze_link_invalid',
      'freeze_link_expired',
      'freeze_link_used',
      'freeze_limit_reached',
    ],
  } as const;
  const schema = {
    summary: 'Freeze the account that a notice was about',
    description:
      'The token is the fragment of the link in the notice; opening the page sends nothing. Each link freezes once, within `freeze.linkSeconds` of its message.',
    tags,
    body: FreezeLinkBody,
    response,
  };
  app.post('/freezes/link', { config, schema }, async (request) => {
    const { tenantId, policy } = request.tenant;
    const facts = links.read(tenantId, request.body.token);
    if (facts === undefined) throw new LatchkeyError('freeze_link_invalid');
    const { customerId, messageId, sentAtMs } = facts;
    if (services.clock.nowMs() >= sentAtMs + policy.freeze.linkSeconds * 1000)
      throw new LatchkeyError('freeze_link_expired');
    const { frozenUntilMs } = await database
      .tenant(tenantId, (tx) =>
        placeFreeze(tx, {
          tenantId,
          customerId,
          freezeId: newId('freeze'),
          how: 'link',
          by: { kind: 'customer', id: customerId },
          isProved: false,
          messageId,
          policy: policy.freeze,
        }),
      )
      .catch(asInvalid);
    return { frozenUntil: isoTime(frozenUntilMs) };
  });
}

/** The account is gone: the link is as good as none. */
function asInvalid(error: unknown): never {
  if (error instanceof LatchkeyError && error.code === 'not_found')
    throw new LatchkeyError('freeze_link_invalid', { cause: error });
  throw error;
}

function registerRequest(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId, personalData } = services;
  const config = {
    operationId: 'requestFreeze',
    problems: ['unknown_client', 'origin_not_allowed', 'phone_invalid'],
  } as const;
  const schema = {
    summary: 'Ask for a freeze from any phone',
    description:
      'A code goes to the number if it is a customer’s; the answer is the same if it is not.',
    tags,
    body: FreezeRequestBody,
    response: { 202: FreezeRequestAnswer },
  };
  app.post('/freezes', { config, schema }, async (request, reply) => {
    const { tenantId, policy } = request.tenant;
    const { jkt } = callerOf(request, 'key');
    const { clientId } = request.body;
    const phone = normalisePhone(request.body.phone);
    const answer = await idempotency.run(request, {
      work: async (claim) => {
        const requestId = newId('freezeRequest');
        const expiresAtMs = await database.tenant(tenantId, async (tx) => {
          await requireAppClient(tx, request, clientId);
          const asked = { tenantId, requestId, jkt, phone, policy };
          const madeMs = await requestFreeze(tx, personalData, asked);
          await claim.settle(tx, requestId);
          return madeMs;
        });
        return {
          reference: requestId,
          answer: { requestId, expiresAt: isoTime(expiresAtMs) },
        };
      },
      replay: async (requestId) => {
        const expiresAtMs = await database.tenant(tenantId, (tx) =>
          freezeRequestExpiryMs(tx, { tenantId, requestId }),
        );
        if (expiresAtMs === undefined) throw new LatchkeyError('freeze_request_not_found');
        return { requestId, expiresAt: isoTime(expiresAtMs) };
      },
    });
    return await reply.code(202).send(answer);
  });
}

function registerCode(app: LatchkeyApp, services: ApiServices): void {
  const { database, idempotency, newId } = services;
  const config = {
    operationId: 'submitFreezeCode',
    problems: [
      'freeze_request_not_found',
      'wrong_code',
      'code_expired',
      'attempts_exhausted',
      'freeze_limit_reached',
    ],
  } as const;
  const schema = {
    summary: 'Freeze with the code that came by SMS',
    description: 'For the key that asked. The right code freezes at once.',
    tags,
    params: FreezeRequestParams,
    body: CodeBody,
    response,
  };
  app.post('/freezes/:requestId/code', { config, schema }, (request) => {
    const { tenantId, policy } = request.tenant;
    const { jkt } = callerOf(request, 'key');
    const { requestId } = request.params;
    const { code } = request.body;
    return idempotency.run(request, {
      work: async (claim) => {
        const freezeId = newId('freeze');
        const judged = await database.tenant(tenantId, async (tx) => {
          const guess = { tenantId, requestId, jkt, code, freezeId, policy };
          const done = await judgeFreezeCode(tx, services, guess);
          if ('frozenUntilMs' in done) await claim.settle(tx, isoTime(done.frozenUntilMs));
          return done;
        });
        // After the commit: the guess counts whatever is answered.
        if ('refused' in judged) {
          const { refused, attemptsLeft } = judged;
          throw new LatchkeyError(refused, { extra: { attemptsLeft } });
        }
        const frozenUntil = isoTime(judged.frozenUntilMs);
        return { reference: frozenUntil, answer: { frozenUntil } };
      },
      replay: (frozenUntil) => Promise.resolve({ frozenUntil }),
    });
  });
}
