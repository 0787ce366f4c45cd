/** Whatever ends a payment at the stage, the bank's desk says it in words and never by its code. */
import { expect, test } from 'vitest';
import { texts } from '../../console/texts/texts.ts';
import type { ERRORS } from '../../domain/errors.ts';
import { STEP_UP_REASONS } from '../../domain/step-up.ts';

/** What `requestStepUp` and `consumeStepUp` document, beside the frame's own. */
const REFUSALS = [
  'action_invalid',
  'action_mismatch',
  'customer_frozen',
  'customer_on_hold',
  'device_not_allowed',
  'revoked',
  'step_up_delayed',
  'step_up_ended',
  'step_up_expired',
  'step_up_not_approved',
  'step_up_pending',
  'step_ups_paused',
  'too_many_requests',
] as const satisfies readonly (keyof typeof ERRORS)[];

test.each([...STEP_UP_REASONS, ...REFUSALS])('%s has words at the payments desk.', (code) => {
  expect(texts.behind.payments.reasons[code]).toMatch(/^[a-z][^_]+$/);
});
