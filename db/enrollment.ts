/**
 * The rows of an enrollment: its start, its reading and its closing. What moves it stands in enrollment-moves.ts. Nothing here tells a known
 * number from an unknown one.
 */
import type {
  CeremonyOutcome,
  EnrollmentSnapshot,
  EnrollmentState,
  EnrollmentSubject,
} from '../domain/enrollment.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { takeStart } from './number-limit.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';
import { activePolicy } from './policies.ts';

/** Everything the row says, with the policy it pinned. */
export interface EnrollmentRecord extends EnrollmentSnapshot, EnrollmentSubject {
  readonly customerId: string;
  readonly clientId: string;
  readonly jkt: string;
  readonly epoch: number;
  readonly locale: string;
  readonly createdAtMs: number;
  readonly deviceId: string | null;
  readonly healCount: number;
  readonly policy: Policy;
}

export interface NewEnrollment extends EnrollmentSubject {
  readonly customerId: string;
  readonly contactId: string;
  readonly clientId: string;
  readonly jkt: string;
  /** E.164. */
  readonly phone: string;
  readonly locale: string;
}

/**
 * The prospect, his key, his unproved number and the ceremony, in the state `starting`: nothing is sent before its workflow runs.
 * @throws LatchkeyError too_many_requests: the number was used too often lately, by whomever.
 */
export async function insertEnrollment(
  tx: Tx,
  personalData: PersonalData,
  args: NewEnrollment,
): Promise<void> {
  const { tenantId, enrollmentId, customerId } = args;
  const { version, document: policy } = await activePolicy(tx, tenantId);
  const waitSeconds = await takeStart(tx, {
    tenantId,
    numberIndex: personalData.blindIndex(tenantId, 'number_limit', args.phone),
    starts: policy.enrollment.startsPerNumber,
    intervalSeconds: policy.enrollment.startIntervalSeconds,
  });
  if (waitSeconds > 0)
    throw new LatchkeyError('too_many_requests', { retryAfterSeconds: waitSeconds });
  await tx`
    insert into customer (tenant_id, customer_id, status, locale) values (${tenantId}, ${customerId}, 'prospect', ${args.locale})`;
  await personalData.createKey(tx, tenantId, customerId);
  await insertContact(tx, personalData, {
    tenantId,
    customerId,
    contactId: args.contactId,
    kind: 'phone',
    value: args.phone,
  });
  await tx`
    insert into ceremony (tenant_id, ceremony_id, kind, customer_id, client_id, jkt, state, epoch, policy_version, locale, deadline, reminder_at, created_at)
    select ${tenantId}, ${enrollmentId}, 'enrollment', ${customerId}, ${args.clientId}, ${args.jkt}, 'starting', 1, ${version}, ${args.locale},
           t.now + make_interval(secs => ${policy.enrollment.abandonSeconds}), t.now + make_interval(secs => ${policy.enrollment.reminderSeconds}), t.now
    from (select latchkey_now() as now offset 0) t`;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'enrollment.started',
    subject: { kind: 'enrollment', id: enrollmentId },
    customerId,
    ceremonyId: enrollmentId,
    detail: { policyVersion: version },
  });
}

export async function insertContact(
  tx: Tx,
  personalData: PersonalData,
  args: {
    tenantId: string;
    customerId: string;
    contactId: string;
    kind: 'phone' | 'email';
    value: string;
  },
): Promise<void> {
  const { tenantId, customerId, kind, value } = args;
  const sealed = await personalData.seal(
    tx,
    { tenantId, customerId, purpose: `contact.${kind}` },
    value,
  );
  await tx`
    insert into contact (tenant_id, contact_id, customer_id, kind, status, blind_index, sealed_value)
    values (${tenantId}, ${args.contactId}, ${customerId}, ${kind}, 'unproved', ${personalData.blindIndex(tenantId, kind, value)}, ${sealed})`;
}

/** Whether that session key is a device's already: asked before anything starts, so that nobody proves four things for nothing. */
export async function isDeviceKeyKnown(tx: Tx, tenantId: string, jkt: string): Promise<boolean> {
  const rows = await tx`
    select 1 from device where tenant_id = ${tenantId} and session_jkt = ${jkt} and status <> 'revoked'`;
  return rows.length > 0;
}

/** undefined when there is no such enrollment. `lock`: the row, until the transaction ends. */
export async function readEnrollment(
  tx: Tx,
  { tenantId, enrollmentId }: EnrollmentSubject,
  lock = false,
): Promise<EnrollmentRecord | undefined> {
  const [row] = await tx<EnrollmentDbRow[]>`
    select c.*, p.document as policy from ceremony c join policy p on p.tenant_id = c.tenant_id and p.version = c.policy_version
    where c.tenant_id = ${tenantId} and c.ceremony_id = ${enrollmentId} and c.kind = 'enrollment'
    ${lock ? tx`for update of c` : tx``}`;
  if (row === undefined) return undefined;
  // Read after the lock: time passes while one waits for it.
  const [time] = await tx<{ now: Date }[]>`select latchkey_now() as now`;
  return toRecord(row, time?.now.getTime() ?? 0);
}

interface EnrollmentDbRow {
  readonly tenantId: string;
  readonly ceremonyId: string;
  readonly customerId: string;
  readonly clientId: string;
  readonly jkt: string;
  readonly state: EnrollmentState;
  readonly outcome: CeremonyOutcome | null;
  readonly reason: string | null;
  readonly seq: number;
  readonly epoch: number;
  readonly locale: string;
  readonly stepDeadline: Date | null;
  readonly deadline: Date;
  readonly reminderAt: Date | null;
  readonly createdAt: Date;
  readonly deviceId: string | null;
  readonly healCount: number;
  readonly policy: Policy;
}

function toRecord(row: EnrollmentDbRow, nowMs: number): EnrollmentRecord {
  const { enrollment } = row.policy;
  return {
    tenantId: row.tenantId,
    enrollmentId: row.ceremonyId,
    customerId: row.customerId,
    clientId: row.clientId,
    jkt: row.jkt,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    seq: row.seq,
    epoch: row.epoch,
    locale: row.locale,
    deadlineMs: row.deadline.getTime(),
    stepDeadlineMs: row.stepDeadline?.getTime() ?? null,
    reminderAtMs: row.reminderAt?.getTime() ?? null,
    createdAtMs: row.createdAt.getTime(),
    deviceId: row.deviceId,
    healCount: row.healCount,
    stepMs: enrollment.stepSeconds * 1000,
    identityCheckMs: enrollment.identityCheckSeconds * 1000,
    maxUpdates: enrollment.maxUpdates,
    policy: row.policy,
    nowMs,
  };
}

/** What the workflow may know: no key, no customer, no policy. */
export function toSnapshot(record: EnrollmentRecord): EnrollmentSnapshot {
  return {
    state: record.state,
    outcome: record.outcome,
    reason: record.reason,
    seq: record.seq,
    deadlineMs: record.deadlineMs,
    stepDeadlineMs: record.stepDeadlineMs,
    reminderAtMs: record.reminderAtMs,
    stepMs: record.stepMs,
    identityCheckMs: record.identityCheckMs,
    maxUpdates: record.maxUpdates,
    nowMs: record.nowMs,
  };
}

/** The last thing a workflow does. The reconciler looks at open ones only. */
export async function markEnrollmentClosed(tx: Tx, subject: EnrollmentSubject): Promise<void> {
  await tx`
    update ceremony set workflow_closed_at = latchkey_now()
    where tenant_id = ${subject.tenantId} and ceremony_id = ${subject.enrollmentId} and outcome is not null and workflow_closed_at is null`;
}

/** Writes a vendor's verdict and rings the workflow. */
export async function ringIdentityResult(
  tx: Tx,
  args: { tenantId: string; ceremonyId: string },
): Promise<void> {
  await enqueue(tx, {
    tenantId: args.tenantId,
    topic: 'ceremony.signal',
    subject: args.ceremonyId,
    payload: { ceremonyId: args.ceremonyId, kind: 'enrollment', signal: 'identityResult' },
  });
}
