/**
 * The two cookies of the operations door. `__Host-` makes browsers refuse them from a neighbouring host, with a Domain or over an unencrypted
 * line; a name that comes twice is refused here, because then somebody tries to slip one in.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

export const STAFF_COOKIE = '__Host-latchkey-staff';
/** The login under way: sealed, short-lived. */
export const LOGIN_COOKIE = '__Host-latchkey-login';

type CookieName = typeof STAFF_COOKIE | typeof LOGIN_COOKIE;

/** RFC 6265 section 4.1.1, without quotes and commas, which none of ours has. */
const VALUE = /^[A-Za-z0-9._-]{1,4000}$/;

/** undefined when it was not sent, was sent twice, or holds what none of ours does. */
export function readCookie(request: FastifyRequest, name: CookieName): string | undefined {
  const values = (request.raw.headersDistinct['cookie'] ?? [])
    .flatMap((header) => header.split(';'))
    .map((pair) => pair.trim())
    // Browsers hold prefixes without regard to case; a name that differs in case alone is somebody's trick as well.
    .filter((pair) => pair.slice(0, pair.indexOf('=')).trim().toLowerCase() === name.toLowerCase());
  const [only, ...others] = values;
  if (only === undefined || others.length > 0 || !only.startsWith(`${name}=`)) return undefined;
  const value = only.slice(name.length + 1);
  return VALUE.test(value) ? value : undefined;
}

/** Without `maxAgeSeconds` it lasts as long as the browser runs; the session's row knows better anyway. */
export function setCookie(
  reply: FastifyReply,
  name: CookieName,
  { value, maxAgeSeconds }: { readonly value: string; readonly maxAgeSeconds?: number },
): void {
  if (!VALUE.test(value)) throw new TypeError('a cookie of ours is letters, digits, . _ and -');
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${String(maxAgeSeconds)}`;
  addCookie(reply, `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax${age}`);
}

export function clearCookie(reply: FastifyReply, name: CookieName): void {
  addCookie(reply, `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`);
}

function addCookie(reply: FastifyReply, cookie: string): void {
  // Fastify collects this one header instead of replacing it.
  reply.header('set-cookie', cookie);
}
