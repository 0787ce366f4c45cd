/**
 * What a tenant publishes: its keys and its metadata, for anybody to read. The metadata stands where OpenID Connect Discovery looks, below the
 * issuer, and where RFC 8414 section 3.1 does, before the issuer's path.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServices } from '../dependencies.ts';
import { metadataOf } from '../oauth/metadata.ts';
import { Jwks, Metadata } from '../schemas/discovery.ts';
import type { LatchkeyApp } from '../types.ts';

/** SECURITY.md section 8: a new key is published this long before it signs. */
const CACHED_SECONDS = 60;
const tags = ['discovery'];

export function registerDiscoveryRoutes(app: LatchkeyApp, services: ApiServices): void {
  app.get(
    '/.well-known/jwks.json',
    {
      schema: { summary: 'The keys that verify tokens', tags, response: { 200: Jwks } },
      config: { operationId: 'jwks' },
    },
    async (request, reply) => {
      const keys = await services.tokenKeys.published(request.tenant.tenantId);
      letCache(reply);
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
      schema: {
        summary: 'The tenant’s metadata, as OpenID Connect Discovery asks',
        tags,
        response: { 200: Metadata },
      },
      config: { operationId: 'discovery' },
    },
    answerMetadata,
  );
  // Where RFC 8414 looks when the tenant is mounted at the root.
  app.get(
    '/.well-known/oauth-authorization-server',
    {
      schema: {
        summary: 'The tenant’s metadata, as RFC 8414 asks',
        tags,
        response: { 200: Metadata },
      },
      config: { operationId: 'serverMetadata' },
    },
    answerMetadata,
  );
}

/** For a scope of its own below `/.well-known/oauth-authorization-server`: RFC 8414 puts the issuer's path last. */
export function registerMetadataRoute(app: LatchkeyApp): void {
  app.get(
    '/t/:tenant',
    {
      schema: {
        summary: 'A tenant’s metadata, where RFC 8414 looks for an issuer with a path',
        tags,
        response: { 200: Metadata },
      },
      config: { operationId: 'serverMetadataOfPath' },
    },
    answerMetadata,
  );
}

async function answerMetadata(request: FastifyRequest, reply: FastifyReply) {
  letCache(reply);
  return metadataOf(request.tenant.issuer);
}

function letCache(reply: FastifyReply): void {
  reply.header('cache-control', `public, max-age=${String(CACHED_SECONDS)}`);
}
