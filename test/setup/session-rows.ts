/** A tenant with a customer, a device and a passkey, and sessions of theirs, written past row-level security: what a login leaves behind. */
import { createHash, randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { newId } from '../../adapters/random.ts';
import { bootstrapDemoTenant, DEMO_APP_CLIENT } from '../../db/bootstrap.ts';
import type { Policy } from '../../domain/policy.ts';
import type { TestDatabase } from './database.ts';

export interface SeededCustomer {
  readonly tenantId: string;
  readonly customerId: string;
  readonly deviceId: string;
  readonly credentialId: string;
}

export interface SessionTimes {
  readonly startedAtMs: number;
  readonly idleDeadlineMs: number;
  readonly absoluteDeadlineMs: number;
}

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
    const customerId = newId('customer');
    const deviceId = newId('device');
    const credentialId = newId('credential');
    const { sql } = this;
    await sql`insert into customer (tenant_id, customer_id, status, locale) values (${tenantId}, ${customerId}, 'active', 'en')`;
    await sql`insert into device (tenant_id, device_id, customer_id, client_id, status, name, platform, session_jkt, session_jwk,
        approval_jkt, approval_jwk, attestation_level)
      values (${tenantId}, ${deviceId}, ${customerId}, ${DEMO_APP_CLIENT}, 'trusted', 'Phone', 'web', ${deviceId}, '{}',
        ${`${deviceId}-approval`}, '{}', 'software')`;
    await sql`insert into credential (tenant_id, credential_id, customer_id, device_id, webauthn_id, public_key, user_handle, sign_count,
        aaguid, attestation_format, backup_eligible, backed_up, status)
      values (${tenantId}, ${credentialId}, ${customerId}, ${deviceId}, ${credentialId}, '\\x00', '\\x00', 0, '', 'none', false, false,
        'active')`;
    return { tenantId, customerId, deviceId, credentialId };
  }

  async session(customer: SeededCustomer, times: SessionTimes): Promise<string> {
    const { tenantId, customerId, deviceId, credentialId } = customer;
    const sessionId = newId('session');
    const started = new Date(times.startedAtMs);
    await this.sql`insert into session (tenant_id, session_id, customer_id, device_id, credential_id, client_id, status, epoch, jkt, acr, amr,
        auth_time, scopes, risk, current_hash, salt, key_id, policy_version, started_at, last_seen_at, idle_deadline, absolute_deadline)
      values (${tenantId}, ${sessionId}, ${customerId}, ${deviceId}, ${credentialId}, ${DEMO_APP_CLIENT}, 'live', 1, 'jkt', 'latchkey:2',
        '{pop}', ${started}, '{openid}', 'not_evaluated', ${createHash('sha256').update(sessionId).digest()}, ${randomBytes(16)}, 'k1', 1,
        ${started}, ${started}, ${new Date(times.idleDeadlineMs)}, ${new Date(times.absoluteDeadlineMs)})`;
    return sessionId;
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
