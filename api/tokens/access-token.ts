/**
 * Access tokens: RFC 9068 JWTs bound to a DPoP key. Verification fixes type, algorithm, issuer and audience itself and believes nothing
 * that the token says about how to check it; whether its session still stands is asked of PostgreSQL afterwards, every time.
 */
import { randomBytes } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Acr, AttestationLevel, DeviceStatus } from '../../domain/auth-strength.ts';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Risk } from '../../domain/ports.ts';
import { isRecord, readCompactJws } from '../compact-jws.ts';
import type { AccessTokenClaims, RequestTenant } from '../types.ts';
import type { TokenKeys } from './signing-keys.ts';

const TYPE = 'at+jwt';
const MAX_LENGTH = 4096;
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/** Whom a token is about: a customer's session, or a machine client itself. */
export type TokenSubject =
  | {
      readonly kind: 'customer';
      readonly customerId: string;
      readonly clientId: string;
      readonly sessionId: string;
      readonly deviceId: string | undefined;
      readonly device?:
        | { readonly status: DeviceStatus; readonly attestationLevel: AttestationLevel }
        | undefined;
      readonly roles?: readonly string[];
      readonly acr: Acr;
      readonly amr: readonly string[];
      readonly authTimeMs: number;
      readonly risk: Risk;
      readonly epoch: number;
    }
  | { readonly kind: 'machine'; readonly clientId: string; readonly roles?: readonly string[] };

export interface AccessTokenRequest {
  readonly tenant: RequestTenant;
  readonly subject: TokenSubject;
  readonly jkt: string;
  readonly scopes: readonly string[];
  /** What is left of the session: a token never promises more. */
  readonly atMostSeconds?: number;
}

export interface IssuedAccessToken {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly scope: string;
}

export interface AccessTokens {
  /** Lives policy.session.accessTokenSeconds, or less when told so. */
  issueAccessToken(request: AccessTokenRequest): Promise<IssuedAccessToken>;
  /** @throws LatchkeyError token_invalid, token_expired */
  verifyAccessToken(tenant: RequestTenant, token: string): Promise<AccessTokenClaims>;
}

export function createAccessTokens(keys: TokenKeys, clock: Clock): AccessTokens {
  return {
    issueAccessToken: async (request) => {
      const { tenant, scopes } = request;
      const expiresInSeconds = Math.min(
        tenant.policy.session.accessTokenSeconds,
        request.atMostSeconds ?? Infinity,
      );
      const nowSeconds = Math.floor(clock.nowMs() / 1000);
      const key = await keys.signingKey(tenant.tenantId, 'access_token');
      const scope = scopes.join(' ');
      const token = await new SignJWT({
        ...subjectClaims(request.subject),
        scope,
        tenant: tenant.slug,
        cnf: { jkt: request.jkt },
      })
        .setProtectedHeader({ typ: TYPE, alg: 'ES256', kid: key.keyId })
        .setIssuer(tenant.issuer)
        .setAudience(tenant.issuer)
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + expiresInSeconds)
        .setJti(randomBytes(16).toString('base64url'))
        .sign(key.privateKey);
      return { token, expiresInSeconds, scope };
    },
    verifyAccessToken: async (tenant, token) => {
      const jws = readCompactJws(token, MAX_LENGTH);
      const keyId = jws?.header['kid'];
      if (jws === undefined || typeof keyId !== 'string' || Object.hasOwn(jws.header, 'jwk'))
        throw new LatchkeyError('token_invalid');
      const key = await keys.verificationKey(tenant.tenantId, 'access_token', keyId);
      if (key === undefined) throw new LatchkeyError('token_invalid');
      const payload = await verifyWith(key, tenant.issuer, token, clock.nowMs());
      if (!isAccessTokenClaims(payload) || payload.tenant !== tenant.slug)
        throw new LatchkeyError('token_invalid');
      return payload;
    },
  };
}

function subjectClaims(subject: TokenSubject): Record<string, unknown> {
  const { roles = [] } = subject;
  const withRoles = roles.length === 0 ? {} : { roles };
  if (subject.kind === 'machine')
    return { sub: subject.clientId, client_id: subject.clientId, ...withRoles };
  const { device } = subject;
  return {
    sub: subject.customerId,
    client_id: subject.clientId,
    sid: subject.sessionId,
    ...(subject.deviceId === undefined ? {} : { device_id: subject.deviceId }),
    ...(device === undefined
      ? {}
      : { device_status: device.status, device_attestation: device.attestationLevel }),
    ...withRoles,
    acr: subject.acr,
    amr: subject.amr,
    auth_time: Math.floor(subject.authTimeMs / 1000),
    risk: subject.risk,
    epoch: subject.epoch,
  };
}

async function verifyWith(
  key: Parameters<typeof jwtVerify>[1],
  issuer: string,
  token: string,
  nowMs: number,
): Promise<unknown> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['ES256'],
      typ: TYPE,
      issuer,
      audience: issuer,
      currentDate: new Date(nowMs),
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id', 'scope', 'cnf'],
    });
    return payload;
  } catch (error) {
    const code = error instanceof errors.JWTExpired ? 'token_expired' : 'token_invalid';
    throw new LatchkeyError(code, { cause: error });
  }
}

function isAccessTokenClaims(value: unknown): value is AccessTokenClaims {
  if (!isRecord(value) || !isRecord(value['cnf'])) return false;
  const texts = ['iss', 'aud', 'sub', 'client_id', 'scope', 'tenant', 'jti'];
  const { jkt } = value['cnf'];
  return (
    texts.every((name) => typeof value[name] === 'string') &&
    typeof jkt === 'string' &&
    THUMBPRINT.test(jkt)
  );
}
