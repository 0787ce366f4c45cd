/**
 * The reference of the API for people, at /docs. What draws it is loaded when the first person asks: it would take 39 MiB of every
 * process for a page that production hardly ever shows. It must never read anything but the OpenAPI document.
 */
import { createHash } from 'node:crypto';
import { fastify } from 'fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LatchkeyApp } from '../types.ts';

const DOCS = '/docs';
const PASSED_ON = ['content-type', 'location', 'etag', 'cache-control'] as const;
const INLINE_SCRIPT = /<script(?:\s+type="[^"]*")?\s*>([\s\S]*?)<\/script>/g;

type Renderer = Awaited<ReturnType<typeof renderer>>;

export function serveReference(app: LatchkeyApp): void {
  let loading: Promise<Renderer> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    loading ??= renderer();
    const { statusCode, headers, rawPayload } = await (
      await loading
    ).inject({ method: 'GET', url: request.url });
    for (const name of PASSED_ON) {
      const value = headers[name];
      if (value !== undefined) reply.header(name, value);
    }
    if (String(headers['content-type']).startsWith('text/html'))
      reply.header('content-security-policy', docsPolicy(rawPayload.toString('utf8')));
    return await reply.code(statusCode).send(rawPayload);
  };
  for (const url of [DOCS, `${DOCS}/`, `${DOCS}/js/scalar.js`])
    app.get(url, { schema: { hide: true }, config: { operationId: 'docs' } }, answer);
}

/** An app of its own that listens nowhere. */
async function renderer() {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const app = fastify();
  await app.register(scalar, {
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
  return app;
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
