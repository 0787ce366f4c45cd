/**
 * Access tokens at a service: RFC 9068 with Latchkey's claims, verified with the published keys. Type, algorithm, issuer and audience are fixed
 * here; what could not be judged because the keys could not be had is told apart from what is wrong.
 */
import { createRemoteJWKSet, customFetch, errors, jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { Refusal } from './refusal.ts';

const MAX_LENGTH = 4_096;
const KEYS_TIMEOUT_MS = 3_000;
/** As long as the issuer says; a key is published this long before it signs. */
const KEYS_CACHED_MS = 60_000;
const KEYS_COOL_DOWN_MS = 5_000;
/** No token of Latchkey's lives longer: what is remembered of cut-offs covers it. */
export const LONGEST_TOKEN_SECONDS = 900;

export interface TokenClaims extends JWTPayload {
  readonly sub: string;
  readonly sid: string;
  readonly client_id: string;
  readonly device_id?: string;
  readonly scope: string;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly auth_time: number;
  readonly epoch: number;
  readonly iat: number;
  readonly exp: number;
  readonly cnf: { readonly jkt: string };
}

export interface VerifiedToken {
  readonly claims: TokenClaims;
  readonly keyId: string;
}

export interface AccessTokenVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly fetch: typeof fetch;
  readonly nowMs: () => number;
}

export type VerifyAccessToken = (token: string) => Promise<VerifiedToken>;

export function createAccessTokenVerifier(options: AccessTokenVerifierOptions): VerifyAccessToken {
  const { issuer, audience, nowMs } = options;
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
    cacheMaxAge: KEYS_CACHED_MS,
    cooldownDuration: KEYS_COOL_DOWN_MS,
    timeoutDuration: KEYS_TIMEOUT_MS,
    [customFetch]: (url, init) => options.fetch(url, init),
  });
  return async (token) => {
    if (token.length > MAX_LENGTH) throw new Refusal('token_invalid', { detail: 'length' });
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer,
        audience,
        currentDate: new Date(nowMs()),
        requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'scope', 'cnf'],
      });
      if (payload['sid'] === undefined) throw new Refusal('caller_not_allowed');
      if (protectedHeader.kid === undefined || !isTokenClaims(payload))
        throw new Refusal('token_invalid', { detail: 'claims' });
      return { claims: payload, keyId: protectedHeader.kid };
    } catch (error) {
      throw refusalOf(error);
    }
  };
}

/** What is wrong with the token itself; every other error is about the keys. */
const ABOUT_THE_TOKEN: ReadonlySet<string> = new Set([
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
]);

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTExpired) return new Refusal('token_expired', { cause: error });
  if (error instanceof errors.JOSEError && ABOUT_THE_TOKEN.has(error.code))
    return new Refusal('token_invalid', { cause: error, detail: error.code });
  return new Refusal('verifier_unsure', { cause: error, detail: 'keys' });
}

function isTokenClaims(payload: JWTPayload): payload is TokenClaims {
  const { iat = 0, exp = 0, cnf } = payload;
  const texts = ['sub', 'sid', 'client_id', 'scope', 'acr'].every(
    (name) => typeof payload[name] === 'string',
  );
  const numbers = ['auth_time', 'epoch', 'iat', 'exp'].every((name) =>
    Number.isInteger(payload[name]),
  );
  const device = payload['device_id'];
  return (
    texts &&
    numbers &&
    Array.isArray(payload['amr']) &&
    (device === undefined || typeof device === 'string') &&
    exp - iat <= LONGEST_TOKEN_SECONDS &&
    typeof cnf === 'object' &&
    cnf !== null &&
    'jkt' in cnf &&
    typeof cnf.jkt === 'string'
  );
}
