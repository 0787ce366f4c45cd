/** What a browser shows when a login did not lead to a session: the refusal in a sentence and the way to try again. It knows nobody. */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS } from '../../domain/errors.ts';
import { judgeError, sendProblem } from '../problems.ts';

const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1.5rem;color:#1c1917;background:#fafaf9}' +
  'h1{font-size:1.25rem}a{color:inherit}code{color:#57534e}' +
  '@media (prefers-color-scheme:dark){body{color:#fafaf9;background:#1c1917}code{color:#a8a29e}}';
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** For the two addresses that people open: a page when they did, the problem as everywhere when a program did. */
export function sendLoginRefusal(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const refusal = judgeError(error);
  const wantsPage = request.headers.accept?.includes('text/html') === true;
  if (!wantsPage || refusal.code === 'internal_error' || refusal.code === 'not_found') {
    sendProblem(error, request, reply);
    return;
  }
  const { status, title } = ERRORS[refusal.code];
  request.facts.problemCode = refusal.code;
  if (refusal.retryAfterSeconds !== undefined)
    reply.header('retry-after', String(refusal.retryAfterSeconds));
  void reply
    .code(status)
    .headers({ 'cache-control': 'no-store', 'content-security-policy': POLICY })
    .type('text/html; charset=utf-8')
    .send(page(title, { code: refusal.code, requestId: request.id }));
}

/** Every text here is ours or a literal of the table: nothing of the request but its id. */
function page(title: string, facts: { readonly code: string; readonly requestId: string }): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Not logged in</title><style>${STYLE}</style><main><h1>You are not logged in</h1><p>${title}</p><p><a href="login">Log in</a></p><p><code>${facts.code} ${facts.requestId}</code></p></main></html>`;
}
