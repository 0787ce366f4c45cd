/**
 * The answers of the API as an app reads them, by the contract. Types only; test/unit/sdk-types.test.ts holds them against the
 * server's schemas. Times are ISO 8601, ids opaque.
 */

export type EnrollmentState =
  | 'starting'
  | 'phone'
  | 'identity'
  | 'identity_check'
  | 'email'
  | 'email_code'
  | 'passkey'
  | 'ended';

/** Why an enrollment ended as it did. */
export type EnrollmentReason =
  | 'completed'
  | 'customer_exists'
  | 'person_exists'
  | 'identity_refused'
  | 'attempts_exhausted'
  | 'step_timeout'
  | 'identity_timeout'
  | 'abandoned'
  | 'never_started'
  | 'cancelled_by_customer'
  | 'fraud';

export type CeremonyOutcome = 'completed' | 'expired' | 'cancelled' | 'denied' | 'revoked';

export interface SentCode {
  /** Masked. */
  readonly sentTo: string;
  readonly digits: number;
  readonly expiresAt: string;
  readonly resendAt: string;
  readonly attemptsLeft: number;
  readonly resendsLeft: number;
}

export interface EnrollmentView {
  readonly enrollmentId: string;
  readonly state: EnrollmentState;
  readonly outcome?: CeremonyOutcome;
  readonly reason?: EnrollmentReason;
  readonly nextSteps?: readonly string[];
  /** These two only when completed. */
  readonly customerId?: string;
  readonly deviceId?: string;
  readonly locale: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly stepExpiresAt?: string;
  readonly code?: SentCode;
}

export interface IdentityDetails {
  readonly givenName: string;
  readonly familyName: string;
  /** ISO 8601 date. */
  readonly birthDate: string;
  readonly documentNumber: string;
}

/** RFC 6749 section 5.1, with what the app shows at once. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'DPoP';
  readonly expires_in: number;
  readonly refresh_token: string;
  /** Seconds until the session ends when nothing is asked of it. */
  readonly refresh_expires_in: number;
  readonly id_token?: string;
  readonly scope: string;
  readonly session_id: string;
  readonly acr: string;
}

export type LogoutScope = 'this' | 'others' | 'everywhere';

export interface SessionEntry {
  readonly sessionId: string;
  readonly current: boolean;
  /** null: a key that belongs to no device. */
  readonly deviceId: string | null;
  readonly deviceName: string | null;
  readonly platform: string | null;
  readonly model: string | null;
  /** null: unknown. */
  readonly place: string | null;
  readonly acr: string;
  readonly amr: readonly string[];
  readonly startedAt: string;
  readonly lastSeenAt: string;
  readonly idleExpiresAt: string;
  readonly absoluteExpiresAt: string;
}

/** Until when no money moves and nothing sensitive changes, unless it is lifted. */
export interface Frozen {
  readonly frozenUntil: string;
}

export interface FreezeRequested {
  readonly requestId: string;
  readonly expiresAt: string;
}

export interface ReportedDevice {
  readonly deviceId: string;
  readonly status: string;
}

export interface Me {
  readonly customerId: string;
  readonly givenName: string | null;
  /** Masked, as the e-mail address. */
  readonly phone: string | null;
  readonly email: string | null;
  /** ISO 8601; null: not frozen. */
  readonly frozenUntil: string | null;
  readonly device: {
    readonly deviceId: string;
    readonly name: string;
    readonly platform: string;
    readonly status: string;
    readonly attestationLevel: string;
  } | null;
  readonly session: {
    readonly sessionId: string;
    readonly acr: string;
    readonly amr: readonly string[];
    readonly authTime: string;
    readonly epoch: number;
    readonly idleExpiresAt: string;
    readonly absoluteExpiresAt: string;
  };
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface HistoryEntry {
  readonly entryId: string;
  readonly at: string;
  readonly event:
    | 'logged_in'
    | 'session_ended'
    | 'login_refused'
    | 'device_trusted'
    | 'device_suspended'
    | 'device_resumed'
    | 'device_revoked'
    | 'passkey_removed'
    | 'account_held'
    | 'account_released';
  /** `bank` also where nobody did it, as when a time ran out. */
  readonly by: 'you' | 'bank';
  readonly reason: string | null;
  readonly sessionId: string | null;
  /** About the session that asks. */
  readonly current: boolean;
  readonly deviceName: string | null;
  readonly platform: string | null;
  readonly model: string | null;
  readonly place: string | null;
  readonly acr: string | null;
}

export interface LoginHistory {
  /** The youngest first. */
  readonly entries: readonly HistoryEntry[];
  /** For the next page; null on the last. */
  readonly next: string | null;
}

export interface DeviceEntry {
  readonly deviceId: string;
  readonly name: string;
  readonly platform: string;
  readonly model: string | null;
  readonly status: string;
  /** `lost` or `stolen`, when it was reported: then it may only read. */
  readonly reportedAs: string | null;
  readonly attestationLevel: string;
  readonly current: boolean;
  readonly trustedAt: string | null;
  readonly passkeys: readonly {
    readonly credentialId: string;
    readonly status: 'active' | 'suspended';
    readonly current: boolean;
    readonly isSynced: boolean;
    readonly createdAt: string;
    readonly lastUsedAt: string | null;
  }[];
}

export type DeviceAction = 'suspend' | 'resume' | 'revoke';

export interface ChangedDevice {
  readonly deviceId: string;
  readonly status: string;
  readonly sessionsEnded: number;
}

export type StepUpStatus =
  | 'pending'
  | 'second_factor'
  | 'approved'
  | 'consumed'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'superseded'
  | 'revoked';

/** Why a step-up ended as it did. */
export type StepUpReason =
  | 'consumed'
  | 'not_me'
  | 'declined'
  | 'wrong_codes'
  | 'risk'
  | 'not_approved'
  | 'not_consumed'
  | 'never_started'
  | 'by_requester'
  | 'superseded'
  | 'cut_off';

export interface StepUpDisplay {
  readonly locale: string;
  readonly template: string;
  readonly version: number;
  /** What is signed: to be shown as it is. */
  readonly text: string;
  /** The same in parts, for a page. */
  readonly fields: readonly { readonly label: string; readonly value: string }[];
}

/** An action that the customer is asked for. */
export interface CustomerStepUp {
  readonly stepUpId: string;
  readonly status: StepUpStatus;
  readonly reason?: StepUpReason;
  readonly type: string;
  readonly requester: { readonly kind: 'client' | 'staff' | 'login'; readonly name: string };
  readonly required: 'latchkey:3' | 'latchkey:4';
  /** null: this session may only read, and it names whom the customer pays. */
  readonly display: StepUpDisplay | null;
  readonly createdAt: string;
  readonly approveBy: string;
  readonly approvedAt: string | null;
  readonly code?: SentCode;
}

/** As it is to be shown and signed. */
export interface OpenedStepUp extends Omit<CustomerStepUp, 'display'> {
  readonly display: StepUpDisplay;
  /** Canonical JSON of everything signed. */
  readonly preimage: string;
  /** Base64url. */
  readonly challenge: string;
  readonly rpId: string;
  readonly allowCredentials: readonly {
    readonly id: string;
    readonly type: 'public-key';
    readonly transports: readonly string[];
  }[];
  readonly delaySeconds: number;
}

/** What the app notices around it while the customer decides. */
export interface StepUpContext {
  readonly onCall: boolean;
  readonly screenShared: boolean;
  readonly accessibilityService: boolean;
}

/** A login that needs one more proof. */
export interface LoginStepUp {
  readonly stepUpId: string;
  readonly status: StepUpStatus;
  readonly reason?: StepUpReason;
  readonly approveBy: string;
  readonly code?: SentCode;
}

/** Of this installation, as its platform's push service knows it. */
export interface PushRegistration {
  readonly platform: 'apns' | 'fcm';
  /** Of APNs in hexadecimal. */
  readonly token: string;
}
