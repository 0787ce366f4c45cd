/**
 * Temporal's own web UI, for staff who may read it: proxied below /temporal of the operations origin, so that the staff cookie guards it and its
 * calls of the codec endpoint bring that cookie along. It is for reading: whoever acts, acts through Latchkey, where it is attributed. Neither
 * our cookies nor anything else that identifies a person reaches the UI.
 */
import replyFrom from '@fastify/reply-from';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import { accessOf } from '../access.ts';
import type { ApiServices } from '../dependencies.ts';
import type { LatchkeyApp } from '../types.ts';
import { sendDoorPage, wantsPage } from './door-pages.ts';
import { answerHeaders, pagePolicy, RENDERED_POLICY, requestHeaders } from './ui-headers.ts';

export const TEMPORAL_UI_PATH = '/temporal';
const SETTINGS = `${TEMPORAL_UI_PATH}/api/v1/settings`;
/** Where the UI has its Markdown drawn, in a frame. */
const RENDER = `${TEMPORAL_UI_PATH}/render`;
/** What the UI posts only to read: the current details of a workflow are the answer to a query. */
const QUERY = /^\/temporal\/api\/v1\/namespaces\/[^/]+\/workflows\/[^/]+\/quer(?:y|ies)\/[\w%]+$/;
/** Stands for any origin. */
const ANY_ORIGIN = 'http://ui';
const MAX_DOCUMENT_BYTES = 1024 * 1024;

type Upstream = NonNullable<ApiServices['configuration']['temporalUi']>;

/** Nothing when no UI stands behind the door. */
export async function proxyTemporalUi(app: LatchkeyApp, services: ApiServices): Promise<void> {
  const { temporalUi } = services.configuration;
  if (temporalUi === undefined) return;
  await app.register(async (scope: LatchkeyApp) => {
    scope.addHook('onRequest', (request, reply) => admit(request, reply, services, temporalUi));
    await scope.register(replyFrom, { base: temporalUi.upstream, disableRequestLogging: true });
    // The UI sends its JSON under the type that browsers take by default; it is passed on as it is.
    scope.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => {
      done(null, body);
    });
    const config = { operationId: 'temporalUi' } as const;
    const schema = { hide: true } as const;
    const forward = (request: FastifyRequest, reply: FastifyReply) =>
      answerFromUi(request, reply, services, temporalUi);
    // The UI itself would begin at the namespace `default`, where nothing of ours is.
    const workflows = `${TEMPORAL_UI_PATH}/namespaces/${encodeURIComponent(temporalUi.namespace)}/workflows`;
    for (const root of [TEMPORAL_UI_PATH, `${TEMPORAL_UI_PATH}/`])
      scope.get(root, { config, schema }, (_request, reply) => reply.redirect(workflows, 302));
    scope.get(`${TEMPORAL_UI_PATH}/*`, { config, schema }, forward);
    scope.post(`${TEMPORAL_UI_PATH}/*`, { config, schema }, (request, reply) => {
      if (!QUERY.test(pathOf(request))) throw new LatchkeyError('method_not_allowed');
      return forward(request, reply);
    });
  });
}

/** Only a live session of that tenant with a role of the matrix's row. People are led to the login or told why not; scripts get problems. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { staffAuthentication, tenants }: ApiServices,
  { tenant: slug }: Upstream,
): Promise<void> {
  const roles = accessOf('temporalUi')?.roles ?? [];
  const visit = await staffAuthentication.visitOf(request);
  const { tenantId } = await tenants.bySlug(slug);
  const isPage = wantsPage(request);
  if (visit === undefined) {
    const loginUrl = `/t/${slug}/staff/login`;
    if (!isPage) throw new LatchkeyError('staff_login_required', { extra: { loginUrl } });
    const returnTo = encodeURIComponent(request.originalUrl);
    await reply.redirect(`${loginUrl}?returnTo=${returnTo}`, 302);
    return;
  }
  const isAllowed =
    visit.tenantId === tenantId && roles.some((role) => visit.caller.roles.includes(role));
  request.facts.caller = visit.caller;
  if (isAllowed) return;
  if (!isPage) throw new LatchkeyError('staff_role_missing', { extra: { roles: roles.join(' ') } });
  await sendDoorPage(request, reply, {
    code: 'staff_role_missing',
    title: 'You may not look in here',
    told: `Temporal’s web interface shows every workflow of the bank. It is open to auditors and administrators; you are logged in as ${visit.caller.roles.join(' and ')}.`,
    next: { href: '/', text: 'Back to operations' },
  });
}

async function answerFromUi(
  request: FastifyRequest,
  reply: FastifyReply,
  { configuration }: ApiServices,
  { tenant }: Upstream,
): Promise<FastifyReply> {
  const path = pathOf(request);
  if (!isPlain(path)) throw new LatchkeyError('not_found');
  const isRendering = path === RENDER;
  // It draws whatever a link brings along: only into the frame that the UI's own page made for it.
  if (isRendering && (request.headers['sec-fetch-site'] ?? 'same-origin') !== 'same-origin')
    throw new LatchkeyError('not_found');
  const isDocument = path === SETTINGS || (wantsPage(request) && !isRendering);
  const codecUrl = `${configuration.operations?.url ?? ''}/t/${tenant}/ops/codec`;
  // The query goes with it as it came. Measured on UI 2.50.1: it takes its public path off every address and then looks for this one with it.
  reply.from(isRendering ? `${TEMPORAL_UI_PATH}${path}` : path, {
    rewriteRequestHeaders: (_request, headers) => requestHeaders(headers, { isDocument }),
    rewriteHeaders: (headers) => answerHeaders(headers, policyFor(headers, isRendering)),
    ...(isDocument
      ? {
          onResponse: (_request, to, { stream, statusCode }) => {
            rewriteDocument(stream, (text) =>
              path === SETTINGS && statusCode === 200 ? settingsFor(text, codecUrl) : text,
            ).then(
              (text) => {
                if (
                  path !== SETTINGS &&
                  to.getHeader('content-security-policy') !== RENDERED_POLICY
                )
                  to.header('content-security-policy', pagePolicy(text));
                return to.removeHeader('content-length').send(text);
              },
              (cause: unknown) => to.send(new LatchkeyError('temporal_unavailable', { cause })),
            );
          },
        }
      : {}),
    onError: (to, { error: cause }) => {
      if (!wantsPage(request)) to.send(new LatchkeyError('temporal_unavailable', { cause }));
      else
        void sendDoorPage(request, reply, {
          code: 'temporal_unavailable',
          title: 'Temporal’s web interface does not answer',
          told: 'Nobody is locked out by that: logins and payments need PostgreSQL only. Try again in a moment.',
          next: { href: '/', text: 'Back to operations' },
        });
    },
  });
  return reply;
}

/**
 * Whether the path is sent on as it was judged: nothing in it that a parser takes for a separator, an end or a way up. What the UI draws for its
 * frame is reached by RENDER alone.
 */
function isPlain(path: string): boolean {
  if (!URL.canParse(path, ANY_ORIGIN) || new URL(path, ANY_ORIGIN).pathname !== path) return false;
  // A workflow's id is encoded, and holds slashes.
  if (/%2e|%2f|%5c/i.test(path.replaceAll(/\/workflows\/[^/]+/g, '/workflows'))) return false;
  // The router has decoded it before.
  return !/^\/temporal\/+temporal(?:\/|$)/i.test(decodeURIComponent(path));
}

/** What comes with a policy of its own is not the UI's page, and none of its scripts are. */
function policyFor(headers: Parameters<typeof answerHeaders>[0], isRendering: boolean): string {
  const isDrawn = isRendering || headers['content-security-policy'] !== undefined;
  return isDrawn ? RENDERED_POLICY : pagePolicy('');
}

function pathOf(request: FastifyRequest): string {
  return request.originalUrl.split('?', 1)[0] ?? '';
}

async function rewriteDocument(
  stream: AsyncIterable<unknown>,
  change: (text: string) => string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    // Without an encoding, an answer yields buffers.
    const part = chunk as Buffer;
    size += part.length;
    if (size > MAX_DOCUMENT_BYTES) throw new Error('the document is too large');
    chunks.push(part);
  }
  return change(Buffer.concat(chunks).toString('utf8'));
}

/** Whatever the UI was started with: payloads are opened at this door, and nothing is changed from it. */
function settingsFor(text: string, codecUrl: string): string {
  // The UI's own settings, an object as it documents them.
  const settings = JSON.parse(text) as Record<string, unknown>;
  const switches = Object.keys(settings).filter((name) => /^Disable.*Write|Disabled$/.test(name));
  return JSON.stringify({
    ...settings,
    ...Object.fromEntries(switches.map((name) => [name, true])),
    DisableWriteActions: true,
    Codec: { Endpoint: codecUrl, PassAccessToken: false, IncludeCredentials: false },
  });
}
