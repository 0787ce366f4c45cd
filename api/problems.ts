/**
 * The only way back from an error to the wire: RFC 9457 problems, or RFC 6749 section 5.2 objects at OAuth's endpoints. It never
 * shows a message that it did not write itself: what is unknown becomes a bare 500 and stands in the log.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, LatchkeyError } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { isProtectedEndpoint, oauthError } from './oauth/oauth-errors.ts';
import { challengeFor } from './callers/www-authenticate.ts';

const PROBLEM_TYPE = 'https://latchkey.dev/problems/';
const MAX_VALIDATION_ERRORS = 20;
const RETRY_AFTER_SECONDS = 2;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly requestId: string;
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly [extra: string]: unknown;
}

/** Fastify's own refusals, by their stable codes. */
const FRAMEWORK_CODES: { readonly [code: string]: ErrorCode } = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_body',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_INVALID_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_NOT_FOUND: 'not_found',
  FST_STATIC_FORBIDDEN_PATH: 'not_found',
  FST_ERR_HANDLER_TIMEOUT: 'request_timeout',
};

/** What an error means to the caller. Codes that are not public become internal_error. */
export function judgeError(error: unknown): LatchkeyError {
  if (error instanceof LatchkeyError) {
    return ERRORS[error.code].public
      ? error
      : new LatchkeyError('internal_error', { cause: error });
  }
  const code = frameworkCode(error);
  return new LatchkeyError(code ?? 'internal_error', { cause: error });
}

function frameworkCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return undefined;
  if (error.code === 'FST_ERR_VALIDATION') return 'invalid_request';
  return FRAMEWORK_CODES[error.code];
}

export function problemOf(
  refusal: LatchkeyError,
  requestId: string,
  errors?: Problem['errors'],
): Problem {
  const { status, title } = ERRORS[refusal.code];
  const retryAfterSeconds = retryAfter(refusal);
  return {
    ...refusal.extra,
    type: `${PROBLEM_TYPE}${refusal.code}`,
    title,
    status,
    code: refusal.code,
    requestId,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(errors === undefined ? {} : { errors }),
  };
}

/** Every 503 and every retryable 429 says when. */
function retryAfter(refusal: LatchkeyError): number | undefined {
  const { status, retryable } = ERRORS[refusal.code];
  if (refusal.retryAfterSeconds !== undefined) return refusal.retryAfterSeconds;
  return status === 503 || (status === 429 && retryable) ? RETRY_AFTER_SECONDS : undefined;
}

/** The app's error handler. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = judgeError(error);
  const { status } = ERRORS[refusal.code];
  request.facts.problemCode = refusal.code;
  if (refusal.code === 'internal_error') request.log.error({ err: error }, 'defect');
  const retryAfterSeconds = retryAfter(refusal);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  reply.header('cache-control', 'no-store');
  const { errors, operationId } = request.routeOptions.config;
  if (errors === 'oauth') {
    const answer = oauthError(refusal, operationId);
    const challenge = isProtectedEndpoint(operationId) ? challengeFor(refusal) : undefined;
    if (challenge !== undefined) reply.header('www-authenticate', challenge);
    else if (
      answer.status === 401 ||
      answer.error === 'invalid_dpop_proof' ||
      answer.error === 'use_dpop_nonce'
    )
      reply.header('www-authenticate', `DPoP error="${answer.error}", algs="ES256"`);
    void reply.code(answer.status).type('application/json').send({
      error: answer.error,
      error_description: answer.description,
      code: refusal.code,
    });
    return;
  }
  const challenge = challengeFor(refusal);
  if (challenge !== undefined) reply.header('www-authenticate', challenge);
  void reply
    .code(status)
    .type('application/problem+json')
    .send(problemOf(refusal, request.id, validationErrors(error)));
}

function validationErrors(error: unknown): Problem['errors'] | undefined {
  const validation = isFastifyError(error) ? error.validation : undefined;
  if (validation === undefined) return undefined;
  const context = isFastifyError(error) ? (error.validationContext ?? 'body') : 'body';
  return validation.slice(0, MAX_VALIDATION_ERRORS).map((entry) => ({
    path: `${context}${entry.instancePath}`,
    message: entry.message ?? 'is not valid',
  }));
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'validation' in error;
}
