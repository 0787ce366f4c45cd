/** What enrollment operations may answer beyond what their kind of caller may: for the OpenAPI document. */
import type { ErrorCode } from '../../domain/errors.ts';

export const OWN_PROBLEMS: readonly ErrorCode[] = ['ceremony_not_found'];

export const STEP_PROBLEMS: readonly ErrorCode[] = [
  ...OWN_PROBLEMS,
  'wrong_step',
  'ceremony_ended',
  'ceremony_expired',
  'revoked',
  'too_many_updates',
  'submission_expired',
  'outcome_pending',
  'temporal_unavailable',
];

export const CODE_PROBLEMS: readonly ErrorCode[] = [
  ...STEP_PROBLEMS,
  'wrong_code',
  'code_expired',
  'attempts_exhausted',
];

export const RESEND_PROBLEMS: readonly ErrorCode[] = [
  ...STEP_PROBLEMS,
  'resend_too_soon',
  'resends_exhausted',
];
