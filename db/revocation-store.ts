/**
 * The revocation workflow's view of PostgreSQL: one method an activity, each one transaction bound to the tenant. Wired in
 * worker.ts as the port that the activities name.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { RevocationReceipt, RevocationSubject, WakeTarget } from '../domain/revocation.ts';
import { appendAudit } from './audit.ts';
import type { Database, Tx } from './connection.ts';
import { activePolicy } from './policies.ts';
import { endRevokedRows, revocationFacts } from './revocation.ts';

export function createRevocationStore(database: Database) {
  return {
    endRows: (subject: RevocationSubject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const ended = await endRevokedRows(tx, subject);
        const { document } = await activePolicy(tx, subject.tenantId);
        return {
          ended,
          secondListingMs: document.revocation.secondListingSeconds * 1000,
          alarmMs: document.revocation.alarmSeconds * 1000,
        };
      }),

    wakeTargets: (subject: RevocationSubject, afterId: string, limit: number) =>
      database.tenant(subject.tenantId, async (tx): Promise<readonly WakeTarget[]> => {
        return await tx<WakeTarget[]>`
          select * from (
            select 'session' as kind, session_id as id, heal_count from session
            where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and workflow_closed_at is null
            union all
            select kind, ceremony_id as id, heal_count from ceremony
            where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and workflow_closed_at is null
          ) target
          where id > ${afterId} order by id limit ${limit}`;
      }),

    facts: (subject: RevocationSubject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const facts = await revocationFacts(tx, subject);
        if (facts === undefined) throw new LatchkeyError('not_found');
        return facts;
      }),

    seal: (subject: RevocationSubject, receipt: (sealedAtMs: number) => RevocationReceipt) =>
      database.tenant(subject.tenantId, async (tx) => {
        const [row] = await tx<{ customerId: string; now: Date }[]>`
          select customer_id, latchkey_now() as now from revocation
          where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and status = 'running' for update`;
        if (row === undefined) return;
        await tx`
          update revocation set status = 'sealed', sealed_at = ${row.now}, receipt = ${tx.json({ ...receipt(row.now.getTime()) })}
          where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId}`;
        await auditRevocation(tx, subject, row.customerId, 'revocation.sealed');
      }),

    openWorkflows: (subject: RevocationSubject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const [row] = await tx<{ open: number }[]>`
          select (
            (select count(*) from session where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId}
              and workflow_closed_at is null)
            + (select count(*) from ceremony where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId}
              and workflow_closed_at is null))::integer as open`;
        return row?.open ?? 0;
      }),

    raiseAlarm: (subject: RevocationSubject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const [row] = await tx<{ customerId: string }[]>`
          update revocation set alarmed_at = latchkey_now()
          where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and alarmed_at is null
          returning customer_id`;
        if (row !== undefined)
          await auditRevocation(tx, subject, row.customerId, 'revocation.alarm');
      }),

    markClosed: (subject: RevocationSubject) =>
      database.tenant(subject.tenantId, async (tx) => {
        const [row] = await tx<{ customerId: string }[]>`
          update revocation set workflows_closed_at = latchkey_now(), workflow_closed_at = latchkey_now()
          where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and workflow_closed_at is null
          returning customer_id`;
        if (row !== undefined)
          await auditRevocation(tx, subject, row.customerId, 'revocation.workflows_closed');
      }),
  };
}

async function auditRevocation(
  tx: Tx,
  subject: RevocationSubject,
  customerId: string,
  action: string,
): Promise<void> {
  await appendAudit(tx, {
    tenantId: subject.tenantId,
    actor: { kind: 'system', id: subject.revocationId },
    action,
    subject: { kind: 'revocation', id: subject.revocationId },
    customerId,
  });
}
