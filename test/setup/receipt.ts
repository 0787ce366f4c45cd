/**
 * A receipt with real signatures and no database: passkey, approval key and bank are keys of this process, and what is made of them goes through the
 * same code as in the worker. A test spoils one thing and leaves the rest valid.
 */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { createEmbeddedSigner } from '../../adapters/kms/lasting-keys.ts';
import { receiptClaims } from '../../db/receipt-claims.ts';
import type { ReceiptSource } from '../../db/receipt-claims.ts';
import { signBy } from '../../db/receipt-signing.ts';
import type { StepUpEvidence } from '../../db/step-up-evidence.ts';
import type { StepUpRecord } from '../../db/step-up.ts';
import type { JsonValue } from '../../domain/canonical-json.ts';
import { DEFAULT_POLICY } from '../../domain/policy.ts';
import type { LastingSigner } from '../../domain/ports.ts';
import type { Receipt, ReceiptClaims } from '../../domain/receipt.ts';
import { CHALLENGE_LABEL, preimageText } from '../../domain/step-up-preimage.ts';
import type { PreimageParts } from '../../domain/step-up-preimage.ts';
import { SoftwareAuthenticator } from './authenticator.ts';
import type { Spoil } from './authenticator.ts';

export const ISSUER = 'https://bank.example/t/demo';
const ORIGIN = 'https://app.bank.example';
const RP_ID = 'bank.example';
const ASKED_MS = Date.parse('2027-03-01T10:00:00.123Z');

export const bankSigner: LastingSigner = createEmbeddedSigner([
  { kid: 'm1', key: new Uint8Array(32).fill(9) },
]);
export const strangeSigner: LastingSigner = createEmbeddedSigner([
  { kid: 'm1', key: new Uint8Array(32).fill(8) },
]);

export interface ReceiptChanges {
  /** Of the passkey's answer. */
  readonly spoil?: Spoil;
  /** Of the text that is sent. */
  readonly preimage?: Partial<PreimageParts>;
  /** Of the preimage as text, behind everybody's back. */
  readonly rewritten?: (preimage: string) => string;
  readonly record?: Partial<StepUpRecord>;
  readonly approval?: {
    readonly typ?: string;
    readonly challenge?: string;
    readonly key?: KeyObject;
  };
  readonly withCode?: boolean;
  /** Before the bank signs: what a bank would have to lie about. */
  readonly claims?: (claims: ReceiptClaims) => object;
  readonly signer?: LastingSigner;
  readonly typ?: string;
}

export async function makeReceipt(changes: ReceiptChanges = {}): Promise<Receipt> {
  const { signer = bankSigner, typ = 'latchkey-receipt+jwt' } = changes;
  const made = receiptClaims(sourceOf(changes), { receiptId: 'rcp_1', iss: ISSUER });
  if (made === undefined) throw new Error('an approved one has a receipt');
  // A test may have made of it what no type allows.
  const claims = (changes.claims?.(made.claims) ?? made.claims) as ReceiptClaims;
  const [key] = await signer.publicKeys('receipt');
  const { signature } = await signBy(signer, key, {
    typ,
    iss: claims.iss,
    sub: claims.receiptId,
    claims: claims as unknown as JsonValue,
  });
  return { ...claims, disclosures: made.disclosures, signature };
}

export async function keyList(
  changes: {
    readonly signer?: LastingSigner;
    readonly issuer?: string;
    readonly validFrom?: string;
    readonly validUntil?: string | null;
  } = {},
): Promise<string> {
  const { signer = bankSigner, issuer = ISSUER } = changes;
  const { validFrom = '2027-01-01T00:00:00.000Z', validUntil = null } = changes;
  const keys = (await signer.publicKeys('receipt')).map(({ keyId, publicJwk }) => ({
    ...publicJwk,
    kid: keyId,
    use: 'sig',
    alg: 'ES256',
    validFrom,
    validUntil,
  }));
  return JSON.stringify({ issuer, keys });
}

function sourceOf(changes: ReceiptChanges): ReceiptSource {
  const { withCode = false, rewritten = (text: string) => text } = changes;
  const record = recordOf(changes);
  const preimage = rewritten(preimageText({ ...partsOf(record), ...changes.preimage }));
  const challenge = createHash('sha256')
    .update(CHALLENGE_LABEL)
    .update(preimage)
    .digest('base64url');
  const provedAt = new Date(ASKED_MS + 20_000).toISOString();
  return {
    record,
    preimage,
    evidence: {
      keys: { ...keysOf(changes, record, challenge), challenge, provedAt, auditId: 'aud_1' },
      code: withCode
        ? {
            method: 'sms_otp',
            attemptId: 'att_1',
            contactId: 'con_1',
            provedAt: new Date(ASKED_MS + 40_000).toISOString(),
            auditId: 'aud_2',
          }
        : null,
    },
  };
}

function keysOf(
  { spoil, approval }: ReceiptChanges,
  { stepUpId }: StepUpRecord,
  challenge: string,
): Omit<NonNullable<StepUpEvidence['keys']>, 'challenge' | 'provedAt' | 'auditId'> {
  const authenticator = new SoftwareAuthenticator(ORIGIN);
  const registered = authenticator.register({
    rp: { id: RP_ID, name: 'Bank' },
    user: { id: 'dXNlcg', name: 'x', displayName: 'x' },
    challenge: 'AAAA',
    pubKeyCredParams: [],
  });
  const assertion = authenticator.authenticate({ challenge, rpId: RP_ID }, spoil);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = pair.publicKey.export({ format: 'jwk' });
  const payload = { challenge: approval?.challenge ?? challenge, iss: ISSUER, stepUpId };
  const signed = `${encode({ alg: 'ES256', typ: approval?.typ ?? 'latchkey-approval+jwt' })}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), {
    key: approval?.key ?? pair.privateKey,
    dsaEncoding: 'ieee-p1363',
  });
  return {
    assertion: { ...assertion, response: { ...assertion.response } },
    approvalSignature: `${signed}.${signature.toString('base64url')}`,
    credential: {
      credentialId: 'crd_1',
      webauthnId: assertion.id,
      publicKey: coseKeyOf(registered.response.attestationObject),
      aaguid: '00000000-0000-0000-0000-000000000000',
      attestationFormat: 'none',
      isBackupEligible: false,
      isBackedUp: false,
      signCount: spoil?.signCount ?? 1,
    },
    device: {
      deviceId: 'dev_1',
      platform: 'android',
      attestationLevel: 'none',
      approvalJwk: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' },
      addedAt: '2026-01-01T00:00:00.000Z',
      trustedAt: '2026-01-02T00:00:00.000Z',
    },
    sessionId: 'ses_1',
    risk: 'low',
  };
}

function recordOf({ record, withCode = false }: ReceiptChanges): StepUpRecord {
  const approvedAtMs = ASKED_MS + (withCode ? 40_000 : 20_000);
  return {
    tenantId: 'ten_1',
    stepUpId: 'cer_1',
    customerId: 'cus_1',
    requester: { kind: 'client', id: 'demo-payments' },
    isLogin: false,
    actionType: 'payment',
    clientId: null,
    jkt: null,
    state: 'approved',
    outcome: null,
    reason: null,
    seq: 3,
    epoch: 4,
    locale: 'en',
    createdAtMs: ASKED_MS,
    endedAtMs: null,
    healCount: 0,
    policyVersion: 2,
    policy: DEFAULT_POLICY,
    nowMs: approvedAtMs + 500,
    maxUpdates: 30,
    sessionId: null,
    deviceId: null,
    credentialId: null,
    atLeast: null,
    required: withCode ? 'latchkey:4' : 'latchkey:3',
    delaySeconds: 0,
    delayMs: 0,
    consumeMs: 600_000,
    spend: null,
    challenge: null,
    openedDeviceId: 'dev_1',
    openedAs: null,
    approvedDeviceId: 'dev_1',
    approvedSessionId: 'ses_1',
    approvedCredentialId: 'crd_1',
    risk: 'low',
    approveByMs: ASKED_MS + 300_000,
    provedAtMs: ASKED_MS + 20_000,
    approvedAtMs,
    consumableAtMs: approvedAtMs,
    consumeByMs: approvedAtMs + 600_000,
    consumedAtMs: null,
    receiptId: null,
    ...record,
  };
}

function partsOf(record: StepUpRecord): PreimageParts {
  return {
    tenant: record.tenantId,
    rpId: RP_ID,
    stepUpId: record.stepUpId,
    requester: { kind: 'client', id: 'demo-payments', name: 'Payments' },
    customer: record.customerId,
    action: {
      type: 'payment',
      amount: '400.00',
      currency: 'NZD',
      payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
      reference: 'Invoice 7, April',
    },
    context: { onCall: false, screenShared: false, accessibilityService: false },
    display: {
      locale: 'en',
      template: 'payment',
      version: 1,
      text: 'Pay 400.00 NZD to Mere Kahu\nAccount: 12-3456-7890123-00\nReference: Invoice 7, April',
    },
    policy: String(record.policyVersion),
    epoch: record.epoch,
    iat: Math.floor(ASKED_MS / 1000) + 5,
    exp: Math.floor(record.approveByMs / 1000),
    nonce: 'bm9uY2Utbm9uY2Utbm9uYw',
  };
}

/** At the end of the authenticator data: flags at 32, then counter, AAGUID, length and id. */
export function coseKeyOf(attestationObject: string): string {
  const bytes = Buffer.from(attestationObject, 'base64url');
  // RFC 9053 section 7.1.1, as the software authenticator writes it.
  const start = bytes.lastIndexOf(Buffer.from('a5010203262001215820', 'hex'));
  return bytes.subarray(start, start + 77).toString('base64url');
}

function encode(part: object): string {
  return Buffer.from(
    JSON.stringify(
      Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ),
  ).toString('base64url');
}
