/**
 * What a receipt file holds (docs/receipts.md) and what a verifier answers. Types only. The verifier is given to people who have nothing of the server,
 * so its types are its own and import nothing of ours but the SDK's; test/unit/sdk-types.test.ts holds them against what the server signs.
 */
import type { StepUpContext } from '../types.ts';

/** Bytes are base64url, times ISO 8601 in UTC with milliseconds. */
export interface ReceiptFile {
  readonly type: 'latchkey-receipt';
  readonly version: 1;
  readonly receiptId: string;
  readonly iss: string;
  readonly tenant: string;
  readonly stepUpId: string;
  readonly requester: {
    readonly kind: 'client' | 'staff' | 'login';
    readonly id: string;
    readonly name: string;
  };
  readonly customer: string;
  readonly actionType: string;
  readonly status: 'approved';
  readonly acr: 'latchkey:3' | 'latchkey:4';
  readonly policy: string;
  readonly epoch: number;
  readonly risk: string;
  readonly context: StepUpContext;
  readonly delaySeconds: number;
  readonly times: {
    readonly requestedAt: string;
    readonly approveBy: string;
    readonly provedAt: string;
    readonly approvedAt: string;
    readonly consumableAt: string;
    readonly consumeBy: string;
    readonly sealedAt: string;
  };
  readonly challenge: string;
  readonly passkey: {
    readonly credentialId: string;
    readonly webauthnId: string;
    readonly publicKey: string;
    readonly aaguid: string;
    readonly attestationFormat: string;
    readonly rpId: string;
    readonly origin: string;
    readonly clientDataJSON: string;
    readonly authenticatorData: string;
    readonly signature: string;
    readonly userVerified: boolean;
    readonly backupEligible: boolean;
    readonly backedUp: boolean;
    readonly signCount: number;
  };
  readonly approvalKey: { readonly jwk: EcJwk; readonly jws: string };
  readonly device: {
    readonly deviceId: string;
    readonly platform: string;
    readonly attestationLevel: string;
    readonly addedAt: string;
    readonly trustedAt: string | null;
  };
  readonly secondFactor: {
    readonly method: 'sms_otp';
    readonly attemptId: string;
    readonly provedAt: string;
  } | null;
  readonly audit: { readonly keys: string; readonly code: string | null };
  readonly digests: Readonly<Record<string, string>>;
  readonly disclosures: Readonly<
    Record<string, { readonly salt: string; readonly value: unknown }>
  >;
  readonly signature: string;
}

/** What a cut-off stopped, signed by the same keys. */
export interface RevocationReceiptFile {
  readonly type: 'latchkey-revocation-receipt';
  readonly version: 2;
  readonly iss: string;
  readonly tenant: string;
  readonly revocationId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly oldEpoch: number;
  readonly newEpoch: number;
  readonly effectiveAt: string;
  readonly rowsEndedAt: string;
  readonly secondListingEmptyAt: string;
  readonly lastTokenDiesAt: string;
  readonly stopped: {
    readonly devices: number;
    readonly credentials: number;
    readonly sessions: number;
    readonly ceremonies: number;
  };
  readonly signature: string;
}

/** Which proofs a recovery stands on, who decided it, signed by the same keys. */
export interface RecoveryRecordFile {
  readonly type: 'latchkey-recovery-record';
  readonly version: 1;
  readonly iss: string;
  readonly tenant: string;
  readonly recoveryId: string;
  readonly customer: string;
  readonly policy: string;
  readonly epoch: number;
  readonly report: string;
  readonly reportedDevice: string | null;
  readonly openedBy: { readonly kind: string; readonly id: string };
  readonly risk: string;
  readonly required: {
    readonly identityStrength: number;
    readonly contacts: number;
    readonly people: number;
    readonly coolingSeconds: number;
  };
  readonly revision: number;
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly newDevice: string | null;
  readonly times: {
    readonly openedAt: string;
    readonly coolingFrom: string | null;
    readonly endedAt: string | null;
    readonly keptUntil: string | null;
    readonly sealedAt: string;
  };
  readonly evidence: readonly {
    readonly factorId: string;
    readonly method: string;
    readonly kind: string;
    readonly channel: string;
    readonly strength: number;
    readonly evidenceId: string;
    readonly epoch: number;
    readonly isOnReportedHandset: boolean;
    readonly recordedBy: { readonly kind: string; readonly id: string };
    readonly employee: string | null;
    readonly recordedAt: string;
    readonly confirmedBy: string | null;
    readonly isVoid: boolean;
  }[];
  readonly decisions: readonly {
    readonly decisionId: string;
    readonly kind: string;
    readonly revision: number;
    readonly reason: string;
    readonly staff: string;
    readonly employee: string;
    readonly decidedAt: string;
    readonly voidedAt: string | null;
  }[];
  readonly signature: string;
}

export type SignedFileOfBank = ReceiptFile | RevocationReceiptFile | RecoveryRecordFile;

export interface EcJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** What `/.well-known/receipt-keys.json` answers. */
export interface ReceiptKeys {
  readonly issuer: string;
  readonly keys: readonly (EcJwk & {
    /** The key's thumbprint (RFC 7638). */
    readonly kid: string;
    readonly validFrom: string;
    /** null: it signs now. */
    readonly validUntil: string | null;
  })[];
}

export type CheckResult = 'passed' | 'failed' | 'not_checked';

export interface Check {
  /** For programs; lower case with underscores. */
  readonly id: string;
  readonly result: CheckResult;
  /** What was looked at, as a question that `passed` answers with yes. */
  readonly question: string;
  /** What was found, in plain words. */
  readonly says: string;
}

/**
 * `genuine`: everything checked and good. `withheld`: so is all that is there, but personal text was taken out. `unconfirmed`: consistent, but
 * no keys were given, so nobody vouches for the signer. `refused`: at least one check failed.
 */
export type Verdict = 'genuine' | 'withheld' | 'unconfirmed' | 'refused';

export interface Verification {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly says: string;
  readonly checks: readonly Check[];
  /** Only of a file whose checks did not fail: what it proves. */
  readonly receipt?: SignedFileOfBank;
}
