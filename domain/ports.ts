/**
 * What Latchkey needs from the world, as narrow interfaces. adapters/ has an embedded default and real ones for each; the wiring in
 * worker.ts and api/server.ts chooses. Every call out has a time limit and throws LatchkeyError('vendor_unavailable') when it may be retried.
 */
import type { LivenessBinding, LivenessClientParameters, LivenessReading } from './liveness.ts';

/** Keys. The embedded default seals under key-encryption keys of the configuration. */
export interface KeyManagement {
  /** Seals `plain` (AES-256-GCM) under the current key-encryption key; `context` is authenticated, not stored. */
  wrap(plain: Uint8Array, context: string): Promise<{ kekId: string; sealed: Uint8Array }>;
  /** @throws LatchkeyError internal_error when the key is missing or the context differs. */
  unwrap(kekId: string, sealed: Uint8Array, context: string): Promise<Uint8Array>;
  /** A 32-byte secret for one purpose (HKDF-SHA-256, label as info). Stable while the key lives. */
  secret(label: SecretLabel, kekId?: string): { kekId: string; key: Uint8Array };
}

/** What the key management signs by itself: statements that must stand for years (SECURITY.md section 8). */
export type LastingPurpose = 'receipt';

/** A public half. Its id is its thumbprint (RFC 7638), so that nobody can pass another key off under it. */
export interface LastingKey {
  readonly keyId: string;
  readonly publicJwk: {
    readonly kty: 'EC';
    readonly crv: 'P-256';
    readonly x: string;
    readonly y: string;
  };
}

/** Signatures by keys that never leave the key management, apart from every key of a token. */
export interface LastingSigner {
  /** The first signs; none is ever forgotten by who keeps them. @throws LatchkeyError vendor_unavailable */
  publicKeys(purpose: LastingPurpose): Promise<readonly [LastingKey, ...LastingKey[]]>;
  /**
   * ES256 over `message` by the first key: r ‖ s, 64 bytes, s in the lower half, so that there is one spelling of a signature.
   * @throws LatchkeyError vendor_unavailable
   */
  sign(
    purpose: LastingPurpose,
    message: Uint8Array,
  ): Promise<{ readonly keyId: string; readonly signature: Uint8Array }>;
}

export type SecretLabel =
  | 'blind-index'
  | 'otp'
  | 'refresh-token'
  | 'dpop-nonce'
  | 'challenge'
  | 'update-id'
  | 'idempotency'
  | 'limit'
  | 'freeze-link'
  | 'recovery-link'
  | 'recovery-objection';

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

/** Looks whether a living person is before the camera, and whether it is the one who was proofed. No picture ever passes through here. */
export interface LivenessChecker {
  /**
   * Idempotent on `reference` (the attempt id) for one case and key.
   * @throws LatchkeyError vendor_unavailable, vendor_refused
   */
  startSession(check: {
    readonly reference: string;
    readonly caseId: string;
    /** Thumbprint of the new phone's key. */
    readonly newJkt: string;
    /** Names the identity enrolled at proofing where the vendor, or the bank's own store, keeps it. */
    readonly referenceImageId: string;
    /** Where a vendor that tells by itself sends its signed result. */
    readonly callbackUrl: string;
    readonly expiresInSeconds: number;
  }): Promise<{
    readonly vendorSession: string;
    readonly clientParameters: LivenessClientParameters;
    readonly expiresAtMs: number;
  }>;
  /**
   * What the vendor says now; a verdict is of exactly that check.
   * @throws LatchkeyError vendor_unavailable, vendor_refused
   */
  readResult(
    check: LivenessBinding & { readonly referenceImageId: string },
  ): Promise<LivenessReading>;
}

/** Whose push service an installation of the app is registered with. */
export type PushPlatform = 'apns' | 'fcm';

/** That something waits, and which step-up: nothing personal, and nothing that could be approved from it. */
export interface PushNotice {
  readonly token: string;
  readonly title: string;
  readonly body: string;
  readonly stepUpId: string;
  /** Worth nothing after that. */
  readonly expiresAtMs: number;
}

/** `unregistered`: the installation is gone, known since then where the vendor says; nothing will ever reach it under that token. */
export type PushDelivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'unregistered'; readonly sinceMs?: number };

export interface PushSender {
  /** A repeated call shows one notice: the step-up's id collapses them. @throws LatchkeyError vendor_unavailable, vendor_refused */
  send(notice: PushNotice): Promise<PushDelivery>;
  close(): void;
}

/** Tells requesters how their step-ups stand. */
export interface CallbackSender {
  /** `id` is the same at every delivery. @throws LatchkeyError vendor_unavailable, vendor_refused */
  send(callback: {
    readonly url: string;
    /** `whsec_…`; every one signs. */
    readonly secrets: readonly string[];
    readonly allowsPrivateAddresses: boolean;
    readonly id: string;
    readonly content: { readonly stepUpId: string; readonly status: string };
  }): Promise<void>;
}

/** A CloudEvent 1.0, without personal data. */
export interface DomainEvent {
  /** The same at every delivery: receivers tell a repetition by it. */
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** The customer; also the partition key: what has one subject is ordered. */
  readonly subject: string;
  readonly time: string;
  /** Greater is later within its subject; gaps mean nothing. */
  readonly sequence: number;
  /** Names the schema of `data`, with its version. */
  readonly dataSchema: string;
  readonly data: { readonly [name: string]: unknown };
}

/**
 * What a sink did with an event: `unavailable` may be tried again, `refused` never helps for this event, `gone` means that the receiver wants
 * no event any more.
 */
export type Publication = 'published' | 'unavailable' | 'refused' | 'gone';

export interface EventSink {
  /** Of different subjects each; answers one word an event, in their order. It throws only for what nobody foresaw. */
  publish(events: readonly DomainEvent[]): Promise<readonly Publication[]>;
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
