/** How refusals are called at the token endpoint: RFC 6749 section 5.2 and RFC 9449 section 5. Descriptions are the table's titles. */
import { ERRORS } from '../domain/errors.ts';
import type { ErrorCode, LatchkeyError } from '../domain/errors.ts';

export interface OauthError {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

const NAMES: { readonly [Code in ErrorCode]?: readonly [status: number, error: string] } = {
  unknown_client: [401, 'invalid_client'],
  invalid_client_assertion: [401, 'invalid_client'],
  insufficient_scope: [400, 'invalid_scope'],
  dpop_proof_missing: [400, 'invalid_dpop_proof'],
  dpop_proof_invalid: [400, 'invalid_dpop_proof'],
  dpop_proof_replayed: [400, 'invalid_dpop_proof'],
  // SECURITY.md section 2: a refresh token shown with another key, or a forged one.
  dpop_key_mismatch: [401, 'invalid_dpop_proof'],
  dpop_nonce_required: [400, 'use_dpop_nonce'],
  unsupported_grant_type: [400, 'unsupported_grant_type'],
  refresh_token_invalid: [400, 'invalid_grant'],
  refresh_superseded: [400, 'invalid_grant'],
  refresh_reused: [400, 'invalid_grant'],
  session_ended: [400, 'invalid_grant'],
  customer_on_hold: [400, 'invalid_grant'],
  device_not_allowed: [400, 'invalid_grant'],
  origin_not_allowed: [400, 'unauthorized_client'],
  caller_not_allowed: [400, 'unauthorized_client'],
};

export function oauthError(refusal: LatchkeyError): OauthError {
  const { status, title } = ERRORS[refusal.code];
  const [oauthStatus, error] = NAMES[refusal.code] ?? [status, fallback(status)];
  return { status: oauthStatus, error, description: title };
}

function fallback(status: number): string {
  if (status === 503 || status === 429) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
