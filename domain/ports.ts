/**
 * What Latchkey needs from the world, as narrow interfaces. adapters/ has an embedded default and real ones for each; the wiring in
 * worker.ts and api/server.ts chooses. Every call out has a time limit and throws LatchkeyError('vendor_unavailable') when it may be retried.
 */

/** Keys. The embedded default seals under key-encryption keys of the configuration. */
export interface KeyManagement {
  /** Seals `plain` (AES-256-GCM) under the current key-encryption key; `context` is authenticated, not stored. */
  wrap(plain: Uint8Array, context: string): Promise<{ kekId: string; sealed: Uint8Array }>;
  /** @throws LatchkeyError internal_error when the key is missing or the context differs. */
  unwrap(kekId: string, sealed: Uint8Array, context: string): Promise<Uint8Array>;
  /** A 32-byte secret for one purpose (HKDF-SHA-256, label as info). Stable while the key lives. */
  secret(label: SecretLabel, kekId?: string): { kekId: string; key: Uint8Array };
}

export type SecretLabel =
  | 'blind-index'
  | 'otp'
  | 'refresh-token'
  | 'dpop-nonce'
  | 'challenge'
  | 'update-id'
  | 'idempotency'
  | 'limit';

/** One-time codes are derived, never stored: truncate(HMAC(key, attempt id)), RFC 4226 section 5.3 truncation. */
export interface OtpCodes {
  codeFor(attemptId: string, digits: number): string;
}

export interface SmsSender {
  /** `reference` makes a repeated call harmless. `to` is E.164. */
  send(message: { to: string; text: string; reference: string }): Promise<void>;
}

export interface EmailSender {
  send(message: {
    to: string;
    subject: string;
    text: string;
    html?: string;
    reference: string;
  }): Promise<void>;
}

export interface IdentityVerifier {
  /** Starts a check; the verdict comes later by signed webhook. Idempotent on `reference` (the attempt id). */
  startCheck(check: {
    reference: string;
    givenName: string;
    familyName: string;
    /** ISO 8601 date. */
    birthDate: string;
    documentNumber: string;
    callbackUrl: string;
  }): Promise<{ vendorReference: string }>;
}

/** A CloudEvent 1.0 in structured mode, without personal data. */
export interface DomainEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  /** Position in its subject's order. */
  readonly sequence: number;
  readonly data: { readonly [name: string]: unknown };
}

export interface EventSink {
  publish(event: DomainEvent): Promise<void>;
}

export type Risk = 'not_evaluated' | 'low' | 'medium' | 'high';

export interface RiskEngine {
  evaluate(subject: {
    customerId: string;
    action: string;
    deviceId: string | undefined;
  }): Promise<Risk>;
}

/** Judges a signed webhook by its `latchkey-signature` header and its body exactly as it arrived. */
export interface SignatureVerifier {
  isSigned(header: string | undefined, rawBody: string | Uint8Array): boolean;
}
