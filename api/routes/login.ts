/**
 * Logging in with a passkey. Asking for options writes nothing; the answer is verified guard by guard, then granted by one transaction in
 * PostgreSQL, which asks nothing of Temporal. A repeated request derives the same tokens again while nobody has used them.
 */
import { randomBytes } from 'node:crypto';
import { generateAuthenticationOptions } from '@simplewebauthn/server';
import type { FastifyRequest } from 'fastify';
import { grantLogin } from '../../db/login.ts';
import type { VerifiedLogin } from '../../db/login.ts';
import { lookUpLogin } from '../../db/login-lookup.ts';
import { PLACE, recordRefusedLogin } from '../../db/login-history.ts';
import { readSession } from '../../db/sessions.ts';
import type { SessionRecord } from '../../db/sessions.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { judgeAppClient, requireAppClient } from '../callers/app-client.ts';
import { issueChallenge, openChallenge } from '../proofs/challenges.ts';
import type { ChallengeContext } from '../proofs/challenges.ts';
import type { ApiServices } from '../dependencies.ts';
import { firstToken, tokenHash } from '../tokens/refresh-token.ts';
import {
  LoginBody,
  LoginOptionsAnswer,
  LoginOptionsBody,
  SessionTokens,
} from '../schemas/login.ts';
import { placeOf } from '../callers/places.ts';
import { answerTokens, standingOf } from '../tokens/session-tokens.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp, RequestTenant } from '../types.ts';
import { readAssertion, verifyAssertion } from '../webauthn/assertion.ts';

const SALT_BYTES = 32;
/** Decisions about the customer; what is wrong with the request alone is not his concern. */
const TOLD_REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'customer_on_hold',
  'device_not_allowed',
  'credential_unknown',
  'session_limit_reached',
]);

export function registerLoginRoutes(app: LatchkeyApp, services: ApiServices): void {
  registerOptions(app, services);
  registerLogin(app, services);
}

function registerOptions(app: LatchkeyApp, services: ApiServices): void {
  const config = { operationId: 'createLoginOptions', problems: ['unknown_client'] } as const;
  const schema = {
    summary: 'Ask for login options',
    description:
      'Writes nothing. The challenge is good for this key, once. The passkey is discoverable.',
    tags: ['session'],
    body: LoginOptionsBody,
    response: { 200: LoginOptionsAnswer },
  };
  app.post('/auth/login-options', { config, schema }, async (request) => {
    const { tenant } = request;
    const { ttlSeconds } = tenant.policy.challenge;
    const { clientId } = await services.database.tenant(tenant.tenantId, (tx) =>
      requireAppClient(tx, request, request.body.clientId),
    );
    const challenge = issueChallenge(services, challengeContext(request, clientId), ttlSeconds);
    const options = await generateAuthenticationOptions({
      rpID: tenant.rpId,
      // Bytes: the library would encode a string once more.
      challenge: new Uint8Array(Buffer.from(challenge, 'base64url')),
      timeout: ttlSeconds * 1000,
      userVerification: 'required',
    });
    return {
      options: {
        challenge: options.challenge,
        timeout: ttlSeconds * 1000,
        rpId: tenant.rpId,
        userVerification: 'required' as const,
        allowCredentials: [],
      },
    };
  });
}

function registerLogin(app: LatchkeyApp, services: ApiServices): void {
  const config = {
    operationId: 'login',
    problems: [
      'unknown_client',
      'credential_invalid',
      'origin_mismatch',
      'relying_party_mismatch',
      'user_verification_missing',
      'challenge_invalid',
      'challenge_spent',
      'credential_unknown',
      'customer_on_hold',
      'device_not_allowed',
      'session_limit_reached',
      'session_ended',
    ],
  } as const;
  const schema = {
    summary: 'Log in with a passkey',
    description:
      'Ends older sessions of this key. Repeated with the same Idempotency-Key it answers the same refresh token until that was used, and as long as a challenge lives.',
    tags: ['session'],
    body: LoginBody,
    response: { 200: SessionTokens },
  };
  app.post('/auth/login', { config, schema }, (request) =>
    services.idempotency.run(request, {
      work: async (claim) => {
        const login = await verifyLogin(services, request, request.body);
        const { tenantId } = request.tenant;
        const granting = services.database.tenant(tenantId, (tx) =>
          grantLogin(tx, login, (granting) => claim.settle(granting, login.sessionId)),
        );
        const session = await granting.catch((error: unknown) =>
          tellOfRefusal(services, login, error),
        );
        const proved = { name: 'loginsOfCredential', subject: request.body.credential.id } as const;
        const [answer] = await Promise.all([
          answerLogin(services, request.tenant, session),
          services.requestLimits.note(request.tenant, proved),
        ]);
        return { reference: session.sessionId, answer };
      },
      replay: (sessionId) => answerAgain(services, request, sessionId),
    }),
  );
}

/** His passkey was proved and yet refused: the customer reads it in his history. */
async function tellOfRefusal(
  { database }: ApiServices,
  login: VerifiedLogin,
  error: unknown,
): Promise<never> {
  if (error instanceof LatchkeyError && TOLD_REFUSALS.has(error.code)) {
    const { code } = error;
    await database.tenant(login.tenantId, (tx) => recordRefusedLogin(tx, login, code));
  }
  throw error;
}

/** Everything but the grant. The guards stand in the specification's order, so that each failure has its own name. */
async function verifyLogin(
  services: ApiServices,
  request: FastifyRequest,
  body: LoginBody,
): Promise<VerifiedLogin> {
  const { database, kms, newId } = services;
  const { tenant } = request;
  const { tenantId, rpId } = tenant;
  const asked = { tenantId, clientId: body.clientId, webauthnId: body.credential.id };
  const { client: named, credential } = await lookUpLogin(database, asked);
  const client = judgeAppClient(named, request);
  const origins = [...tenant.origins, ...client.allowedOrigins, ...client.nativeAppIds];
  const { challenge, origin } = readAssertion(body.credential, { rpId, origins });
  const opened = openChallenge(kms, challengeContext(request, client.clientId), challenge);
  const expected = { rpId, origin, challenge };
  const verified = await verifyAssertion(body.credential, credential, expected);
  if (credential === undefined) throw new LatchkeyError('credential_unknown');
  const sessionId = newId('session');
  const salt = randomBytes(SALT_BYTES);
  const first = firstToken(kms, { family: sessionId, salt });
  return {
    ...verified,
    tenantId,
    customerId: credential.customerId,
    credentialId: credential.credentialId,
    clientId: client.clientId,
    jkt: callerOf(request, 'key').jkt,
    challenge: opened,
    sessionId,
    salt,
    keyId: first.keyId,
    firstHash: tokenHash(first),
    ...placeSealer(services, request, credential.customerId),
  };
}

function placeSealer(
  { configuration, personalData }: ApiServices,
  request: FastifyRequest,
  customerId: string,
): Pick<VerifiedLogin, 'sealPlace'> {
  const place = placeOf(request, configuration.http);
  if (place === undefined) return {};
  const target = { tenantId: request.tenant.tenantId, customerId, purpose: PLACE };
  return { sealPlace: (tx) => personalData.seal(tx, target, place) };
}

async function answerLogin(
  services: ApiServices,
  tenant: RequestTenant,
  session: SessionRecord,
): Promise<SessionTokens> {
  const standing = standingOf(session, tenant);
  const { sessionId, salt, keyId } = session;
  const refreshToken = firstToken(services.kms, { family: sessionId, salt, keyId });
  const tokens = await answerTokens(services, { tenant, session, standing, refreshToken });
  const idToken = await services.idTokens.issueIdToken({ tenant, ...session, acr: standing.acr });
  return { ...tokens, id_token: idToken };
}

/** The answer was lost: the tokens are derived again from the row, unless they have been used, which proves that they arrived. */
async function answerAgain(
  services: ApiServices,
  request: FastifyRequest,
  sessionId: string,
): Promise<SessionTokens> {
  const { tenant } = request;
  const session = await services.database.tenant(tenant.tenantId, (tx) =>
    readSession(tx, tenant.tenantId, sessionId),
  );
  if (session === undefined || session.jkt !== callerOf(request, 'key').jkt)
    throw new LatchkeyError('session_ended');
  // Nor later than its challenge could have been: whoever finds the key and the request then must prove the passkey anew.
  const isLate = session.nowMs >= session.startedAtMs + tenant.policy.challenge.ttlSeconds * 1000;
  if (session.generation > 0 || isLate) throw new LatchkeyError('challenge_spent');
  return await answerLogin(services, tenant, session);
}

function challengeContext(request: FastifyRequest, clientId: string): ChallengeContext {
  const { tenantId, rpId } = request.tenant;
  const { jkt } = callerOf(request, 'key');
  return { purpose: 'login', tenantId, rpId, clientId, jkt };
}
