/**
 * What people of the bank say of a case: approve, refuse, send back, release. Each is a row that carries the revision its author saw; an edit
 * since makes an approval void. Roles are the route's to ask; persons are compared here. Refusals and releases count at once.
 */
import { LatchkeyError } from '../domain/errors.ts';
import { needsSupervisor } from '../domain/recovery-desk.ts';
import { refusalOf, type RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { hasActiveHold } from './customer-lock.ts';
import { lockRecovery, moveRecovery } from './recovery-moves.ts';
import { hasPrepared, refuseOwnAccount, staffMember } from './recovery-people.ts';
import { ringRecovery, type RecoveryRecord, type RecoveryTools } from './recovery.ts';

export const DECISION_KINDS = ['approve', 'refuse', 'send_back', 'release'] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

export interface RecoveryDecision {
  readonly subject: RecoverySubject;
  readonly kind: DecisionKind;
  /** Of the case as the person saw it. */
  readonly revision: number;
  /** Picked. */
  readonly reason: string;
  readonly staffId: string;
  /** false: an approval may not leave a case of two people to agents alone. Left out: not asked. */
  readonly isSupervisor?: boolean;
}

/** Where each may be said. */
const DUE: { readonly [K in DecisionKind]: readonly RecoveryRecord['state'][] } = {
  approve: ['review'],
  refuse: ['contact', 'identity', 'review', 'cooling', 'rebind', 'held'],
  send_back: ['review', 'cooling'],
  release: ['held'],
};

/**
 * Of two approvals by one natural person the later is a repeat. Takes customer and case.
 * @throws LatchkeyError recovery_not_found, own_account, wrong_step (or how the case stands), approval_void (edited since), four_eyes_required,
 * factors_missing, ceremony_expired, customer_on_hold, staff_role_missing (a supervisor is needed)
 */
export async function decide(
  tx: Tx,
  tools: RecoveryTools,
  decision: RecoveryDecision,
): Promise<{ readonly decisionId: string; readonly isRepeat: boolean }> {
  const { subject, kind, staffId, reason } = decision;
  const record = await lockRecovery(tx, subject);
  if (record === undefined) throw new LatchkeyError('recovery_not_found');
  const { employee } = await staffMember(tx, subject.tenantId, staffId);
  await refuseOwnAccount(tx, record, employee);
  await refuseUndue(tx, record, decision, employee);
  if (kind === 'approve') {
    const known = await approvalBy(tx, record, employee);
    if (known !== undefined) return { decisionId: known, isRepeat: true };
    if (decision.isSupervisor === false) await refuseAgentsAlone(tx, record, employee);
  }
  const decisionId = await insertDecision(tx, tools, record, { ...decision, employee });
  const actor = { kind: 'staff', id: staffId } as const;
  if (kind === 'refuse' || kind === 'release') {
    const event = kind === 'refuse' ? 'refused' : 'released';
    await moveRecovery(tx, { subject, event, actor, because: reason });
  } else await ringRecovery(tx, subject);
  return { decisionId, isRepeat: false };
}

async function refuseUndue(
  tx: Tx,
  record: RecoveryRecord,
  { kind, revision, staffId }: RecoveryDecision,
  employee: string,
): Promise<void> {
  const { state, tenantId, customerId, missing, nowMs, deadlineMs, stepDeadlineMs } = record;
  if (!DUE[kind].includes(state)) throw new LatchkeyError(refusalOf(record), { extra: { state } });
  // To stop a case nobody needs to have seen its last edit.
  if (kind === 'refuse') return;
  if (revision !== record.revision) throw new LatchkeyError('approval_void');
  if (kind === 'send_back') return;
  if (await hasPrepared(tx, record, { staffId, employee }))
    throw new LatchkeyError('four_eyes_required');
  if (kind === 'release') {
    if (await hasActiveHold(tx, tenantId, customerId)) throw new LatchkeyError('customer_on_hold');
    return;
  }
  if (missing.length > 0) throw new LatchkeyError('factors_missing');
  if (nowMs >= Math.min(deadlineMs, stepDeadlineMs ?? Infinity))
    throw new LatchkeyError('ceremony_expired', { extra: { state } });
}

export interface StandingApprovals {
  /** By other natural persons, for the case as it stands. */
  readonly others: number;
  readonly hasOwn: boolean;
  /** One of the others is a supervisor, as of that person's latest login. */
  readonly hasSupervisor: boolean;
}

export async function standingApprovals(
  tx: Tx,
  { tenantId, recoveryId, revision }: Pick<RecoveryRecord, 'tenantId' | 'recoveryId' | 'revision'>,
  employee: string,
): Promise<StandingApprovals> {
  const [row] = await tx<StandingApprovals[]>`
    select (count(distinct lower(d.employee)) filter (where not latchkey_same_person(d.employee, ${employee})))::integer as others,
      coalesce(bool_or(latchkey_same_person(d.employee, ${employee})), false) as has_own,
      coalesce(bool_or('supervisor' = any(s.roles)) filter (where not latchkey_same_person(d.employee, ${employee})), false) as has_supervisor
    from recovery_decision d join staff s on s.tenant_id = d.tenant_id and s.staff_id = d.staff_id
    where d.tenant_id = ${tenantId} and d.recovery_id = ${recoveryId} and d.kind = 'approve' and d.voided_at is null
      and d.revision = ${revision}`;
  if (row === undefined) throw new TypeError('an aggregate answers one row');
  return row;
}

async function refuseAgentsAlone(tx: Tx, record: RecoveryRecord, employee: string): Promise<void> {
  const { others, hasSupervisor } = await standingApprovals(tx, record, employee);
  const standing = { otherApprovals: others, hasSupervisorApproved: hasSupervisor };
  if (needsSupervisor({ people: record.people, ...standing, roles: ['agent'] }))
    throw new LatchkeyError('staff_role_missing', { extra: { roles: 'supervisor' } });
}

/** Of this natural person for the case as it stands; what the person said of an earlier one is void now. */
async function approvalBy(
  tx: Tx,
  { tenantId, recoveryId, revision }: RecoveryRecord,
  employee: string,
): Promise<string | undefined> {
  await tx`
    update recovery_decision set voided_at = latchkey_now()
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and kind = 'approve' and voided_at is null and revision <> ${revision}`;
  const [row] = await tx<{ decisionId: string }[]>`
    select decision_id from recovery_decision
    where tenant_id = ${tenantId} and recovery_id = ${recoveryId} and kind = 'approve' and voided_at is null
      and latchkey_same_person(employee, ${employee})`;
  return row?.decisionId;
}

async function insertDecision(
  tx: Tx,
  { newId }: RecoveryTools,
  { tenantId, recoveryId, customerId, revision }: RecoveryRecord,
  { kind, reason, staffId, employee }: RecoveryDecision & { readonly employee: string },
): Promise<string> {
  const decisionId = newId('decision');
  await tx`
    insert into recovery_decision (tenant_id, decision_id, recovery_id, kind, revision, reason, staff_id, employee, decided_at)
    values (${tenantId}, ${decisionId}, ${recoveryId}, ${kind}, ${revision}, ${reason}, ${staffId}, ${employee}, latchkey_now())`;
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action: `recovery.decided_${kind}`,
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: { decisionId, revision, reason },
  });
  return decisionId;
}
