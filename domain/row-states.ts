/**
 * The states that rows can be in, as PostgreSQL's check constraints list them too (a test compares both). Those with a table of
 * transitions of their own stand with it: ceremonies in enrollment.ts, ends of sessions in session.ts, devices in auth-strength.ts.
 */

export const CLIENT_KINDS = ['app', 'machine'] as const;
export const CLIENT_STATUSES = ['active', 'disabled'] as const;

/** A prospect is somebody whose enrollment has not been completed. */
export const CUSTOMER_STATUSES = ['prospect', 'active', 'erased'] as const;

export const CONTACT_KINDS = ['phone', 'email'] as const;
export const CONTACT_STATUSES = ['unproved', 'proved', 'replaced'] as const;

/** `suspended` is lifted by whoever may release, `revoked` is for ever. */
export const CREDENTIAL_STATUSES = ['active', 'suspended', 'revoked'] as const;

export const HOLD_STATUSES = ['active', 'released'] as const;

export const SESSION_STATUSES = ['live', 'ended'] as const;

export const ATTEMPT_METHODS = [
  'sms_otp',
  'email_otp',
  'identity_vendor',
  'liveness_vendor',
] as const;

/** `dead` is parked until an operator retries it. */
export const OUTBOX_STATUSES = ['pending', 'delivered', 'dead'] as const;

export const SIGNING_KEY_PURPOSES = ['access_token', 'id_token', 'receipt'] as const;
