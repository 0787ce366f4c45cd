/**
 * The identity provider of one tenant's staff, through openid-client: code flow with PKCE, state and nonce, the ID token's signature checked
 * although it came over a trusted line. It answers facts; whether they are enough is the caller's to judge. It must never log what it was sent.
 */
import type { FastifyBaseLogger } from 'fastify';
import * as client from 'openid-client';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { StaffDirectory } from '../dependencies.ts';

/** Discovery and the exchange come one after the other within one request. */
const TIMEOUT_SECONDS = 4;
/** How long a provider's endpoints are taken as known; keys are looked up anew by themselves. */
const KNOWN_MS = 60 * 60 * 1000;
/** Also how long nobody asks again: what waits for an answer that does not come must not pile up. */
const RETRY_SECONDS = 5;
const CLOCK_TOLERANCE_SECONDS = 30;

export interface ProviderRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** The person proves themselves again, whatever session the provider has. */
  readonly isFresh: boolean;
  readonly maxAgeSeconds: number;
}

export interface ProviderAnswer {
  readonly issuer: string;
  readonly subject: string;
  readonly authTimeMs: number;
  readonly acr: string | undefined;
  /** Of the ID token, as they came. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface StaffProvider {
  /** Where the browser goes. @throws LatchkeyError staff_login_unavailable */
  authorizationUrl(request: ProviderRequest): Promise<string>;
  /**
   * `query` is the callback's, as it came.
   * @throws LatchkeyError staff_login_failed, staff_login_unavailable
   */
  complete(request: ProviderRequest, query: string): Promise<ProviderAnswer>;
}

export function createStaffProvider(
  directory: StaffDirectory,
  { logger, clock }: { readonly logger: FastifyBaseLogger; readonly clock: Clock },
): StaffProvider {
  const discover = createDiscovery(directory, { logger, clock });

  return {
    authorizationUrl: async ({ redirectUri, state, nonce, verifier, isFresh, maxAgeSeconds }) => {
      const configuration = await discover();
      const { acrValues } = directory;
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid profile',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        max_age: isFresh ? '0' : String(maxAgeSeconds),
        ...(isFresh ? { prompt: 'login' } : {}),
        ...(acrValues === undefined ? {} : { acr_values: acrValues.join(' ') }),
      });
      return url.href;
    },
    complete: async ({ redirectUri, state, nonce, verifier, maxAgeSeconds }, query) => {
      const configuration = await discover();
      try {
        const tokens = await client.authorizationCodeGrant(
          configuration,
          new URL(`${redirectUri}${query}`),
          {
            pkceCodeVerifier: verifier,
            expectedState: state,
            expectedNonce: nonce,
            idTokenExpected: true,
            maxAge: maxAgeSeconds,
          },
        );
        const claims = tokens.claims();
        if (claims?.auth_time === undefined) throw new LatchkeyError('staff_login_failed');
        return {
          issuer: claims.iss,
          subject: claims.sub,
          authTimeMs: claims.auth_time * 1000,
          acr: typeof claims.acr === 'string' ? claims.acr : undefined,
          claims,
        };
      } catch (error) {
        logger.warn({ code: codeOf(error) }, 'a staff login was not completed');
        throw judged(error);
      }
    },
  };
}

/** Asked once for all who wait; what it said stands for an hour, that it said nothing for five seconds, and what it said before meanwhile. */
function createDiscovery(
  directory: StaffDirectory,
  { logger, clock }: { readonly logger: FastifyBaseLogger; readonly clock: Clock },
): () => Promise<client.Configuration> {
  let known: client.Configuration | undefined;
  let nextAtMs = 0;
  let asking: Promise<void> | undefined;
  const ask = async (): Promise<void> => {
    try {
      known = await readProvider(directory);
      nextAtMs = clock.nowMs() + KNOWN_MS;
    } catch (error) {
      logger.warn({ code: codeOf(error) }, 'the identity provider of staff was not found');
      nextAtMs = clock.nowMs() + RETRY_SECONDS * 1000;
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    if (clock.nowMs() >= nextAtMs) await (asking ??= ask());
    if (known === undefined) throw unavailable();
    return known;
  };
}

async function readProvider(directory: StaffDirectory): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret } = directory;
  const isLocal = issuer.startsWith('http:');
  const configuration = await client.discovery(
    new URL(issuer),
    clientId,
    { [client.clockTolerance]: CLOCK_TOLERANCE_SECONDS },
    authenticate(clientSecret),
    {
      timeout: TIMEOUT_SECONDS,
      // Configuration lets http: through in development only.
      ...(isLocal ? { execute: [client.allowInsecureRequests] } : {}),
    },
  );
  client.enableNonRepudiationChecks(configuration);
  return configuration;
}

/** OpenID Connect Discovery 1.0 section 3: client_secret_basic unless the provider says otherwise. */
function authenticate(clientSecret: string): client.ClientAuth {
  const basic = client.ClientSecretBasic(clientSecret);
  const post = client.ClientSecretPost(clientSecret);
  return (server, metadata, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const method = methods.includes('client_secret_basic') ? basic : post;
    method(server, metadata, body, headers);
  };
}

/** What the provider says when it is not the person's fault. */
const THEIR_TROUBLE: ReadonlySet<string> = new Set([
  'server_error',
  'temporarily_unavailable',
  'invalid_client',
  'unauthorized_client',
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

function judged(error: unknown): LatchkeyError {
  if (error instanceof LatchkeyError) return error;
  // What fetch throws when nobody answers.
  if (error instanceof TypeError && error.cause !== undefined) return unavailable(error);
  return THEIR_TROUBLE.has(codeOf(error))
    ? unavailable(error)
    : new LatchkeyError('staff_login_failed', { cause: error });
}

function unavailable(cause?: unknown): LatchkeyError {
  return new LatchkeyError('staff_login_unavailable', { cause, retryAfterSeconds: RETRY_SECONDS });
}

/** RFC 6749 section 4.1.2.1's words and what OpenID adds look like this. What came back in an address was written by whoever brought it. */
const WORD = /^[a-z_]{1,64}$/;

/** The provider's own word, else the library's code. */
function codeOf(error: unknown): string {
  if (
    error instanceof client.AuthorizationResponseError ||
    error instanceof client.ResponseBodyError
  )
    return WORD.test(error.error) ? error.error : 'unknown';
  if (error instanceof LatchkeyError) return error.code;
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
