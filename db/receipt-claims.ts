/**
 * What a receipt says, from what the approving transactions wrote down: nothing is judged again and nothing made up. Personal text leaves what is
 * signed for the disclosures, each piece with a salt of its own.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { RECEIPT_TYPE } from '../domain/receipt.ts';
import type { Disclosure, ReceiptClaims } from '../domain/receipt.ts';
import type { KeysEvidence, StepUpEvidence } from './step-up-evidence.ts';
import type { StepUpRecord } from './step-up.ts';

export interface ReceiptSource {
  readonly record: StepUpRecord;
  /** The text whose SHA-256 is the challenge. */
  readonly preimage: string;
  readonly evidence: StepUpEvidence;
}

/** As preimageText() writes it; only what is read here. */
interface Preimage {
  readonly rpId: string;
  readonly requester: { readonly name: string };
  readonly action: Action;
  readonly context: ReceiptClaims['context'];
  readonly display: { readonly text: string };
}

/** undefined where there is nothing to prove: a login, or one that nobody approved. */
export function receiptClaims(
  { record, preimage, evidence }: ReceiptSource,
  { receiptId, iss }: { readonly receiptId: string; readonly iss: string },
):
  | { readonly claims: ReceiptClaims; readonly disclosures: Record<string, Disclosure> }
  | undefined {
  const { keys, code } = evidence;
  const { approvedAtMs, consumableAtMs, consumeByMs } = record;
  if (keys === null || approvedAtMs === null || consumableAtMs === null || consumeByMs === null)
    return undefined;
  // The text was made by openStepUp.
  const shown = JSON.parse(preimage) as Preimage;
  const disclosures = disclosuresOf(preimage, shown);
  const claims: ReceiptClaims = {
    type: RECEIPT_TYPE,
    version: 1,
    receiptId,
    iss,
    tenant: record.tenantId,
    stepUpId: record.stepUpId,
    requester: { ...record.requester, name: shown.requester.name },
    customer: record.customerId,
    actionType: record.actionType,
    status: 'approved',
    acr: record.required,
    policy: String(record.policyVersion),
    epoch: record.epoch,
    risk: keys.risk,
    context: shown.context,
    delaySeconds: record.delaySeconds,
    times: {
      requestedAt: isoTime(record.createdAtMs),
      approveBy: isoTime(record.approveByMs),
      provedAt: keys.provedAt,
      approvedAt: isoTime(approvedAtMs),
      consumableAt: isoTime(consumableAtMs),
      consumeBy: isoTime(consumeByMs),
      sealedAt: isoTime(record.nowMs),
    },
    challenge: keys.challenge,
    passkey: passkeyOf(keys, shown.rpId),
    approvalKey: { jwk: p256(keys.device.approvalJwk), jws: keys.approvalSignature },
    device: {
      deviceId: keys.device.deviceId,
      platform: keys.device.platform,
      attestationLevel: keys.device.attestationLevel,
      addedAt: keys.device.addedAt,
      trustedAt: keys.device.trustedAt,
    },
    secondFactor:
      code === null
        ? null
        : { method: code.method, attemptId: code.attemptId, provedAt: code.provedAt },
    audit: { keys: keys.auditId, code: code?.auditId ?? null },
    digests: Object.fromEntries(
      Object.entries(disclosures).map(([name, disclosure]) => [name, digestOf(name, disclosure)]),
    ),
  };
  return { claims, disclosures };
}

function passkeyOf(
  { assertion, credential }: KeysEvidence,
  rpId: string,
): ReceiptClaims['passkey'] {
  const { clientDataJSON, authenticatorData, signature } = assertion.response;
  if (typeof authenticatorData !== 'string' || typeof signature !== 'string')
    throw new TypeError('an assertion has authenticator data and a signature');
  // Judged by the API before anything was granted.
  const { origin } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8')) as {
    readonly origin: string;
  };
  const flags = Buffer.from(authenticatorData, 'base64url')[32] ?? 0;
  return {
    credentialId: credential.credentialId,
    webauthnId: credential.webauthnId,
    publicKey: credential.publicKey,
    aaguid: credential.aaguid,
    attestationFormat: credential.attestationFormat,
    rpId,
    origin,
    clientDataJSON: respelled(clientDataJSON),
    authenticatorData: respelled(authenticatorData),
    signature: respelled(signature),
    // WebAuthn Level 3 section 6.1.
    userVerified: (flags & 0x04) !== 0,
    backupEligible: (flags & 0x08) !== 0,
    backedUp: (flags & 0x10) !== 0,
    signCount: credential.signCount,
  };
}

function disclosuresOf(
  preimage: string,
  { action, display }: Preimage,
): Record<string, Disclosure> {
  const { type: _type, ...members } = action;
  const values: Readonly<Record<string, unknown>> = {
    preimage,
    'display.text': display.text,
    ...Object.fromEntries(
      Object.entries(members).map(([name, value]) => [`action.${name}`, value]),
    ),
  };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { salt: randomBytes(16).toString('base64url'), value },
    ]),
  );
}

function digestOf(name: string, { salt, value }: Disclosure): string {
  // What an action holds came as JSON.
  const text = canonicalJson([salt, name, value as JsonValue]);
  return createHash('sha256').update(text).digest('base64url');
}

function p256(jwk: Readonly<Record<string, unknown>>): ReceiptClaims['approvalKey']['jwk'] {
  const { x, y } = jwk;
  if (typeof x !== 'string' || typeof y !== 'string')
    throw new TypeError('an approval key is of P-256');
  return { kty: 'EC', crv: 'P-256', x, y };
}

/** The one spelling of these bytes: an authenticator's padding is none of the receipt's. */
function respelled(base64url: string): string {
  return Buffer.from(base64url, 'base64url').toString('base64url');
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
