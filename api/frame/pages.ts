/**
 * What a person's browser gets from the API's origin: the reference of the API and, in development, the stage. Each has a content security
 * policy of its own; everything else of this origin may load nothing at all.
 */
import { createHash } from 'node:crypto';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import scalar from '@scalar/fastify-api-reference';
import type { ApiServices } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';

const DOCS = '/docs';
const INLINE_SCRIPT = /<script(?:\s+type="[^"]*")?\s*>([\s\S]*?)<\/script>/g;
/** The stage speaks to stage control, the demo bank and the inbox on this machine's other ports. */
const STAGE_POLICY = [
  "default-src 'self'",
  "connect-src 'self' http://localhost:* http://127.0.0.1:*",
  "img-src 'self' data:",
  "frame-src 'self' http://localhost:* http://127.0.0.1:*",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Before any route: security headers for every answer. */
export async function secureHeaders(
  app: LatchkeyApp,
  { configuration }: ApiServices,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'frame-ancestors': ["'none'"],
        'base-uri': ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: configuration.http.publicUrl.startsWith('https:')
      ? { maxAge: 63_072_000, includeSubDomains: true }
      : false,
  });
}

/** After every route is known to the document. */
export async function servePages(app: LatchkeyApp, { pagesDirectory }: ApiServices): Promise<void> {
  app.get(
    '/openapi.json',
    {
      schema: { summary: 'This document', tags: ['documentation'] },
      config: { operationId: 'openapi' },
    },
    async (_request, reply) => await reply.type('application/json').send(app.swagger()),
  );
  await app.register(async (docs: LatchkeyApp) => {
    docs.addHook('onSend', async (_request, reply, payload) => {
      if (
        typeof payload === 'string' &&
        String(reply.getHeader('content-type')).startsWith('text/html')
      )
        reply.header('content-security-policy', docsPolicy(payload));
      return payload;
    });
    await docs.register(scalar, {
      routePrefix: DOCS,
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Latchkey API',
        withDefaultFonts: false,
        hideClientButton: true,
        hideTestRequestButton: true,
        hiddenClients: true,
        showDeveloperTools: 'never',
        agent: { disabled: true },
        mcp: { disabled: true },
        telemetry: false,
      },
    });
  });
  if (pagesDirectory !== undefined) await serveStage(app, pagesDirectory);
}

async function serveStage(app: LatchkeyApp, root: string): Promise<void> {
  await app.register(async (stage: LatchkeyApp) => {
    stage.addHook('onSend', async (_request, reply, payload) => {
      if (reply.statusCode < 400) reply.header('content-security-policy', STAGE_POLICY);
      return payload;
    });
    await stage.register(fastifyStatic, {
      root,
      prefix: '/',
      cacheControl: false,
      dotfiles: 'ignore',
      serveDotFiles: false,
    });
  });
}

/** The page's own inline scripts by their hashes, and no others. Its styles are made by script. */
function docsPolicy(html: string): string {
  const hashes = [...html.matchAll(INLINE_SCRIPT)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes.join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
