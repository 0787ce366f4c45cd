/**
 * What passes between the operations door and Temporal's web UI behind it: a short list each way, so that neither our cookies nor any identity
 * header of a request reaches the UI, and nothing of the UI sets a cookie of ours or loosens our policy.
 */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const TO_THE_UI: ReadonlySet<string> = new Set([
  'host',
  'accept',
  'accept-language',
  'content-type',
  'content-length',
  'if-none-match',
  'if-modified-since',
  'caller-type',
  'x-csrf-token',
]);

const FROM_THE_UI: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'cache-control',
  'etag',
  'last-modified',
  'vary',
  'location',
]);

/** The UI's own, against forgery of its calls. It names nobody. */
const CSRF_COOKIE = /^_csrf=[A-Za-z0-9_-]{1,128}$/;
const INLINE_SCRIPT = /<script(?:\s[^>]*)?>([\s\S]*?)<\/script>/g;

type Headers = Readonly<Record<string, IncomingHttpHeaders[string]>>;

/** A document is rewritten here, so it must come as it is. */
export function requestHeaders(
  headers: Headers,
  { isDocument }: { readonly isDocument: boolean },
): IncomingHttpHeaders {
  const passed = Object.entries(headers).filter(
    ([name]) => TO_THE_UI.has(name) || (name === 'accept-encoding' && !isDocument),
  );
  const csrf = String(headers['cookie'] ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => CSRF_COOKIE.test(pair));
  return {
    ...Object.fromEntries(passed),
    ...(csrf.length === 1 ? { cookie: csrf[0] } : {}),
  };
}

export function answerHeaders(headers: Headers, policy: string): IncomingHttpHeaders {
  const passed = Object.entries(headers).filter(([name]) => FROM_THE_UI.has(name));
  const cookies = [headers['set-cookie'] ?? []].flat().filter((cookie) => {
    const [pair = ''] = cookie.split(';');
    return CSRF_COOKIE.test(pair);
  });
  return {
    ...Object.fromEntries(passed),
    ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }),
    'content-security-policy': policy,
    // The UI shows Markdown in a frame of its own.
    'x-frame-options': 'SAMEORIGIN',
  };
}

/** What workflows say of themselves, as Markdown: it runs nothing, whatever it holds, and its links open beside the UI. */
export const RENDERED_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "form-action 'none'",
  "base-uri 'self'",
  "frame-ancestors 'self'",
  'sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox',
].join('; ');

/** The page's own inline scripts by their hashes, and no others; everything from this origin. */
export function pagePolicy(html: string): string {
  const hashes = [...html.matchAll(INLINE_SCRIPT)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return [
    "default-src 'self'",
    ["script-src 'self'", ...hashes].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
  ].join('; ');
}
