/**
 * Logging in with a passkey. Asking for options writes nothing; the answer is verified guard by guard, then granted by one transaction in
 * PostgreSQL, which asks nothing of Temporal. A repeated request derives the same tokens again while nobody has used them.
 */
import { generateAuthenticationOptions } from '@simplewebauthn/server';
import type { FastifyRequest } from 'fastify';
import { grantLogin } from '../../db/login.ts';
import type { VerifiedLogin } from '../../db/login.ts';
import { askForFactor } from '../../db/login-factor.ts';
import { recordRefusedLogin } from '../../db/login-history.ts';
import { lookUpLogin } from '../../db/login-lookup.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isId } from '../../domain/ids.ts';
import { judgeAppClient, requireAppClient } from '../callers/app-client.ts';
import { askForLoginFactor, loginFactorOf, riskOfLogin } from '../step-ups/login-factor.ts';
import { issueChallenge, openChallenge } from '../proofs/challenges.ts';
import type { ChallengeContext } from '../proofs/challenges.ts';
import type { ApiServices } from '../dependencies.ts';
import {
  LoginBody,
  LoginOptionsAnswer,
  LoginOptionsBody,
  SessionTokens,
} from '../schemas/login.ts';
import { answerLogin, answerLoginAgain, newFamily, placeSealer } from '../tokens/login-tokens.ts';
import { callerOf } from '../types.ts';
import type { LatchkeyApp } from '../types.ts';
import { readAssertion, verifyAssertion } from '../webauthn/assertion.ts';

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
      'login_needs_approval',
      'step_up_pending',
      'temporal_unavailable',
    ],
  } as const;
  const schema = {
    summary: 'Log in with a passkey',
    description:
      'Ends older sessions of this key. Where risk or policy ask for more it answers login_needs_approval, and a code goes to the number: go on at /auth/login-step-ups. Repeated with the same Idempotency-Key it answers the same refresh token until that was used, and as long as a challenge lives.',
    tags: ['session'],
    body: LoginBody,
    response: { 200: SessionTokens },
  };
  app.post('/auth/login', { config, schema }, (request) =>
    services.idempotency.run(request, {
      work: async (claim) => {
        const { login, appName } = await verifyLogin(services, request, request.body);
        const { tenantId } = request.tenant;
        const stepUpId = services.newId('ceremony');
        const granting = services.database.tenant(tenantId, (tx) =>
          grantLogin(tx, login, {
            settle: (settling, reference) => claim.settle(settling, reference),
            askForFactor: (asking, risk) =>
              askForFactor(asking, services, { login, stepUpId, appName, risk }),
          }),
        );
        const granted = await granting.catch((error: unknown) =>
          tellOfRefusal(services, login, error),
        );
        const { session, stepUp } = granted;
        const proved = { name: 'loginsOfCredential', subject: request.body.credential.id } as const;
        const noting = services.requestLimits.note(request.tenant, proved);
        // Committed: whatever happens now, a repeat finds it.
        if (stepUp !== undefined) {
          // Before a code goes out: whoever has the passkey alone must not have them sent without end.
          await noting;
          throw await askForLoginFactor(services, stepUp);
        }
        const [answer] = await Promise.all([
          answerLogin(services, request.tenant, session),
          noting,
        ]);
        return { reference: session.sessionId, answer };
      },
      replay: async (reference) => {
        if (!isId('ceremony', reference))
          return await answerLoginAgain(services, request, reference);
        const { tenantId } = request.tenant;
        const { jkt } = callerOf(request, 'key');
        const asked = { tenantId, stepUpId: reference, jkt };
        throw await askForLoginFactor(services, await loginFactorOf(services, asked));
      },
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
): Promise<{ readonly login: VerifiedLogin; readonly appName: string }> {
  const { database, kms } = services;
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
  const { customerId, credentialId } = credential;
  const { jkt } = callerOf(request, 'key');
  const login: VerifiedLogin = {
    ...verified,
    tenantId,
    customerId,
    credentialId,
    clientId: client.clientId,
    jkt,
    risk: await riskOfLogin(services, { tenantId, customerId, jkt }),
    challenge: opened,
    ...newFamily(services),
    ...placeSealer(services, request, customerId),
  };
  return { login, appName: client.name };
}

function challengeContext(request: FastifyRequest, clientId: string): ChallengeContext {
  const { tenantId, rpId } = request.tenant;
  const { jkt } = callerOf(request, 'key');
  return { purpose: 'login', tenantId, rpId, clientId, jkt };
}
