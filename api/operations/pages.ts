/**
 * The operations door as a person meets it: the landing page, the runbook, and Temporal's UI behind them. The page is for everybody who reaches
 * the door and knows nothing; what it shows it asks for with the staff cookie.
 */
import fastifyStatic from '@fastify/static';
import type { ApiServices } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';
import { proxyTemporalUi, TEMPORAL_UI_PATH } from './temporal-ui.ts';

const PAGE = 'operations/index.html';
/** Every address of the console that may be opened from outside; what it shows there it asks for itself. */
const PAGES = [
  '/',
  '/runbook',
  '/customers',
  '/customers/:customerId',
  '/customers/:customerId/call',
  '/approvals',
  '/recoveries',
  '/recoveries/:recoveryId',
  '/audit',
  '/works-now',
];
const PAGE_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const config = { operationId: 'operationsPages' } as const;
const schema = { hide: true } as const;

export async function serveOperations(app: LatchkeyApp, services: ApiServices): Promise<void> {
  const { configuration, operationsPagesDirectory: root } = services;
  if (configuration.operations === undefined) return;
  await proxyTemporalUi(app, services);
  app.get('/door.json', { config, schema }, () => describeDoor(configuration));
  if (root === undefined) return;
  await app.register(async (pages: LatchkeyApp) => {
    pages.addHook('onSend', async (_request, reply, payload) => {
      if (reply.statusCode < 400) reply.header('content-security-policy', PAGE_POLICY);
      return payload;
    });
    await pages.register(fastifyStatic, {
      root,
      serve: false,
      cacheControl: false,
      dotfiles: 'ignore',
      serveDotFiles: false,
    });
    for (const path of PAGES)
      pages.get(path, { config, schema }, (_request, reply) => reply.sendFile(PAGE));
    pages.get('/latchkey.svg', { config, schema }, (_request, reply) =>
      reply.sendFile('latchkey.svg'),
    );
    pages.get<{ Params: { file: string } }>('/assets/:file', { config, schema }, (request, reply) =>
      reply.sendFile(`assets/${request.params.file}`),
    );
  });
}

/** What the page must know before anybody is logged in: whose staff come in here, and where Temporal's UI begins. */
function describeDoor({ staff = {}, temporalUi }: ApiServices['configuration']) {
  return {
    tenants: Object.keys(staff),
    ...(temporalUi === undefined
      ? {}
      : {
          temporalUi: {
            tenant: temporalUi.tenant,
            path: `${TEMPORAL_UI_PATH}/namespaces/${encodeURIComponent(temporalUi.namespace)}/workflows`,
          },
        }),
  };
}
