/**
 * What a person's browser gets from the API's origin: the reference of the API and, in development, the stage. Each has a content security
 * policy of its own; everything else of this origin may load nothing at all.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import helmet from '@fastify/helmet';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import type { ApiServices } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';
import { serveReference } from './reference.ts';

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

/** Each one file that holds its script and style, and a policy that lets these two run and nothing else. */
const RECEIPT_PAGE = '/receipt.html';
/** Behind the links of notices: served wherever the API runs, not only beside the stage. */
const LINK_PAGES = ['/freeze.html', '/recover.html'];

/** Before any route: security headers for every answer. */
export async function secureHeaders(
  app: LatchkeyApp,
  { configuration }: ApiServices,
): Promise<void> {
  const headers = await headersOf({
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
  app.addHook('onRequest', (_request, { raw }, done) => {
    for (const [name, value] of headers) raw.setHeader(name, value);
    done();
  });
}

/** What helmet says, asked once: it is the same for every answer, and the plugin puts it together anew for each. */
async function headersOf(options: FastifyHelmetOptions): Promise<[string, string][]> {
  const probe = Fastify();
  await probe.register(helmet, options);
  // What stands there before an answer is written is helmet's alone.
  probe.get('/', (_request, { raw }) => raw.getHeaders());
  const answer = await probe.inject('/');
  await probe.close();
  return Object.entries(answer.json<Record<string, string>>());
}

/** After every route is known to the document. */
export async function servePages(
  app: LatchkeyApp,
  { pagesDirectory, operationsPagesDirectory }: ApiServices,
): Promise<void> {
  app.get(
    '/openapi.json',
    {
      schema: { summary: 'This document', tags: ['documentation'] },
      config: { operationId: 'openapi' },
    },
    async (_request, reply) => await reply.type('application/json').send(app.swagger()),
  );
  serveReference(app);
  const built = operationsPagesDirectory ?? pagesDirectory;
  if (built !== undefined) for (const page of LINK_PAGES) await serveLinkPage(app, built, page);
  if (pagesDirectory !== undefined) await serveStage(app, pagesDirectory);
}

async function serveStage(app: LatchkeyApp, root: string): Promise<void> {
  const receiptPolicy = policyIn(await readPage(root, RECEIPT_PAGE));
  await app.register(async (stage: LatchkeyApp) => {
    stage.addHook('onSend', async (request, reply, payload) => {
      const [path] = request.url.split('?', 1);
      const policy = path === RECEIPT_PAGE ? receiptPolicy : STAGE_POLICY;
      if (reply.statusCode < 400) reply.header('content-security-policy', policy);
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

async function serveLinkPage(app: LatchkeyApp, root: string, address: string): Promise<void> {
  const page = await readPage(root, address);
  if (page === '') return;
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policyIn(page),
    'cache-control': 'no-cache',
  };
  const config = { operationId: 'pages' } as const;
  app.get(address, { config, schema: { hide: true } }, (_request, reply) =>
    reply.headers(headers).send(page),
  );
}

/** Empty when it was not built. */
async function readPage(root: string, page: string): Promise<string> {
  return await readFile(join(root, page), 'utf8').catch(() => '');
}

/** The page's own, by the hashes in it; without the page, the stage's. */
function policyIn(page: string): string {
  const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page) ?? [];
  return policy === undefined ? STAGE_POLICY : `${policy}; frame-ancestors 'none'`;
}
