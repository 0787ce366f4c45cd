/**
 * What proves an approval, kept for as long as it may be disputed: sealed under the customer's key, written once in the transaction that
 * granted, never changed. The receipt is made from it; nothing decides by it.
 */
import type { Risk } from '../domain/ports.ts';
import type { StepUpSubject } from '../domain/step-up.ts';
import type { Sql, Tx } from './connection.ts';
import type { ProvedKeys, VerifiedApproval } from './step-up-approval.ts';
import { STEP_UP_CODE } from './step-up-codes.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';
import { latestAttempt } from './step-attempts.ts';

/** Bytes are base64url, times ISO 8601. */
export interface KeysEvidence {
  readonly assertion: VerifiedApproval['assertion'];
  readonly approvalSignature: string;
  readonly challenge: string;
  readonly provedAt: string;
  readonly credential: {
    readonly credentialId: string;
    readonly webauthnId: string;
    /** COSE_Key, RFC 9052 section 7. */
    readonly publicKey: string;
    readonly aaguid: string;
    readonly attestationFormat: string;
    readonly isBackupEligible: boolean;
    readonly isBackedUp: boolean;
    readonly signCount: number;
  };
  readonly device: {
    readonly deviceId: string;
    readonly platform: string;
    readonly attestationLevel: string;
    readonly approvalJwk: Readonly<Record<string, unknown>>;
    readonly addedAt: string;
    readonly trustedAt: string | null;
  };
  readonly sessionId: string;
  readonly risk: Risk;
}

/** The second channel. */
export interface CodeEvidence {
  readonly method: 'sms_otp';
  readonly attemptId: string;
  readonly contactId: string | null;
  readonly provedAt: string;
}

export interface StepUpEvidence {
  /** null for a login: its passkey stood before it. */
  readonly keys: (KeysEvidence & { readonly auditId: string }) | null;
  readonly code: (CodeEvidence & { readonly auditId: string }) | null;
}

const PURPOSE = 'step_up.evidence';

/** Sealed, for the statement of the move that it proves. */
export interface NewEvidence {
  readonly factor: 'keys' | 'code';
  readonly sealed: Uint8Array;
  /** Who approved with what, of the keys: it stands on the step-up too. */
  readonly approvedWith:
    | {
        readonly deviceId: string;
        readonly sessionId: string;
        readonly credentialId: string;
        readonly risk: Risk;
      }
    | undefined;
}

export async function keysEvidence(
  tx: Tx,
  tools: StepUpTools,
  before: StepUpRecord,
  proof: { readonly keys: ProvedKeys | undefined; readonly risk: Risk | undefined },
): Promise<NewEvidence> {
  const { keys, risk = 'not_evaluated' } = proof;
  if (keys === undefined || before.challenge === null)
    throw new TypeError('keys are proved by a submission');
  const { approval, device, credential } = keys;
  const evidence: KeysEvidence = {
    assertion: approval.assertion,
    approvalSignature: approval.approvalSignature,
    challenge: base64url(before.challenge),
    provedAt: new Date(before.nowMs).toISOString(),
    credential: {
      credentialId: credential.credentialId,
      webauthnId: credential.webauthnId,
      publicKey: base64url(credential.publicKey),
      aaguid: credential.aaguid,
      attestationFormat: credential.attestationFormat,
      isBackupEligible: credential.backupEligible,
      isBackedUp: approval.isBackedUp,
      signCount: approval.signCount,
    },
    device: {
      deviceId: device.deviceId,
      platform: device.platform,
      attestationLevel: device.attestationLevel,
      approvalJwk: device.approvalJwk,
      addedAt: device.createdAt.toISOString(),
      trustedAt: device.trustedAt?.toISOString() ?? null,
    },
    sessionId: approval.sessionId,
    risk,
  };
  return {
    factor: 'keys',
    sealed: await seal(tx, tools, before, 'keys', evidence),
    approvedWith: {
      deviceId: device.deviceId,
      sessionId: approval.sessionId,
      credentialId: credential.credentialId,
      risk,
    },
  };
}

export async function codeEvidence(
  tx: Tx,
  tools: StepUpTools,
  before: StepUpRecord,
): Promise<NewEvidence> {
  const { tenantId, stepUpId: ceremonyId } = before;
  const { attempt } = await latestAttempt(tx, { tenantId, ceremonyId, step: STEP_UP_CODE });
  if (attempt?.status !== 'matched') throw new TypeError('a code was matched on its attempt');
  const evidence: CodeEvidence = {
    method: 'sms_otp',
    attemptId: attempt.attemptId,
    contactId: attempt.contactId,
    provedAt: new Date(before.nowMs).toISOString(),
  };
  const sealed = await seal(tx, tools, before, 'code', evidence);
  return { factor: 'code', sealed, approvedWith: undefined };
}

async function seal(
  tx: Tx,
  { personalData }: StepUpTools,
  { tenantId, customerId }: StepUpRecord,
  factor: NewEvidence['factor'],
  evidence: object,
): Promise<Uint8Array> {
  const target = { tenantId, customerId, purpose: `${PURPOSE}.${factor}` };
  return await personalData.seal(tx, target, JSON.stringify(evidence));
}

/** `audited` is the WITH query that answers the move's audit row. */
export function insertEvidence(
  sql: Sql,
  { tenantId, stepUpId, customerId, nowMs }: StepUpRecord,
  { factor, sealed }: NewEvidence,
) {
  return sql`
    insert into step_up_evidence (tenant_id, step_up_id, factor, customer_id, sealed, audit_id, recorded_at)
    select ${tenantId}, ${stepUpId}, ${factor}, ${customerId}, ${sealed}::bytea, audited.audit_id, ${new Date(nowMs)}::timestamptz from audited`;
}

/** For the receipt. */
export async function readStepUpEvidence(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId }: StepUpSubject,
): Promise<StepUpEvidence> {
  const rows = await tx<
    { factor: 'keys' | 'code'; customerId: string; sealed: Uint8Array; auditId: string }[]
  >`
    select factor, customer_id, sealed, audit_id from step_up_evidence
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  const open = async (factor: 'keys' | 'code'): Promise<object | null> => {
    const row = rows.find((one) => one.factor === factor);
    if (row === undefined) return null;
    const target = { tenantId, customerId: row.customerId, purpose: `${PURPOSE}.${factor}` };
    const text = await personalData.open(tx, target, row.sealed);
    // Sealed by insertEvidence under a purpose of that factor.
    return { ...(JSON.parse(text) as object), auditId: row.auditId };
  };
  return {
    keys: (await open('keys')) as StepUpEvidence['keys'],
    code: (await open('code')) as StepUpEvidence['code'],
  };
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
