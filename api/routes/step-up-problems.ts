/** What operations on a step-up may answer beyond what their kind of caller may: for the OpenAPI document. */
import type { ErrorCode } from '../../domain/errors.ts';

export const OWN_PROBLEMS = ['step_up_not_found'] as const satisfies readonly ErrorCode[];

/** How it ended, where it would have to be open. */
export const ENDED_PROBLEMS = [
  ...OWN_PROBLEMS,
  'step_up_ended',
  'step_up_expired',
  'revoked',
] as const satisfies readonly ErrorCode[];

export const STEP_PROBLEMS = [
  ...ENDED_PROBLEMS,
  'wrong_step',
  'too_many_updates',
  'submission_expired',
  'outcome_pending',
  'temporal_unavailable',
] as const satisfies readonly ErrorCode[];

export const CODE_PROBLEMS = [
  ...STEP_PROBLEMS,
  'wrong_code',
  'code_expired',
  'attempts_exhausted',
] as const satisfies readonly ErrorCode[];

export const RESEND_PROBLEMS = [
  ...STEP_PROBLEMS,
  'resend_too_soon',
  'resends_exhausted',
] as const satisfies readonly ErrorCode[];
