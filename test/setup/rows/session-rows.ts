/** A tenant with a customer, a device and a passkey, and sessions of theirs, written past row-level security: what a login leaves behind. */
import postgres from 'postgres';
import { bootstrapDemoTenant } from '../../../db/bootstrap.ts';
import type { Policy } from '../../../domain/policy.ts';
import { insertCustomer, insertLiveSession } from '../customer.ts';
import type { SeededCustomer, SessionTimes } from '../customer.ts';
import type { TestDatabase } from '../database.ts';

export interface SessionRow {
  readonly status: 'live' | 'ended';
  readonly endReason: string | null;
  readonly endedAtMs: number | null;
  readonly workflowClosedAtMs: number | null;
  readonly healCount: number;
}

export class SessionRows {
  readonly sql: postgres.Sql;
  readonly #ownerUrl: string;

  constructor(database: TestDatabase) {
    this.sql = postgres(database.superuserUrl, { max: 2, onnotice: () => undefined });
    this.#ownerUrl = database.ownerUrl;
  }

  async customer(slug: string, policy?: Policy): Promise<SeededCustomer> {
    const { tenantId } = await bootstrapDemoTenant({
      ownerUrl: this.#ownerUrl,
      publicUrl: 'http://localhost:1',
      fraudClientJwks: { keys: [] },
      slug,
      ...(policy === undefined ? {} : { policy }),
    });
    return await insertCustomer(this.sql, tenantId);
  }

  async session(customer: SeededCustomer, times: SessionTimes): Promise<string> {
    return await insertLiveSession(this.sql, customer, { times });
  }

  /** As a refresh does: the idle deadline moves, the absolute one stays. */
  async refreshed(sessionId: string, atMs: number, idleDeadlineMs: number): Promise<void> {
    await this.sql`update session set last_seen_at = ${new Date(atMs)}, idle_deadline = ${new Date(idleDeadlineMs)}
      where session_id = ${sessionId}`;
  }

  async end(sessionId: string, reason: string, atMs: number): Promise<void> {
    await this.sql`update session set status = 'ended', end_reason = ${reason}, ended_at = ${new Date(atMs)}
      where session_id = ${sessionId}`;
  }

  async read(sessionId: string): Promise<SessionRow> {
    const [row] = await this.sql`select * from session where session_id = ${sessionId}`;
    if (row === undefined) throw new Error('no such session');
    const at = (column: string): number | null =>
      row[column] instanceof Date ? row[column].getTime() : null;
    return {
      status: row['status'],
      endReason: row['end_reason'],
      endedAtMs: at('ended_at'),
      workflowClosedAtMs: at('workflow_closed_at'),
      healCount: row['heal_count'],
    };
  }

  /** Audit actions and outbox topics that concern the subject, in order. */
  async trail(subjectId: string): Promise<{ audit: string[]; events: string[] }> {
    const audit =
      await this.sql`select action from audit where subject_id = ${subjectId} order by position`;
    const events = await this.sql`
      select payload ->> 'type' as type from outbox
      where topic = 'event' and payload -> 'data' ->> 'sessionId' = ${subjectId} order by position`;
    return {
      audit: audit.map((row) => String(row['action'])),
      events: events.map((row) => String(row['type'])),
    };
  }

  async close(): Promise<void> {
    await this.sql.end();
  }
}
