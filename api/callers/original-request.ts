/**
 * The request that a gateway asks about, as the gateway spelt it (SECURITY.md section 4): scheme and host come from the configuration of that
 * gateway, never from a header. An address that a service behind it could read in two ways is refused.
 */

import type { Acr } from '../../domain/auth-strength.ts';

export interface GatewayConfiguration {
  /** Where clients reach what lies behind it, without a trailing slash. */
  readonly origin: string;
  /** `/` or a path without a trailing slash: nothing outside it is answered for. */
  readonly pathPrefix: string;
  /** What a token must carry to pass. */
  readonly scope: string;
  /** How strong and how recent the login must be (RFC 9470). */
  readonly acr?: Acr;
  readonly maxAgeSeconds?: number;
}

const METHOD = /^[A-Z]{1,16}$/;
const MAX_URI_LENGTH = 2048;
/** Origin form, RFC 9112 section 3.2.1, without backslash, fragment or control characters. */
const ORIGIN_FORM = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
/** Encoded slash, backslash, dot, percent and NUL; and any `%` that encodes nothing. */
const AMBIGUOUS_ENCODING = /%(?:2f|5c|2e|25|00)|%(?![0-9a-f]{2})/i;

/** What DPoP's htm and htu must be; undefined for what cannot be judged without doubt. */
export function originalRequest(
  gateway: GatewayConfiguration,
  method: string,
  uri: string,
): { readonly method: string; readonly htu: string } | undefined {
  if (!METHOD.test(method) || uri.length > MAX_URI_LENGTH || !ORIGIN_FORM.test(uri))
    return undefined;
  const path = uri.split('?', 1)[0] ?? '';
  if (path.includes('//') || AMBIGUOUS_ENCODING.test(path)) return undefined;
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  // `;` starts parameters that some servers cut off: `..;` is a dot segment to them.
  if (path.split('/').some((segment) => /^\.{1,2};/.test(segment))) return undefined;
  const isInside =
    gateway.pathPrefix === '/' ||
    path === gateway.pathPrefix ||
    path.startsWith(`${gateway.pathPrefix}/`);
  return isInside ? { method, htu: `${gateway.origin}${path}` } : undefined;
}
