/**
 * Approvals as rows: one person asks for the release of a hold, another approves or declines it. Persons and roles are read from the staff rows
 * here, never taken from a caller. Lock order is customer → approval → staff; what is refused is noted, so refusals are answered, not thrown.
 */
import { judgeApproval } from '../domain/approval.ts';
import type { ApprovalRefusal, ApprovalStatus, ReleaseReason } from '../domain/approval.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { appendAudit } from './audit.ts';
import { databaseNowMs } from './connection.ts';
import type { Tx } from './connection.ts';
import { releaseHold } from './cut-off.ts';
import type { Release } from './cut-off.ts';
import { lockCustomer } from './customer-lock.ts';
import { readHoldState } from './hold-state.ts';

type Refused<Code extends ErrorCode> = { readonly refused: Code };

export interface RequestedRelease {
  readonly approvalId: string;
  readonly expiresAtMs: number;
}

interface ReleaseRequest {
  readonly tenantId: string;
  readonly holdId: string;
  readonly approvalId: string;
  readonly reason: ReleaseReason;
  readonly staffId: string;
  readonly ttlSeconds: number;
}

/** Writes down that this person wants the hold lifted as it stands now. At most one request a hold waits at a time. */
export async function requestRelease(
  tx: Tx,
  request: ReleaseRequest,
): Promise<RequestedRelease | Refused<'hold_not_found' | 'hold_released' | 'approval_pending'>> {
  const { tenantId, holdId, approvalId, reason, staffId } = request;
  const [hold] = await tx<{ customerId: string }[]>`
    select customer_id from hold where tenant_id = ${tenantId} and hold_id = ${holdId}`;
  if (hold === undefined) return { refused: 'hold_not_found' };
  const { customerId } = hold;
  await lockCustomer(tx, tenantId, customerId);
  const state = await readHoldState(tx, tenantId, holdId);
  if (state?.status !== 'active') return { refused: 'hold_released' };
  await retireStale(tx, { tenantId, holdId, stateHash: state.hash });
  const [row] = await tx<{ expiresAt: Date }[]>`
    with t as materialized (select latchkey_now() as now)
    insert into approval (tenant_id, approval_id, hold_id, customer_id, reason, status, state_hash, prepared_by, prepared_employee,
      prepared_at, expires_at)
    select ${tenantId}, ${approvalId}, ${holdId}, ${customerId}, ${reason}, 'pending', ${state.hash}, staff.staff_id, staff.employee_id,
      t.now, t.now + make_interval(secs => ${request.ttlSeconds})
    from t, staff where staff.tenant_id = ${tenantId} and staff.staff_id = ${staffId}
    on conflict (tenant_id, hold_id) where status = 'pending' do nothing
    returning expires_at`;
  if (row === undefined) return { refused: 'approval_pending' };
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action: 'staff.release_requested',
    subject: { kind: 'approval', id: approvalId },
    customerId,
    detail: { holdId, reason },
  });
  return { approvalId, expiresAtMs: row.expiresAt.getTime() };
}

/** Requests that nobody can approve any more make room for a new one. Under the customer's lock. */
async function retireStale(
  tx: Tx,
  { tenantId, holdId, stateHash }: { tenantId: string; holdId: string; stateHash: Uint8Array },
): Promise<void> {
  await tx`
    with t as materialized (select latchkey_now() as now)
    update approval set status = case when expires_at <= t.now then 'expired' else 'void' end, decided_at = t.now
    from t
    where tenant_id = ${tenantId} and hold_id = ${holdId} and status = 'pending'
      and (expires_at <= t.now or state_hash <> ${stateHash}
        or not exists (select from staff where staff.tenant_id = approval.tenant_id and staff.staff_id = approval.prepared_by
          and staff.roles && array['agent', 'supervisor']))`;
}

interface Decision {
  readonly tenantId: string;
  readonly approvalId: string;
  /** Of whoever decides. */
  readonly staffId: string;
}

interface ApprovalRow {
  readonly customerId: string;
  readonly holdId: string;
  readonly status: ApprovalStatus;
  readonly reason: ReleaseReason;
  readonly stateHash: Uint8Array;
  readonly preparedBy: string;
  readonly preparedEmployee: string;
  readonly expiresAt: Date;
}

/**
 * Lifts the hold, when another person asked for it and nothing has changed since. Of two approvers at once one is told
 * `approval_decided`; a cut-off that came between makes the request void.
 */
export async function approveRelease(
  tx: Tx,
  decision: Decision,
): Promise<Release | Refused<ApprovalRefusal | 'approval_not_found'>> {
  const { tenantId, approvalId, staffId } = decision;
  const [found] = await tx<{ customerId: string }[]>`
    select customer_id from approval where tenant_id = ${tenantId} and approval_id = ${approvalId}`;
  if (found === undefined) return { refused: 'approval_not_found' };
  await lockCustomer(tx, tenantId, found.customerId);
  const approval = await lockApproval(tx, decision);
  if (approval === undefined) return { refused: 'approval_not_found' };
  const judgement = await judge(tx, decision, approval);
  if (!judgement.may) {
    const { refused, becomes } = judgement;
    if (becomes !== undefined) await retire(tx, decision, becomes);
    await record(tx, decision, approval, { action: 'staff.release_refused', code: refused });
    return { refused };
  }
  await decide(tx, decision, 'approved');
  const { customerId, reason } = approval;
  const actor = { kind: 'staff', id: staffId } as const;
  const release = await releaseHold(tx, { tenantId, customerId, reason, actor });
  if (release?.holdId !== approval.holdId)
    throw new TypeError('the hold was active under its lock');
  await record(tx, decision, approval, { action: 'staff.release_approved' });
  return release;
}

/** Says no. The hold stays; anybody who may ask for a release may ask anew. */
export async function declineRelease(
  tx: Tx,
  decision: Decision,
): Promise<
  | { readonly holdId: string }
  | Refused<'approval_not_found' | 'approval_decided' | 'approval_expired' | 'approval_void'>
> {
  const approval = await lockApproval(tx, decision);
  if (approval === undefined) return { refused: 'approval_not_found' };
  if (approval.status === 'void') return { refused: 'approval_void' };
  if (approval.status === 'expired') return { refused: 'approval_expired' };
  if (approval.status !== 'pending') return { refused: 'approval_decided' };
  if ((await databaseNowMs(tx)) >= approval.expiresAt.getTime()) {
    await retire(tx, decision, 'expired');
    return { refused: 'approval_expired' };
  }
  await decide(tx, decision, 'declined');
  await record(tx, decision, approval, { action: 'staff.release_declined' });
  return { holdId: approval.holdId };
}

async function lockApproval(
  tx: Tx,
  { tenantId, approvalId }: Decision,
): Promise<ApprovalRow | undefined> {
  const [row] = await tx<ApprovalRow[]>`
    select customer_id, hold_id, status, reason, state_hash, prepared_by, prepared_employee, expires_at from approval
    where tenant_id = ${tenantId} and approval_id = ${approvalId} for update`;
  return row;
}

async function judge(tx: Tx, { tenantId, staffId }: Decision, approval: ApprovalRow) {
  const { preparedBy, preparedEmployee } = approval;
  // Shared until the commit: a role taken away meanwhile either comes first and counts, or waits. An employee id that was put right since counts as well.
  const [persons] = await tx<
    { deciderRoles: string[]; preparerRoles: string[]; isSamePerson: boolean }[]
  >`
    select d.roles as decider_roles, p.roles as preparer_roles,
      latchkey_same_person(d.employee_id, ${preparedEmployee}) or latchkey_same_person(d.employee_id, p.employee_id) as is_same_person
    from staff d, staff p
    where d.tenant_id = ${tenantId} and d.staff_id = ${staffId} and p.tenant_id = ${tenantId} and p.staff_id = ${preparedBy}
    for share`;
  const state = await readHoldState(tx, tenantId, approval.holdId);
  return judgeApproval({
    status: approval.status,
    expiresAtMs: approval.expiresAt.getTime(),
    nowMs: await databaseNowMs(tx),
    isSamePerson: persons?.isSamePerson !== false,
    deciderRoles: persons?.deciderRoles ?? [],
    preparerRoles: persons?.preparerRoles ?? [],
    isHoldActive: state?.status === 'active',
    isUnchanged: state !== undefined && Buffer.compare(state.hash, approval.stateHash) === 0,
  });
}

/** Compare-and-set; the row is locked, so losing is a defect. The employee id is the staff row's, and CHECK compares it. */
async function decide(
  tx: Tx,
  { tenantId, approvalId, staffId }: Decision,
  status: 'approved' | 'declined',
): Promise<void> {
  const { count } = await tx`
    update approval set status = ${status}, decided_by = staff.staff_id, decided_employee = staff.employee_id, decided_at = latchkey_now()
    from staff
    where approval.tenant_id = ${tenantId} and approval_id = ${approvalId} and approval.status = 'pending'
      and staff.tenant_id = ${tenantId} and staff.staff_id = ${staffId}`;
  if (count !== 1) throw new TypeError('an approval decided is pending under its lock');
}

async function retire(
  tx: Tx,
  { tenantId, approvalId }: Decision,
  status: 'expired' | 'void',
): Promise<void> {
  await tx`
    update approval set status = ${status}, decided_at = latchkey_now()
    where tenant_id = ${tenantId} and approval_id = ${approvalId} and status = 'pending'`;
}

async function record(
  tx: Tx,
  { tenantId, approvalId, staffId }: Decision,
  { customerId, holdId, preparedBy }: ApprovalRow,
  { action, code }: { readonly action: string; readonly code?: ErrorCode },
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'staff', id: staffId },
    action,
    subject: { kind: 'approval', id: approvalId },
    customerId,
    detail: { holdId, preparedBy, ...(code === undefined ? {} : { code }) },
  });
}
