/** What a tenant publishes: its keys and its discovery document (RFC 8414, OpenID Connect Discovery). It lists only what exists. */
import { Type } from 'typebox';
import type { ApiServices } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';

/** SECURITY.md section 8: a new key is published this long before it signs. */
const CACHED_SECONDS = 60;

const Jwks = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('EC'),
      crv: Type.Literal('P-256'),
      x: Type.String(),
      y: Type.String(),
      kid: Type.String(),
      use: Type.Literal('sig'),
      alg: Type.Literal('ES256'),
    }),
  ),
});

const Discovery = Type.Object({
  issuer: Type.String(),
  jwks_uri: Type.String(),
  token_endpoint: Type.String(),
  grant_types_supported: Type.Array(Type.String()),
  token_endpoint_auth_methods_supported: Type.Array(Type.String()),
  token_endpoint_auth_signing_alg_values_supported: Type.Array(Type.String()),
  dpop_signing_alg_values_supported: Type.Array(Type.String()),
  subject_types_supported: Type.Array(Type.String()),
  id_token_signing_alg_values_supported: Type.Array(Type.String()),
  response_types_supported: Type.Array(Type.String()),
  scopes_supported: Type.Array(Type.String()),
  acr_values_supported: Type.Array(Type.String()),
});

export function registerDiscoveryRoutes(app: LatchkeyApp, services: ApiServices): void {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        summary: 'The keys that verify tokens',
        tags: ['discovery'],
        response: { 200: Jwks },
      },
      config: { operationId: 'jwks' },
    },
    async (request, reply) => {
      const keys = await services.tokenKeys.published(request.tenant.tenantId);
      reply.header('cache-control', `public, max-age=${String(CACHED_SECONDS)}`);
      return {
        keys: keys.map(({ keyId, publicJwk }) => ({
          ...publicJwk,
          kid: keyId,
          use: 'sig' as const,
          alg: 'ES256' as const,
        })),
      };
    },
  );
  app.get(
    '/.well-known/openid-configuration',
    {
      schema: { summary: 'Discovery', tags: ['discovery'], response: { 200: Discovery } },
      config: { operationId: 'discovery' },
    },
    async (request, reply) => {
      reply.header('cache-control', `public, max-age=${String(CACHED_SECONDS)}`);
      return discoveryOf(request.tenant.issuer);
    },
  );
}

function discoveryOf(issuer: string) {
  return {
    issuer,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    token_endpoint: `${issuer}/oauth/token`,
    grant_types_supported: ['client_credentials', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256'],
    dpop_signing_alg_values_supported: ['ES256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    response_types_supported: [],
    scopes_supported: ['openid', 'accounts:read', 'payments:write', 'profile:write'],
    acr_values_supported: ['latchkey:1', 'latchkey:2'],
  };
}
