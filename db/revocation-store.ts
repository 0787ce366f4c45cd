/**
 * The revocation workflow's view of PostgreSQL: one method an activity, each one transaction bound to the tenant. Wired in
 * worker/activities.ts as the port that the activities name.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type {
  RevocationReceipt,
  RevocationSubject,
  SignedRevocationReceipt,
  WakeTarget,
} from '../domain/revocation.ts';
import { appendAudit } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import { databaseNowMs } from './connection.ts';
import type { Database, Tx } from './connection.ts';
import { activePolicy } from './policies.ts';
import { endRevokedRows, revocationFacts } from './revocation.ts';

type Receipt = (sealedAtMs: number) => RevocationReceipt | SignedRevocationReceipt;

export function createRevocationStore(database: Database) {
  const of = <T>({ tenantId }: RevocationSubject, work: (tx: Tx) => Promise<T>): Promise<T> =>
    database.tenant(tenantId, work);
  return {
    endRows: (subject: RevocationSubject) => of(subject, (tx) => endRows(tx, subject)),
    wakeTargets: (subject: RevocationSubject, afterId: string, limit: number) =>
      of(subject, (tx) => wakeTargets(tx, subject, { afterId, limit })),
    facts: (subject: RevocationSubject) => of(subject, (tx) => knownFacts(tx, subject)),
    nowMs: (subject: RevocationSubject) => of(subject, databaseNowMs),
    seal: (subject: RevocationSubject, receipt: Receipt) =>
      of(subject, (tx) => seal(tx, subject, receipt)),
    openWorkflows: (subject: RevocationSubject) => of(subject, (tx) => openWorkflows(tx, subject)),
    raiseAlarm: (subject: RevocationSubject) => of(subject, (tx) => raiseAlarm(tx, subject)),
    markClosed: (subject: RevocationSubject) => of(subject, (tx) => markClosed(tx, subject)),
  };
}

async function endRows(tx: Tx, subject: RevocationSubject) {
  const ended = await endRevokedRows(tx, subject);
  const { document } = await activePolicy(tx, subject.tenantId);
  return {
    ended,
    secondListingMs: document.revocation.secondListingSeconds * 1000,
    alarmMs: document.revocation.alarmSeconds * 1000,
  };
}

async function wakeTargets(
  tx: Tx,
  { tenantId, revocationId }: RevocationSubject,
  page: { afterId: string; limit: number },
): Promise<readonly WakeTarget[]> {
  return await tx<WakeTarget[]>`
    select * from (
      select 'session' as kind, session_id as id, heal_count from session
      where tenant_id = ${tenantId} and revocation_id = ${revocationId} and workflow_closed_at is null
      union all
      select kind, ceremony_id as id, heal_count from ceremony
      where tenant_id = ${tenantId} and revocation_id = ${revocationId} and workflow_closed_at is null
    ) target
    where id > ${page.afterId} order by id limit ${page.limit}`;
}

async function knownFacts(tx: Tx, subject: RevocationSubject) {
  const facts = await revocationFacts(tx, subject);
  if (facts === undefined) throw new LatchkeyError('not_found');
  return facts;
}

/** Once: a second call finds it sealed and writes nothing. */
async function seal(tx: Tx, subject: RevocationSubject, receipt: Receipt): Promise<void> {
  const { tenantId, revocationId } = subject;
  const [row] = await tx<{ customerId: string; effectiveAt: Date; now: Date }[]>`
    select customer_id, effective_at, latchkey_now() as now from revocation
    where tenant_id = ${tenantId} and revocation_id = ${revocationId} and status = 'running' for update`;
  if (row === undefined) return;
  await tx`
    update revocation
    set status = 'sealed', sealed_at = ${row.now}, receipt = ${tx.json({ ...receipt(row.now.getTime()) })}
    where tenant_id = ${tenantId} and revocation_id = ${revocationId}`;
  const afterSeconds = (row.now.getTime() - row.effectiveAt.getTime()) / 1000;
  noteFact(tx, { kind: 'revocation_sealed', afterSeconds });
  await auditRevocation(tx, subject, row.customerId, 'revocation.sealed');
}

async function openWorkflows(
  tx: Tx,
  { tenantId, revocationId }: RevocationSubject,
): Promise<number> {
  const [row] = await tx<{ open: number }[]>`
    select (
      (select count(*) from session
       where tenant_id = ${tenantId} and revocation_id = ${revocationId} and workflow_closed_at is null)
      + (select count(*) from ceremony
         where tenant_id = ${tenantId} and revocation_id = ${revocationId} and workflow_closed_at is null))::integer as open`;
  return row?.open ?? 0;
}

async function raiseAlarm(tx: Tx, subject: RevocationSubject): Promise<void> {
  const [row] = await tx<{ customerId: string }[]>`
    update revocation set alarmed_at = latchkey_now()
    where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and alarmed_at is null
    returning customer_id`;
  if (row === undefined) return;
  noteFact(tx, { kind: 'revocation_alarmed' });
  await auditRevocation(tx, subject, row.customerId, 'revocation.alarm');
}

async function markClosed(tx: Tx, subject: RevocationSubject): Promise<void> {
  const [row] = await tx<{ customerId: string }[]>`
    update revocation set workflows_closed_at = latchkey_now(), workflow_closed_at = latchkey_now()
    where tenant_id = ${subject.tenantId} and revocation_id = ${subject.revocationId} and workflow_closed_at is null
    returning customer_id`;
  if (row === undefined) return;
  await auditRevocation(tx, subject, row.customerId, 'revocation.workflows_closed');
}

async function auditRevocation(
  tx: Tx,
  { tenantId, revocationId }: RevocationSubject,
  customerId: string,
  action: string,
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: revocationId },
    action,
    subject: { kind: 'revocation', id: revocationId },
    customerId,
  });
}
