/** ID tokens, OpenID Connect Core section 2: given once, at login, to the app that logged in. They open nothing: their type and key are their own. */
import type { Clock } from '../../domain/clock.ts';
import { signEs256 } from '../proofs/es256.ts';
import type { RequestTenant } from '../types.ts';
import type { TokenKeys } from './signing-keys.ts';

const LIFETIME_SECONDS = 300;

/** Every claim of one. */
export const ID_TOKEN_CLAIMS = [
  'iss',
  'sub',
  'aud',
  'iat',
  'exp',
  'sid',
  'acr',
  'amr',
  'auth_time',
  'tenant',
] as const;

export interface IdTokenRequest {
  readonly tenant: RequestTenant;
  readonly customerId: string;
  readonly clientId: string;
  readonly sessionId: string;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly authTimeMs: number;
}

export interface IdTokens {
  issueIdToken(request: IdTokenRequest): Promise<string>;
}

export function createIdTokens(keys: TokenKeys, clock: Clock): IdTokens {
  return {
    issueIdToken: async (request) => {
      const { tenant } = request;
      const nowSeconds = Math.floor(clock.nowMs() / 1000);
      const key = await keys.signingKey(tenant.tenantId, 'id_token');
      const claims = {
        sid: request.sessionId,
        acr: request.acr,
        amr: request.amr,
        auth_time: Math.floor(request.authTimeMs / 1000),
        tenant: tenant.slug,
        iss: tenant.issuer,
        sub: request.customerId,
        aud: request.clientId,
        iat: nowSeconds,
        exp: nowSeconds + LIFETIME_SECONDS,
      };
      return signEs256(key.privateKey, { typ: 'JWT', alg: 'ES256', kid: key.keyId }, claims);
    },
  };
}
