/**
 * Receipts: one for each approved step-up, made by the relay after the approval, sealed under the customer's key, never changed. Reading is for
 * whoever the caller has shown to be the requester or the customer.
 */
import { canonicalJson } from '../domain/canonical-json.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { LastingSigner } from '../domain/ports.ts';
import { RECEIPT_JWS_TYPE } from '../domain/receipt.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { StepUpSubject } from '../domain/step-up.ts';
import { appendAudit } from './audit.ts';
import type { Database, Tx } from './connection.ts';
import { receiptClaims } from './receipt-claims.ts';
import type { ReceiptSource } from './receipt-claims.ts';
import { signStatement } from './receipt-signing.ts';
import { readStepUpEvidence } from './step-up-evidence.ts';
import { openPreimage } from './step-up-sealed.ts';
import { readStepUp } from './step-up.ts';
import type { StepUpRecord, StepUpTools } from './step-up.ts';

const PURPOSE = 'receipt';

export interface ReceiptTools extends StepUpTools {
  readonly signer: LastingSigner;
  /** The tenant's issuer. */
  readonly issuerOf: (tenantId: string) => Promise<string>;
}

/** The port that activities/receipt.ts names, and what the relay delivers `receipt.seal` to. */
export function createReceiptStore(database: Pick<Database, 'tenant'>, tools: ReceiptTools) {
  return {
    /** @throws LatchkeyError vendor_unavailable: the key management did not sign */
    seal: async (subject: StepUpSubject): Promise<string | null> => {
      const { tenantId } = subject;
      const source = await database.tenant(tenantId, (tx) => readSource(tx, tools, subject));
      if (typeof source === 'string' || source === null) return source;
      const receiptId = tools.newId('receipt');
      const iss = await tools.issuerOf(tenantId);
      const made = receiptClaims(source, { receiptId, iss });
      if (made === undefined) return null;
      const { keyId, signature } = await signStatement(
        { database, signer: tools.signer },
        // Interfaces have no index signature; every member is JSON.
        {
          tenantId,
          typ: RECEIPT_JWS_TYPE,
          iss,
          sub: receiptId,
          claims: made.claims as unknown as JsonValue,
        },
      );
      const receipt: Receipt = { ...made.claims, disclosures: made.disclosures, signature };
      return await database.tenant(tenantId, (tx) => keep(tx, tools, { source, receipt, keyId }));
    },
  };
}

/** An id: it was sealed before. null: nothing to prove here. */
async function readSource(
  tx: Tx,
  tools: StepUpTools,
  subject: StepUpSubject,
): Promise<ReceiptSource | string | null> {
  const record = await readStepUp(tx, subject);
  if (record === undefined || record.approvedAtMs === null) return null;
  if (record.receiptId !== null) return record.receiptId;
  const preimage = await openPreimage(tx, tools, record);
  if (preimage === undefined) return null;
  return { record, preimage, evidence: await readStepUpEvidence(tx, tools, subject) };
}

/** Who comes second finds the first one's. */
async function keep(
  tx: Tx,
  { personalData }: StepUpTools,
  {
    source,
    receipt,
    keyId,
  }: { readonly source: ReceiptSource; readonly receipt: Receipt; readonly keyId: string },
): Promise<string> {
  const { tenantId, stepUpId, customerId } = source.record;
  const { receiptId } = receipt;
  const target = { tenantId, customerId, purpose: PURPOSE };
  const text = canonicalJson(receipt as unknown as JsonValue);
  const sealed = await personalData.seal(tx, target, text);
  const inserted = await tx`
    insert into receipt (tenant_id, receipt_id, step_up_id, customer_id, key_id, sealed, sealed_at)
    values (${tenantId}, ${receiptId}, ${stepUpId}, ${customerId}, ${keyId}, ${sealed}, ${receipt.times.sealedAt})
    on conflict (tenant_id, step_up_id) do nothing returning receipt_id`;
  if (inserted.length === 0) return await receiptIdOf(tx, source.record);
  await tx`
    update step_up set receipt_id = ${receiptId}
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId} and receipt_id is null`;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: stepUpId },
    action: 'receipt.sealed',
    subject: { kind: 'receipt', id: receiptId },
    customerId,
    ceremonyId: stepUpId,
    detail: { keyId },
  });
  return receiptId;
}

async function receiptIdOf(tx: Tx, { tenantId, stepUpId }: StepUpSubject): Promise<string> {
  const [row] = await tx<{ receiptId: string }[]>`
    select receipt_id from receipt where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined) throw new TypeError('another made it first');
  return row.receiptId;
}

/**
 * Has those asked for that nobody asked for: approved by a worker from before the outbox had it sealed, whose workflow was lost. One that
 * waits, or that was given up and stands among the dead, is left. Answers how many.
 */
export async function requestMissingReceipts(
  tx: Tx,
  args: { readonly tenantId: string; readonly limit: number; readonly graceSeconds: number },
): Promise<number> {
  const { tenantId, limit, graceSeconds } = args;
  const asked = (sql: Tx, status: 'pending' | 'dead') => sql`
    select from outbox o
    where o.tenant_id = ${tenantId} and o.topic = 'receipt.seal' and o.subject = s.step_up_id and o.status = ${status}`;
  const { count } = await tx`
    with t as materialized (select latchkey_now() as now)
    insert into outbox (tenant_id, topic, subject, payload, not_before)
    select s.tenant_id, 'receipt.seal', s.step_up_id, jsonb_build_object('stepUpId', s.step_up_id), t.now from step_up s, t
    where s.tenant_id = ${tenantId} and s.approved_at <= t.now - make_interval(secs => ${graceSeconds})
      and s.receipt_id is null and s.requester_kind <> 'login'
      and not exists (${asked(tx, 'pending')}) and not exists (${asked(tx, 'dead')})
    order by s.approved_at limit ${limit}`;
  return count;
}

/** @throws LatchkeyError receipt_pending: approved, and not sealed yet; step_up_not_approved: there will be none (yet). */
export async function readReceipt(
  tx: Tx,
  { personalData }: Pick<StepUpTools, 'personalData'>,
  { tenantId, stepUpId, customerId, approvedAtMs, isLogin }: StepUpRecord,
): Promise<Receipt> {
  const [row] = await tx<{ sealed: Uint8Array }[]>`
    select sealed from receipt where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  if (row === undefined)
    throw new LatchkeyError(
      approvedAtMs === null || isLogin ? 'step_up_not_approved' : 'receipt_pending',
    );
  const target = { tenantId, customerId, purpose: PURPOSE };
  // Sealed by keep().
  return JSON.parse(await personalData.open(tx, target, row.sealed)) as Receipt;
}
