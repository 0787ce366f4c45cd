/**
 * Cross-site request forgery at the operations door (SECURITY.md section 6): whatever may change something comes from a page of this very
 * origin and says so in Origin, which no page can forge. Sec-Fetch-Site, where a browser sends it, must agree. SameSite is only the second line.
 */
import type { FastifyRequest } from 'fastify';
import { LatchkeyError } from '../../domain/errors.ts';
import { singleHeader } from '../frame/headers.ts';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const JSON_TYPE = /^application\/json(?:\s*;|$)/i;

/** For every request of the door, pages and what lies behind them too. @throws LatchkeyError origin_not_allowed */
export function requireSameOrigin(
  request: FastifyRequest,
  operationsUrl: string | undefined,
): void {
  const origin = singleHeader(request, 'origin', 'origin_not_allowed');
  const site = singleHeader(request, 'sec-fetch-site', 'origin_not_allowed');
  if (READING.has(request.method)) {
    // Reading changes nothing, but another page may not even have it fetched; links and the way back from a login are navigations.
    const isFromElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none';
    const isNavigation = request.headers['sec-fetch-mode'] === 'navigate';
    if (isFromElsewhere && !isNavigation) throw new LatchkeyError('origin_not_allowed');
    return;
  }
  if (origin === undefined || origin !== operationsUrl)
    throw new LatchkeyError('origin_not_allowed');
  if (site !== undefined && site !== 'same-origin') throw new LatchkeyError('origin_not_allowed');
}

/**
 * For what staff are told in their own name: each look is theirs, and stands in the audit as theirs. So no other page may lead them to it by a link
 * either; whoever types the address, or is no browser, may go there. @throws LatchkeyError origin_not_allowed
 */
export function requireOwnPage(request: FastifyRequest): void {
  const site = singleHeader(request, 'sec-fetch-site', 'origin_not_allowed') ?? 'none';
  if (site !== 'same-origin' && site !== 'none') throw new LatchkeyError('origin_not_allowed');
}

/** Below a tenant: no form of another page can send JSON, not even an empty one. @throws LatchkeyError unsupported_media_type */
export function requireJson(request: FastifyRequest): void {
  if (READING.has(request.method)) return;
  const type = singleHeader(request, 'content-type', 'unsupported_media_type');
  if (type === undefined || !JSON_TYPE.test(type))
    throw new LatchkeyError('unsupported_media_type');
}
