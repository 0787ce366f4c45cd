/**
 * What must happen once after PostgreSQL was restored to an earlier point, before the API listens again. Epochs and positions had been further
 * than they are now: nothing that was given out under a number that was lost may ever be valid again. Run as the owner; harmless to repeat.
 */
import postgres from 'postgres';
import { EVENTS } from '../domain/events.ts';

/** More cut-offs of one customer than can have been lost. */
const EPOCHS_AHEAD = 1_000;
/** More rows of the outbox and of the audit than can have been lost: a consumer of events keeps the highest number that it saw. */
const POSITIONS_AHEAD = 1_000_000;

export interface PassedRestore {
  readonly customers: number;
  readonly sessions: number;
}

/** Raises every active customer's epoch, ends every session, moves the positions on. One transaction. */
export async function passRestore(ownerUrl: string): Promise<PassedRestore> {
  const sql = postgres(ownerUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
  try {
    let passed: PassedRestore = { customers: 0, sessions: 0 };
    await sql.begin(async (tx) => {
      for (const table of ['outbox', 'audit'])
        await tx`
          select setval(pg_get_serial_sequence(${table}, 'position'),
            nextval(pg_get_serial_sequence(${table}, 'position')) + ${POSITIONS_AHEAD}::bigint)`;
      await tx`
        select setval('outbox_event_sequence', nextval('outbox_event_sequence') + ${POSITIONS_AHEAD}::bigint)`;
      const { count: customers } = await tx`
        update customer set security_epoch = security_epoch + ${EPOCHS_AHEAD}, epoch_raised_at = latchkey_now(), cut_off_seq = cut_off_seq + 1
        where status = 'active'`;
      const sessions = await endSessions(tx);
      await tx`
        insert into audit (tenant_id, actor_kind, actor_id, action, subject_kind, subject_id, detail)
        select tenant_id, 'operator', 'latchkey restored', 'database.restored', 'tenant', tenant_id, ${tx.json({ epochs: EPOCHS_AHEAD })}
        from tenant`;
      passed = { customers, sessions };
    });
    return passed;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Each with its audit row, its event, and the doorbell of its workflow. */
async function endSessions(tx: postgres.TransactionSql): Promise<number> {
  const { count } = await tx`
    with ended as (
      update session set status = 'ended', end_reason = 'revoked', ended_at = latchkey_now()
      where status = 'live' returning tenant_id, session_id, customer_id),
    audited as (
      insert into audit (tenant_id, actor_kind, actor_id, action, subject_kind, subject_id, customer_id, detail)
      select tenant_id, 'operator', 'latchkey restored', 'session.ended', 'session', session_id, customer_id, '{"reason": "revoked"}' from ended),
    told as (
      insert into outbox (tenant_id, topic, subject, payload)
      select tenant_id, 'event', customer_id, jsonb_build_object('type', 'bank.app.session_revoked',
        'version', ${EVENTS['bank.app.session_revoked'].version}::integer, 'data', jsonb_build_object('customerId', customer_id, 'sessionId', session_id, 'reason', 'revoked'))
      from ended)
    insert into outbox (tenant_id, topic, subject, payload)
    select tenant_id, 'session.wake', session_id, jsonb_build_object('sessionId', session_id) from ended`;
  return count;
}
