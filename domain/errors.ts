/**
 * Every way Latchkey refuses, in one table: code → HTTP status, title, whether trying again can help, whether the code may be shown
 * to the caller. Nothing else in the code base decides a status. A code is a literal for ever; docs/errors.md lists each.
 */

interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  /** false: the caller sees only `internal_error`; the code stands in the log. */
  readonly public: boolean;
}

const refused = (status: number, title: string): ErrorEntry => ({
  status,
  title,
  retryable: false,
  public: true,
});
const tryAgain = (status: number, title: string): ErrorEntry => ({
  status,
  title,
  retryable: true,
  public: true,
});

export const ERRORS = {
  // The request itself
  malformed_body: refused(400, 'The body is not valid JSON.'),
  invalid_request: refused(400, 'The request does not fit its schema.'),
  idempotency_key_missing: refused(400, 'This operation needs an Idempotency-Key header.'),
  idempotency_key_reused: refused(422, 'That Idempotency-Key was used with another request.'),
  idempotency_in_progress: tryAgain(409, 'A request with that Idempotency-Key is still under way.'),
  not_found: refused(404, 'There is nothing here under that name.'),
  method_not_allowed: refused(405, 'That method is not allowed here.'),
  body_too_large: refused(413, 'The body is too large.'),
  uri_too_long: refused(414, 'The address is too long.'),
  unsupported_media_type: refused(415, 'That content type is not accepted here.'),
  headers_too_large: refused(431, 'The headers are too large.'),
  too_many_requests: tryAgain(429, 'Too many requests. Wait a little.'),
  request_timeout: tryAgain(408, 'The request took too long to arrive.'),

  // Who is asking
  unknown_client: refused(401, 'That client is not known here.'),
  unsupported_grant_type: refused(400, 'That grant type is not offered here.'),
  origin_not_allowed: refused(403, 'That origin is not allowed for this client.'),
  invalid_client_assertion: refused(401, 'The client assertion is not valid.'),
  token_missing: refused(401, 'An access token is needed.'),
  token_invalid: refused(401, 'The access token is not valid.'),
  token_expired: refused(401, 'The access token has expired.'),
  session_ended: refused(401, 'The session has ended. Log in again.'),
  insufficient_user_authentication: refused(401, 'This needs a stronger or a more recent login.'),
  insufficient_scope: refused(403, 'The token does not carry the scope this needs.'),
  caller_not_allowed: refused(403, 'This caller may not do that.'),
  signature_invalid: refused(401, 'The signature of this call is not valid.'),

  // Staff, at the operations door
  staff_login_required: refused(401, 'Log in as staff.'),
  reauthentication_required: refused(401, 'This needs a login of the last five minutes.'),
  staff_login_failed: refused(400, 'That login could not be completed. Start it again.'),
  staff_login_unavailable: tryAgain(
    503,
    'The identity provider of staff does not answer right now. Try again soon.',
  ),
  no_staff_role: refused(403, 'This account has no role here.'),
  staff_role_missing: refused(403, 'Your roles do not allow that.'),

  // DPoP, RFC 9449
  dpop_proof_missing: refused(401, 'A DPoP proof is needed.'),
  dpop_proof_invalid: refused(401, 'The DPoP proof is not valid.'),
  dpop_nonce_required: tryAgain(401, 'Use the DPoP nonce of this answer and send a new proof.'),
  dpop_proof_replayed: tryAgain(401, 'That DPoP proof was used before. Send a new one.'),
  dpop_key_mismatch: refused(401, 'The DPoP proof was made with another key.'),

  // Refresh, RFC 6749 section 5.2 and SECURITY.md section 2
  refresh_token_invalid: refused(400, 'The refresh token is not valid. Log in again.'),
  refresh_superseded: refused(400, 'A newer refresh token exists.'),
  refresh_reused: refused(400, 'An old refresh token was used. The session has ended.'),

  // WebAuthn
  challenge_invalid: refused(
    400,
    'The challenge is not one of ours or has expired. Ask for a new one.',
  ),
  challenge_spent: refused(409, 'The challenge was used before. Ask for a new one.'),
  origin_mismatch: refused(400, 'The passkey answered for another origin.'),
  relying_party_mismatch: refused(400, 'The passkey answered for another relying party.'),
  user_verification_missing: refused(400, 'The passkey did not verify its user.'),
  credential_unknown: refused(401, 'That passkey is not known here.'),
  credential_invalid: refused(400, 'The passkey answer could not be verified.'),
  credential_exists: refused(409, 'That passkey is already registered.'),
  approval_key_invalid: refused(400, 'The approval key did not prove itself.'),
  device_key_exists: refused(409, 'That device key is already registered.'),

  // The customer
  customer_on_hold: refused(403, 'This account is on hold. Contact the bank.'),
  customer_frozen: refused(
    403,
    'This account is frozen: no money moves and nothing sensitive changes until the freeze ends.',
  ),
  device_not_allowed: refused(403, 'This device may not be used.'),
  session_limit_reached: refused(
    409,
    'You are logged in on as many devices as are allowed. Log out on one of them first.',
  ),
  other_device_needed: refused(409, 'Do that from another of your devices.'),
  last_credential: refused(409, 'That is the last passkey of this account.'),
  device_ended: refused(409, 'That device or passkey was removed and cannot come back.'),
  revoked: refused(409, 'This was cut off.'),

  // Ceremonies
  ceremony_not_found: refused(404, 'There is no such ceremony for this key.'),
  ceremony_ended: refused(409, 'This ceremony has ended.'),
  ceremony_expired: refused(410, 'This ceremony has expired. Start again.'),
  wrong_step: refused(409, 'That step is not the one that is due.'),
  wrong_code: refused(422, 'That code is not right.'),
  code_expired: refused(410, 'That code has expired. Ask for a new one.'),
  attempts_exhausted: refused(429, 'Too many wrong codes. Start again.'),
  resend_too_soon: tryAgain(429, 'A code was just sent. Wait before asking for another.'),
  resends_exhausted: refused(429, 'No more codes can be sent for this step.'),
  too_many_updates: refused(429, 'This ceremony has taken too many steps. Start again.'),
  phone_invalid: refused(422, 'That is not a phone number we can send a code to.'),
  email_invalid: refused(422, 'That is not an e-mail address.'),
  email_in_use: refused(409, 'That e-mail address is in use here. Give another one.'),
  submission_expired: tryAgain(409, 'That step arrived too late. Send it again.'),
  hold_not_found: refused(404, 'There is no such hold.'),
  hold_released: refused(409, 'That hold has been released already.'),

  // Step-ups
  action_invalid: refused(422, 'That action cannot be asked for as it stands.'),
  action_mismatch: refused(409, 'That is not the action that was approved.'),
  step_up_not_found: refused(404, 'There is no such step-up.'),
  step_up_pending: refused(409, 'This customer has a request of yours to answer already.'),
  step_ups_paused: tryAgain(429, 'The customer has refused requests of yours. Wait a while.'),
  step_up_delayed: tryAgain(409, 'It is approved, but may only be used a little later.'),
  step_up_not_approved: refused(409, 'It has not been approved.'),
  step_up_ended: refused(409, 'This step-up has ended.'),
  step_up_expired: refused(409, 'This step-up has expired. Ask again.'),
  approval_invalid: refused(422, 'The approval could not be verified.'),
  receipt_pending: tryAgain(409, 'The receipt is being made. Ask again soon.'),
  login_needs_approval: refused(403, 'This login needs one more proof.'),

  // Recovery
  recovery_request_not_found: refused(404, 'There is no such request for this key.'),
  recovery_link_invalid: refused(422, 'That link is not complete. Open it again from the message.'),
  recovery_link_expired: refused(410, 'That link is too old. Ask again on the new phone.'),
  recovery_link_used: refused(409, 'That link has been used. Look at the new phone.'),
  recovery_not_found: refused(404, 'There is no such recovery.'),
  own_account: refused(403, 'Nobody works on their own account.'),
  case_taken: refused(409, 'A colleague has taken this case.'),
  phone_not_joined: refused(409, 'The new phone has to join the case before the person is proved.'),
  device_too_weak: refused(
    403,
    'This phone does not protect its keys as well as the one before it did.',
  ),
  recovery_held: refused(409, 'The bank is looking at this case. It goes on when they have.'),
  factors_missing: refused(409, 'Something has still to be proved before that.'),
  cooling_off: tryAgain(409, 'The time to object is not over yet.'),

  // Freeze
  freeze_limit_reached: refused(
    429,
    'This account was frozen too often without a passkey. Freeze it in the app, or call the bank.',
  ),
  freeze_link_invalid: refused(422, 'That link is not complete. Open it again from the message.'),
  freeze_link_expired: refused(410, 'That link is too old. Freeze in the app, or call the bank.'),
  freeze_link_used: refused(
    409,
    'That link has frozen the account once, and the freeze has ended.',
  ),
  caller_not_proved: refused(409, 'In that call the customer has not proved himself lately.'),
  freeze_request_not_found: refused(404, 'There is no such request for this key.'),

  // Four eyes
  approval_not_found: refused(404, 'There is no such request for approval.'),
  approval_pending: refused(409, 'A release of that hold is waiting for approval already.'),
  approval_decided: refused(409, 'That was approved or declined already.'),
  approval_expired: refused(410, 'That request has expired. Ask anew.'),
  approval_void: refused(409, 'What was to be approved has changed since. Ask anew.'),
  four_eyes_required: refused(403, 'Somebody else has to approve what you asked for.'),

  // The parts behind us
  outcome_pending: tryAgain(
    503,
    'The outcome is not known yet. Ask again with the same Idempotency-Key.',
  ),
  temporal_unavailable: tryAgain(
    503,
    'Ceremonies cannot go on right now. Nothing was lost; try again soon.',
  ),
  database_unavailable: tryAgain(503, 'The service cannot answer right now. Try again soon.'),
  vendor_unavailable: tryAgain(503, 'A supplier does not answer right now. Try again soon.'),
  vendor_refused: {
    status: 502,
    title: 'A supplier refused the request.',
    retryable: false,
    public: false,
  },
  shutting_down: tryAgain(503, 'The service is restarting. Try again.'),
  payload_not_ours: { status: 500, title: 'Internal error.', retryable: false, public: false },
  conflict: {
    status: 409,
    title: 'Somebody else changed this first.',
    retryable: true,
    public: true,
  },
  internal_error: {
    status: 500,
    title: 'Something went wrong on our side.',
    retryable: false,
    public: true,
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** The one exception that rooms outside workflows throw to refuse. `detail` is public, free of personal data. */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Extra public members of the problem document, such as `state` or `attemptsLeft`. */
  readonly extra: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: ErrorCode,
    options: {
      detail?: string;
      retryAfterSeconds?: number;
      extra?: Readonly<Record<string, string | number | boolean>>;
      cause?: unknown;
    } = {},
  ) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.extra = options.extra ?? {};
  }
}
