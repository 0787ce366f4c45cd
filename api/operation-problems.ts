/** Which refusals an operation may answer: by its door, its method, its kind of caller as the access matrix has it, and what its route names itself. */
import type { RouteOptions } from 'fastify';
import type { ErrorCode } from '../domain/errors.ts';
import { ERRORS } from '../domain/errors.ts';
import { accessOf, needsIdempotencyKey } from './access.ts';
import type { CallerKind } from './access.ts';

const ALWAYS: readonly ErrorCode[] = [
  'invalid_request',
  'uri_too_long',
  'headers_too_large',
  'request_timeout',
  'too_many_requests',
  'internal_error',
  'shutting_down',
];
const BELOW_A_TENANT: readonly ErrorCode[] = [
  'not_found',
  'method_not_allowed',
  'database_unavailable',
  'conflict',
];
const WITH_A_BODY: readonly ErrorCode[] = [
  'malformed_body',
  'body_too_large',
  'unsupported_media_type',
];
const WITH_AN_IDEMPOTENCY_KEY: readonly ErrorCode[] = [
  'idempotency_key_missing',
  'idempotency_key_reused',
  'idempotency_in_progress',
];
const WITH_A_PROOF: readonly ErrorCode[] = [
  'dpop_proof_missing',
  'dpop_proof_invalid',
  'dpop_nonce_required',
  'dpop_proof_replayed',
];
const WITH_A_TOKEN: readonly ErrorCode[] = [
  ...WITH_A_PROOF,
  'token_missing',
  'token_invalid',
  'token_expired',
  'dpop_key_mismatch',
  'caller_not_allowed',
];
const OF_CALLER: { readonly [Kind in CallerKind]: readonly ErrorCode[] } = {
  public: [],
  key: [...WITH_A_PROOF, 'caller_not_allowed'],
  client: [...WITH_A_PROOF, 'caller_not_allowed'],
  customer: [...WITH_A_TOKEN, 'session_ended', 'customer_on_hold', 'device_not_allowed'],
  machine: [...WITH_A_TOKEN, 'insufficient_scope'],
  service: [...WITH_A_TOKEN, 'insufficient_scope', 'invalid_client_assertion'],
  vendor: ['signature_invalid'],
  gateway: [],
  staff: ['staff_login_required', 'staff_role_missing'],
};

/** Every code an operation may answer, each once, in the table's order. */
export function problemsOf(
  route: Pick<RouteOptions, 'config' | 'method' | 'url' | 'schema'>,
): ErrorCode[] {
  const row = accessOf(route.config?.operationId);
  const method = String(route.method);
  const codes = new Set<ErrorCode>([
    ...ALWAYS,
    ...(route.url.includes('/t/:tenant') ? BELOW_A_TENANT : []),
    ...(isOpenToPages(route) ? [] : (['origin_not_allowed'] as const)),
    ...(readsBodies(method) ? WITH_A_BODY : []),
    ...(needsIdempotencyKey(route.config?.operationId, method) ? WITH_AN_IDEMPOTENCY_KEY : []),
    ...(row === undefined ? [] : OF_CALLER[row.caller]),
    ...(row?.acr === undefined && row?.maxAgeSeconds === undefined
      ? []
      : (['insufficient_user_authentication'] as const)),
    ...(row?.caller === 'customer' && row.scope === 'profile:write' && row.whileFrozen !== true
      ? (['customer_frozen'] as const)
      : []),
    ...(row?.recentLogin === true ? (['reauthentication_required'] as const) : []),
    ...(route.config?.problems ?? []),
  ]);
  // Object.keys of the table answers its codes.
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => codes.has(code));
}

/** Fastify reads what was sent before it asks whether the route wants it: a DELETE with a form is 415 too. */
const readsBodies = (method: string): boolean => method !== 'GET' && method !== 'HEAD';

/** What the public may read, any page may; what stands below no tenant asks nobody where he comes from. */
function isOpenToPages({ config, method, url }: Pick<RouteOptions, 'config' | 'method' | 'url'>) {
  const row = accessOf(config?.operationId);
  const isPublic = row?.caller === 'public' && row.door !== 'operations';
  const isOpen = String(method) === 'GET' || row?.fromAnyPage === true;
  return !url.includes('/t/:tenant') || (isPublic && isOpen);
}
