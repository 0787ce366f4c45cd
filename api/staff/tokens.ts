/**
 * The token of a staff session: its tenant, so that a request without one in its path finds its rows, and 256 random bits. The database keeps
 * a digest of the whole; nothing about it can be guessed, and nothing is read off it before its row was found.
 */
import { createHash, randomBytes } from 'node:crypto';

const FORM = /^(ten_[0-9a-f]{32})\.[A-Za-z0-9_-]{43}$/;

export function newStaffToken(tenantId: string): string {
  return `${tenantId}.${randomBytes(32).toString('base64url')}`;
}

/** undefined for what is none. */
export function readStaffToken(
  token: string,
): { readonly tenantId: string; readonly hash: Uint8Array } | undefined {
  const tenantId = FORM.exec(token)?.[1];
  return tenantId === undefined ? undefined : { tenantId, hash: staffTokenHash(token) };
}

export function staffTokenHash(token: string): Uint8Array {
  return createHash('sha256').update(`staff-session/1\0${token}`).digest();
}
