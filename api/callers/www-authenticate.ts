/** What a 401 or 403 asks for: RFC 9110 section 11.6.1 with the DPoP scheme of RFC 9449 section 7.1. */
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode, LatchkeyError } from '../../domain/errors.ts';

const DPOP_ERRORS: { readonly [Code in ErrorCode]?: string } = {
  dpop_proof_invalid: 'invalid_dpop_proof',
  dpop_proof_replayed: 'invalid_dpop_proof',
  dpop_key_mismatch: 'invalid_token',
  dpop_nonce_required: 'use_dpop_nonce',
  token_invalid: 'invalid_token',
  token_expired: 'invalid_token',
  session_ended: 'invalid_token',
  insufficient_scope: 'insufficient_scope',
  insufficient_user_authentication: 'insufficient_user_authentication',
};

/** A cookie is no scheme of its own; the name follows draft-broyer-http-cookie-auth, and `loginUrl` in the body says where to go. */
const STAFF_CODES: ReadonlySet<ErrorCode> = new Set([
  'staff_login_required',
  'reauthentication_required',
]);

/** What the challenge says of what is missing: RFC 6750 section 3, RFC 9470 section 3. */
const PARAMETERS = ['scope', 'acr_values', 'max_age'];

/** undefined for answers that no other credentials would change. */
export function challengeFor(refusal: LatchkeyError): string | undefined {
  const error = DPOP_ERRORS[refusal.code];
  if (ERRORS[refusal.code].status !== 401 && error === undefined) return undefined;
  if (STAFF_CODES.has(refusal.code)) return 'Cookie cookie-name="__Host-latchkey-staff"';
  return [
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...PARAMETERS.flatMap((name) => {
      const value = refusal.extra[name];
      return value === undefined ? [] : [`${name}="${String(value)}"`];
    }),
    'algs="ES256"',
  ]
    .join(', ')
    .replace(/^/, 'DPoP ');
}
