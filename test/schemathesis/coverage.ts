/**
 * Which documented answers were seen, operation by operation. A status counts as owed unless every code behind it comes from the frame or from bad luck,
 * which other tests bring about (docs/verification.md); what is left out here stands in a table with its reason.
 */
import type { Place } from './operations.ts';
import type { Exchange } from './signing-proxy.ts';

/** Not of the operation: a parser, a full house, a deadline, a part that is down, a race that was lost. */
const FRAME: ReadonlySet<string> = new Set([
  'uri_too_long',
  'headers_too_large',
  'request_timeout',
  'too_many_requests',
  'internal_error',
  'shutting_down',
  'conflict',
  'database_unavailable',
  'temporal_unavailable',
  'outcome_pending',
  'idempotency_in_progress',
  'vendor_unavailable',
]);

interface Elsewhere {
  /** Codes of a status; where nothing else stands behind it, it is not asked for here. */
  readonly codes: readonly string[];
  readonly operations?: readonly string[];
  readonly why: string;
  readonly shownBy: string;
}

const CUSTOMER_STEP_UPS = [
  'openStepUp',
  'approveStepUp',
  'submitStepUpCode',
  'resendStepUpCode',
  'denyStepUp',
];
const REQUESTED_STEP_UPS = ['requestStepUp', 'getStepUp', 'consumeStepUp', 'cancelStepUp'];
const RECOVERIES_AT_DESK = [
  'openRecoveryByStaff',
  'claimRecovery',
  'handOverRecovery',
  'recordEvidence',
  'confirmEvidence',
  'recordCallBack',
  'decideRecovery',
];
/** By the new phone, by the owner’s old ones, by the link of a notice. */
const RECOVERY_STEPS = [
  'beginLiveness',
  'createRecoveryPasskeyOptions',
  'bindRecoveredPasskey',
  'cancelRecovery',
  'objectToRecovery',
  'shortenRecovery',
  'objectByLink',
];
const LOGIN_STEP_UPS = ['submitLoginCode', 'resendLoginCode', 'finishLogin'];

/** Stories of their own, each brought about by the test that is named. */
export const ELSEWHERE: readonly Elsewhere[] = [
  {
    codes: ['method_not_allowed'],
    why: 'another method is another operation or none: schemathesis tries them all (unsupported_method)',
    shownBy: 'test/api/unknown-requests.test.ts',
  },
  {
    codes: ['idempotency_key_reused'],
    why: 'one key for two requests of one caller',
    shownBy: 'test/api/idempotency.test.ts',
  },
  {
    codes: ['attempts_exhausted', 'resend_too_soon', 'resends_exhausted'],
    why: 'many steps of one enrollment',
    shownBy: 'test/api/enrollment-codes.test.ts',
  },
  {
    codes: ['too_many_updates'],
    why: 'more updates than a workflow takes',
    shownBy: 'test/workflows/enrollment-branches.test.ts',
  },
  {
    codes: ['email_in_use'],
    why: 'somebody else’s address',
    shownBy: 'test/api/enrollment.test.ts',
  },
  {
    codes: ['email_invalid', 'wrong_code'],
    why: 'right in form and wrong in a running enrollment',
    shownBy: 'test/api/enrollment-codes.test.ts',
  },
  {
    codes: ['device_key_exists'],
    why: 'a key that is a customer’s already',
    shownBy: 'test/api/enrollment-passkey.test.ts',
  },
  {
    codes: ['challenge_spent'],
    why: 'a challenge used twice by the key that asked for it',
    shownBy: 'test/api/login.test.ts',
  },
  {
    codes: ['other_device_needed', 'last_credential', 'device_ended'],
    why: 'two devices of one customer, one after the other',
    shownBy: 'test/api/devices.test.ts',
  },
  {
    codes: ['session_limit_reached'],
    why: 'more logins than the policy has room for',
    shownBy: 'test/api/session-caps.test.ts',
  },
  {
    codes: ['approval_expired', 'approval_void', 'approval_pending', 'hold_released'],
    why: 'two people and time between them',
    shownBy: 'test/api/staff-holds.test.ts',
  },
  {
    codes: [
      'action_invalid',
      'insufficient_scope',
      'customer_on_hold',
      'device_not_allowed',
      'step_ups_paused',
      'step_up_delayed',
      'step_up_not_approved',
      'step_up_ended',
      'revoked',
    ],
    operations: REQUESTED_STEP_UPS,
    why: 'a customer, a device, a scope or a time of its own each',
    shownBy: 'test/api/step-ups.test.ts',
  },
  {
    codes: ['session_ended', 'step_up_expired', 'credential_unknown'],
    operations: REQUESTED_STEP_UPS,
    why: 'time, or another change, between two steps of one customer',
    shownBy: 'test/contract/database/step-up-proofs.test.ts',
  },
  {
    codes: ['wrong_step', 'step_up_ended'],
    operations: CUSTOMER_STEP_UPS,
    why: 'somebody else’s that has ended is not there at all',
    shownBy: 'test/api/customer-step-ups.test.ts',
  },
  {
    codes: ['step_up_ended', 'step_up_not_approved', 'revoked'],
    operations: LOGIN_STEP_UPS,
    why: 'of the key that began it alone',
    shownBy: 'test/api/login-step-up.test.ts',
  },
  {
    codes: ['wrong_step', 'step_up_expired', 'revoked'],
    operations: [...CUSTOMER_STEP_UPS, ...LOGIN_STEP_UPS],
    why: 'time, or a cut-off, between two steps of one customer',
    shownBy: 'test/contract/database/step-up-proofs.test.ts',
  },
  {
    codes: ['submission_expired'],
    operations: [...CUSTOMER_STEP_UPS, ...LOGIN_STEP_UPS],
    why: 'a step that a worker took too late',
    shownBy: 'test/workflows/enrollment-branches.test.ts',
  },
  {
    codes: ['step_up_pending'],
    operations: ['login'],
    why: 'two of one requester; a login takes the place of its former',
    shownBy: 'test/api/staff-calls.test.ts',
  },
  {
    codes: ['code_expired'],
    operations: ['submitStepUpCode', 'submitLoginCode'],
    why: 'a code that was waited with for too long',
    shownBy: 'test/api/customer-step-ups.test.ts',
  },
  {
    codes: ['device_not_allowed', 'approval_invalid', 'credential_unknown'],
    operations: CUSTOMER_STEP_UPS,
    why: 'another phone, another passkey, another key',
    shownBy: 'test/api/customer-approvals.test.ts',
  },
  {
    codes: ['device_not_allowed', 'customer_on_hold'],
    operations: ['finishLogin'],
    why: 'a cut-off, or a device suspended, between code and end',
    shownBy: 'test/api/login-step-up.test.ts',
  },
  {
    codes: ['customer_on_hold'],
    operations: ['approveStepUp', 'startCall'],
    why: 'a hold placed in between; asked for before one, it is judged again under the lock',
    shownBy: 'test/api/fraud.test.ts',
  },
  {
    codes: ['receipt_pending'],
    operations: ['getReceipt', 'getOwnReceipt', 'getCallReceipt'],
    why: 'between an approval and its sealing',
    shownBy: 'test/contract/database/receipts.test.ts',
  },
  {
    codes: ['step_ups_paused'],
    why: 'two refusals by one customer',
    shownBy: 'test/api/staff-calls.test.ts',
  },
  {
    codes: ['freeze_link_expired', 'freeze_link_used', 'freeze_limit_reached'],
    why: 'days, a freeze that was lifted, or many of them',
    shownBy: 'test/api/freezes.test.ts',
  },
  {
    codes: ['code_expired'],
    operations: ['submitFreezeCode'],
    why: 'a code that was waited with for too long',
    shownBy: 'test/api/freezes.test.ts',
  },
  {
    codes: ['code_expired', 'recovery_link_expired', 'recovery_link_used'],
    operations: ['submitRecoveryCode', 'submitRecoveryLink'],
    why: 'a link or code that was waited with, asked for anew, or used',
    shownBy: 'test/api/recoveries.test.ts',
  },
  {
    codes: ['recovery_held'],
    operations: RECOVERY_STEPS,
    why: 'a case that the bank looks at',
    shownBy: 'test/api/recovery-objections.test.ts',
  },
  {
    codes: [
      'wrong_step',
      'ceremony_expired',
      'cooling_off',
      'device_not_allowed',
      'revoked',
      'customer_on_hold',
      'factors_missing',
      'approval_void',
      'device_too_weak',
    ],
    operations: RECOVERY_STEPS,
    why: 'of the key or the customer of one case alone, at a time of its own',
    shownBy: 'test/contract/database/recovery-binding.test.ts',
  },
  {
    codes: ['ceremony_ended'],
    operations: RECOVERY_STEPS,
    why: 'a step of a case that somebody stopped before',
    shownBy: 'test/contract/database/recovery-stops.test.ts',
  },
  {
    codes: [
      'challenge_invalid',
      'origin_mismatch',
      'relying_party_mismatch',
      'user_verification_missing',
      'credential_invalid',
      'credential_exists',
      'approval_key_invalid',
    ],
    operations: RECOVERY_STEPS,
    why: 'of the key of one case alone; the passkey is verified as an enrollment’s is',
    shownBy: 'test/api/enrollment-passkey.test.ts',
  },
  {
    codes: ['unknown_client'],
    operations: ['bindRecoveredPasskey'],
    why: 'an app that was withdrawn between two steps',
    shownBy: 'test/api/login.test.ts',
  },
  {
    codes: ['submission_expired'],
    operations: ['bindRecoveredPasskey'],
    why: 'a step that a worker took too late',
    shownBy: 'test/workflows/enrollment-branches.test.ts',
  },
  {
    codes: ['caller_not_proved'],
    why: 'a call in which nobody answered',
    shownBy: 'test/api/device-reports.test.ts',
  },
  {
    codes: [
      'own_account',
      'case_taken',
      'wrong_step',
      'recovery_held',
      'ceremony_expired',
      'phone_not_joined',
      'approval_void',
      'four_eyes_required',
      'factors_missing',
      'customer_on_hold',
      'reauthentication_required',
    ],
    operations: RECOVERIES_AT_DESK,
    why: 'a case, a person or a time of its own each',
    shownBy: 'test/api/staff-recoveries.test.ts',
  },
  {
    codes: ['customer_frozen'],
    why: 'a freeze between two steps of one customer',
    shownBy: 'test/api/freezes.test.ts',
  },
  {
    codes: ['body_too_large'],
    operations: ['decodePayloads'],
    why: 'its bodies may be larger than what a proxy should carry for it',
    shownBy: 'test/api/problems.test.ts',
  },
];

export interface Coverage {
  readonly report: string;
  readonly withoutSuccess: readonly string[];
  /** `operation status`, documented and never seen. */
  readonly missing: readonly string[];
}

export function coverageOf(places: readonly Place[], exchanges: readonly Exchange[]): Coverage {
  const seen = new Map<string, Set<string>>();
  for (const { operationId = '', status } of exchanges)
    seen.set(operationId, (seen.get(operationId) ?? new Set()).add(String(status)));
  const lines: string[] = [];
  const withoutSuccess: string[] = [];
  const missing: string[] = [];
  for (const place of places) {
    const { operation } = place;
    const { operationId } = operation;
    const statuses = seen.get(operationId) ?? new Set<string>();
    const hasSuccess = [...statuses].some((status) => status < '400');
    if (!hasSuccess) withoutSuccess.push(operationId);
    const owed = Object.entries(operation.responses)
      .filter(([status, { description = '' }]) => isOwed(place, status, description))
      .map(([status]) => status);
    const left = owed.filter((status) => !statuses.has(status));
    missing.push(...left.map((status) => `${operationId} ${status}`));
    const notSeen = left.length === 0 ? '' : `, not seen: ${left.join(' ')}`;
    lines.push(`${operationId}: ${[...statuses].toSorted().join(' ')}${notSeen}`);
  }
  return { report: lines.join('\n'), withoutSuccess, missing };
}

function isOwed({ operation }: Place, status: string, description: string): boolean {
  if (!status.startsWith('4')) return false;
  const { operationId, parameters = [], requestBody } = operation;
  const hasInput = requestBody !== undefined || parameters.some(({ name }) => name !== 'tenant');
  const codes = [...description.matchAll(/`([a-z_]+)`:/g)].map(([, code = '']) => code);
  return codes.some((code) => {
    // Where nothing can be said wrongly, only the parser refuses.
    if (FRAME.has(code) || (code === 'invalid_request' && !hasInput)) return false;
    return !ELSEWHERE.some(
      (row) => row.codes.includes(code) && (row.operations?.includes(operationId) ?? true),
    );
  });
}
