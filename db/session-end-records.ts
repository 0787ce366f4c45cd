/**
 * What the end of a session leaves behind, whoever ended it: audit row, event and, where its workflow does not know yet, the wake-up. One statement
 * however many ended. It must run in the transaction that moved the rows.
 */
import { EVENTS } from '../domain/events.ts';
import type { SessionEndReason } from '../domain/session.ts';
import type { Actor } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';

export interface SessionEnd {
  readonly sessionId: string;
  readonly customerId: string;
  readonly reason: SessionEndReason;
}

export async function recordSessionEnds(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly ended: readonly SessionEnd[];
    /** Left out: each session itself, whose time has come. */
    readonly actor?: Actor;
    readonly revocationId?: string;
    /** A code that says more; for the audit alone. */
    readonly because?: string;
    /** Their workflows are asleep and must look. */
    readonly wake: boolean;
  },
): Promise<void> {
  const { tenantId, ended, actor, revocationId, because, wake } = args;
  if (ended.length === 0) return;
  const type = 'bank.app.session_revoked';
  const revocation = revocationId === undefined ? {} : { revocationId };
  const detail = { ...revocation, ...(because === undefined ? {} : { because }) };
  await tx`
    with ended as materialized (
      select "sessionId" as session_id, "customerId" as customer_id, reason
      from jsonb_to_recordset(${tx.json(ended.map((end) => ({ ...end })))}) as e("sessionId" text, "customerId" text, reason text)),
    noted as (
      insert into audit (tenant_id, actor_kind, actor_id, action, subject_kind, subject_id, customer_id, detail)
      select ${tenantId}, ${actor?.kind ?? 'system'}, coalesce(${actor?.id ?? null}, session_id), 'session.ended', 'session', session_id,
        customer_id, jsonb_build_object('reason', reason) || ${tx.json(detail)}
      from ended order by session_id),
    woken as (
      insert into outbox (tenant_id, topic, subject, payload)
      select ${tenantId}, 'session.wake', session_id, jsonb_build_object('sessionId', session_id) from ended
      where ${wake} order by session_id)
    insert into outbox (tenant_id, topic, subject, payload)
    select ${tenantId}, 'event', customer_id, jsonb_build_object('type', ${type}::text, 'version', ${EVENTS[type].version}::integer,
      'data', jsonb_build_object('customerId', customer_id, 'sessionId', session_id, 'reason', reason) || ${tx.json(revocation)})
    from ended order by session_id`;
  for (const [reason, ends] of Map.groupBy(ended, (end) => end.reason))
    noteFact(tx, { kind: 'sessions_ended', reason, count: ends.length });
}
