/**
 * Access tokens: RFC 9068 JWTs bound to a DPoP key. Verification fixes type, algorithm, issuer and audience itself and believes nothing
 * that the token says about how to check it; whether its session still stands is asked of PostgreSQL afterwards, every time.
 */
import { KeyObject, randomUUID } from 'node:crypto';
import type { Acr, AttestationLevel, DeviceStatus } from '../../domain/auth-strength.ts';
import type { Clock } from '../../domain/clock.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { Risk } from '../../domain/ports.ts';
import { isRecord, readCompactJws } from '../proofs/compact-jws.ts';
import { isSignedBy, signEs256 } from '../proofs/es256.ts';
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
      /** After a recovery. */
      readonly limitedUntilMs?: number | null;
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
      const claims = {
        ...subjectClaims(request.subject),
        scope,
        tenant: tenant.slug,
        cnf: { jkt: request.jkt },
        iss: tenant.issuer,
        aud: tenant.issuer,
        iat: nowSeconds,
        exp: nowSeconds + expiresInSeconds,
        // Node asks its random source for many at once.
        jti: randomUUID(),
      };
      const token = signEs256(key.privateKey, { typ: TYPE, alg: 'ES256', kid: key.keyId }, claims);
      return { token, expiresInSeconds, scope };
    },
    verifyAccessToken: async (tenant, token) => {
      const jws = readCompactJws(token, MAX_LENGTH);
      const keyId = jws === undefined ? undefined : keyIdIn(jws.header);
      if (jws === undefined || keyId === undefined) throw new LatchkeyError('token_invalid');
      const key = await keys.verificationKey(tenant.tenantId, 'access_token', keyId);
      if (key === undefined || !isSignedBy(keyObject(key), jws))
        throw new LatchkeyError('token_invalid');
      return judgeClaims(jws.payload, tenant, clock.nowMs());
    },
  };
}

/** Ours has these three members; another one would change what the signature means (`crit`, `b64`, a key of its own). */
function keyIdIn(header: Readonly<Record<string, unknown>>): string | undefined {
  const { typ, alg, kid, ...rest } = header;
  const isOurs = typ === TYPE && alg === 'ES256' && Object.keys(rest).length === 0;
  return isOurs && typeof kid === 'string' ? kid : undefined;
}

const keyObjects = new WeakMap<CryptoKey, KeyObject>();

function keyObject(key: CryptoKey): KeyObject {
  const found = keyObjects.get(key) ?? KeyObject.from(key);
  keyObjects.set(key, found);
  return found;
}

/** RFC 9068 section 4, step by step. */
function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  { issuer, slug }: RequestTenant,
  nowMs: number,
): AccessTokenClaims {
  if (!isAccessTokenClaims(claims) || claims.iss !== issuer || claims.aud !== issuer)
    throw new LatchkeyError('token_invalid');
  if (claims.tenant !== slug) throw new LatchkeyError('token_invalid');
  if (claims.exp <= Math.floor(nowMs / 1000)) throw new LatchkeyError('token_expired');
  return claims;
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
    ...(subject.limitedUntilMs == null
      ? {}
      : { limited_until: Math.floor(subject.limitedUntilMs / 1000) }),
  };
}

function isAccessTokenClaims(value: unknown): value is AccessTokenClaims {
  if (!isRecord(value) || !isRecord(value['cnf'])) return false;
  const texts = ['iss', 'aud', 'sub', 'client_id', 'scope', 'tenant', 'jti'];
  const { jkt } = value['cnf'];
  return (
    texts.every((name) => typeof value[name] === 'string') &&
    Number.isInteger(value['iat']) &&
    Number.isInteger(value['exp']) &&
    typeof jkt === 'string' &&
    THUMBPRINT.test(jkt)
  );
}
