/**
 * How refusals are called at OAuth's endpoints: RFC 6749 section 5.2 and RFC 9449 section 5 where a client asks for itself, RFC 6750 section 3.1
 * where a token opens the endpoint (RFC 7662 section 2.3). Descriptions are the table's titles.
 */
import { ERRORS } from '../../domain/errors.ts';
import type { ErrorCode, LatchkeyError } from '../../domain/errors.ts';
import { accessOf } from '../access.ts';

export interface OauthError {
  readonly status: number;
  readonly error: string;
  readonly description: string;
}

type Names = { readonly [Code in ErrorCode]?: readonly [status: number, error: string] };

const AT_TOKEN_ENDPOINT: Names = {
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

/** Where a service shows its own token. Statuses are the table's. */
const AT_PROTECTED_ENDPOINT: Names = {
  invalid_client_assertion: [401, 'invalid_client'],
  insufficient_scope: [403, 'insufficient_scope'],
  token_missing: [401, 'invalid_token'],
  token_invalid: [401, 'invalid_token'],
  token_expired: [401, 'invalid_token'],
  session_ended: [401, 'invalid_token'],
  dpop_key_mismatch: [401, 'invalid_token'],
  dpop_proof_missing: [401, 'invalid_dpop_proof'],
  dpop_proof_invalid: [401, 'invalid_dpop_proof'],
  dpop_proof_replayed: [401, 'invalid_dpop_proof'],
  dpop_nonce_required: [401, 'use_dpop_nonce'],
  customer_on_hold: [403, 'access_denied'],
  device_not_allowed: [403, 'access_denied'],
  origin_not_allowed: [403, 'access_denied'],
  caller_not_allowed: [403, 'access_denied'],
};

export function oauthError(refusal: LatchkeyError, operationId: string | undefined): OauthError {
  const { status, title } = ERRORS[refusal.code];
  const names = isProtectedEndpoint(operationId) ? AT_PROTECTED_ENDPOINT : AT_TOKEN_ENDPOINT;
  const [oauthStatus, error] = names[refusal.code] ?? [status, fallback(status)];
  return { status: oauthStatus, error, description: title };
}

/** Whether a token opens it: then a 403 too says what it asks for. */
export function isProtectedEndpoint(operationId: string | undefined): boolean {
  return accessOf(operationId)?.caller === 'service';
}

function fallback(status: number): string {
  if (status === 503 || status === 429) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}
