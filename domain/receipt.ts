/**
 * The receipt of an approval (SECURITY.md section 5): everything that proves it, in one JSON object signed by the bank, to be verified years later
 * without asking anybody. docs/receipts.md gives the format; sdk/receipt/ verifies it. Personal text stands only in `disclosures`, outside what is
 * signed, each piece bound in by a salted digest, so that a copy that leaves the bank can be given without it.
 */
import type { StepUpContext } from './step-up-preimage.ts';

export const RECEIPT_TYPE = 'latchkey-receipt';
/** `typ` of the bank's signature. */
export const RECEIPT_JWS_TYPE = 'latchkey-receipt+jwt';
export const REVOCATION_RECEIPT_JWS_TYPE = 'latchkey-revocation-receipt+jwt';

export interface P256Jwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** What the bank signs, in canonical form (RFC 8785). Bytes are base64url, times ISO 8601 in UTC. */
export interface ReceiptClaims {
  readonly type: typeof RECEIPT_TYPE;
  readonly version: 1;
  readonly receiptId: string;
  /** The tenant's issuer: where its receipt keys are published. */
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
  /** The policy's version that the step-up began with and kept. */
  readonly policy: string;
  readonly epoch: number;
  /** As the engine said at the approval. */
  readonly risk: string;
  /** As the app reported at the opening. */
  readonly context: StepUpContext;
  /** How long after the approval it could not be used yet. */
  readonly delaySeconds: number;
  readonly times: {
    readonly requestedAt: string;
    readonly approveBy: string;
    /** When passkey and approval key were good. */
    readonly provedAt: string;
    /** When the last factor was. */
    readonly approvedAt: string;
    readonly consumableAt: string;
    readonly consumeBy: string;
    readonly sealedAt: string;
  };
  /** SHA-256("latchkey/step-up/1\0" ‖ preimage): what both keys of the customer signed. */
  readonly challenge: string;
  readonly passkey: {
    readonly credentialId: string;
    /** As the authenticator names it. */
    readonly webauthnId: string;
    /** COSE_Key, RFC 9052 section 7. */
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
  readonly approvalKey: {
    readonly jwk: P256Jwk;
    /** Compact, over {challenge, iss, stepUpId}. */
    readonly jws: string;
  };
  readonly device: {
    readonly deviceId: string;
    readonly platform: string;
    /** The verdict of its attestation. */
    readonly attestationLevel: string;
    readonly addedAt: string;
    readonly trustedAt: string | null;
  };
  readonly secondFactor: {
    readonly method: 'sms_otp';
    readonly attemptId: string;
    readonly provedAt: string;
  } | null;
  /** The audit rows of the two moves; `code` is null where no second factor was needed. */
  readonly audit: { readonly keys: string; readonly code: string | null };
  /** By name: SHA-256 of the canonical JSON of [salt, name, value]. */
  readonly digests: Readonly<Record<string, string>>;
}

/** A piece of personal text with the salt that makes its digest: `preimage`, `display.text`, `action.<member>`. */
export interface Disclosure {
  /** 16 random bytes, base64url. */
  readonly salt: string;
  readonly value: unknown;
}

/** The file. `signature` is a detached JWS (RFC 7515 appendix F) over the canonical form of everything but `disclosures` and itself. */
export interface Receipt extends ReceiptClaims {
  readonly disclosures: Readonly<Record<string, Disclosure>>;
  readonly signature: string;
}
