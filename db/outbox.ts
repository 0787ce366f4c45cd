/**
 * The outbox: what a transaction must cause elsewhere is a row it writes, delivered later at least once. Payloads carry ids only.
 * A claim is a short transaction that leases rows; nothing is delivered while a transaction is open.
 */
import type { Tx } from './connection.ts';

/** What each topic carries. Events go out in order per subject (the customer's id); the rest in any order. */
export interface OutboxPayloads {
  'session.start': { readonly sessionId: string; readonly dueAtMs: number };
  'session.wake': { readonly sessionId: string };
  'ceremony.signal': {
    readonly ceremonyId: string;
    readonly kind: 'enrollment';
    readonly signal: 'revoke' | 'cancel' | 'identityResult';
  };
  'revocation.start': { readonly revocationId: string };
  'message.sms': MessagePayload;
  'message.email': MessagePayload;
  event: { readonly type: string; readonly data: Readonly<Record<string, EventValue>> };
}

export type EventValue = string | number | boolean | null | readonly EventValue[];

export interface MessagePayload {
  readonly customerId: string;
  readonly contactId: string;
  readonly template: string;
  /** The code's id: the relay derives the code from it. */
  readonly attemptId?: string;
  readonly locale: string;
}

export type OutboxTopic = keyof OutboxPayloads;

/** One topic with its own payload. */
export type OutboxMessage = {
  [Topic in OutboxTopic]: { readonly topic: Topic; readonly payload: OutboxPayloads[Topic] };
}[OutboxTopic];

export type NewOutboxRow = OutboxMessage & {
  readonly tenantId: string;
  /** The ordering key of events; for the rest what the row is about. */
  readonly subject: string;
  /** Not delivered before; now when left out. */
  readonly notBeforeMs?: number | undefined;
};

/** Answers the new row's id, which is also the reference that makes its delivery harmless to repeat. */
export async function enqueue(tx: Tx, row: NewOutboxRow): Promise<string> {
  const notBefore = row.notBeforeMs === undefined ? null : new Date(row.notBeforeMs);
  const [inserted] = await tx<{ outboxId: string }[]>`
    insert into outbox (tenant_id, topic, subject, payload, not_before)
    values (${row.tenantId}, ${row.topic}, ${row.subject}, ${tx.json({ ...row.payload })}, coalesce(${notBefore}, latchkey_now()))
    returning outbox_id`;
  if (inserted === undefined) throw new TypeError('an insert answers its row');
  return inserted.outboxId;
}
