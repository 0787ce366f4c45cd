/**
 * What staff read of customers, holds and requests for approval: pages in the order of their ids, which is the order of time. Personal data is
 * opened here and masked by the caller; nothing here decides or changes anything but the searcher's own limit.
 */
import type { ApprovalStatus } from '../domain/approval.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { DeviceStatus } from '../domain/auth-strength.ts';
import type { Tx } from './connection.ts';
import { provedContacts } from './contacts.ts';
import type { ProvedContacts } from './contacts.ts';
import { proofedGivenName } from './enrollment-binding.ts';
import type { PersonalData } from './personal-data.ts';

export interface Page {
  readonly tenantId: string;
  /** Only what has a smaller id. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface HoldEntry {
  readonly holdId: string;
  readonly customerId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAtMs: number;
  readonly epoch: number;
  /** Of the request that waits for a second person. */
  readonly approvalId: string | null;
}

type HoldRow = Omit<HoldEntry, 'placedAtMs'> & { readonly placedAt: Date };

/** Active ones, the youngest first; `customerId` narrows it to one customer's. */
export async function listHolds(
  tx: Tx,
  { tenantId, before, limit, customerId }: Page & { readonly customerId?: string },
): Promise<HoldEntry[]> {
  const rows = await tx<HoldRow[]>`
    with t as materialized (select latchkey_now() as now)
    select h.hold_id, h.customer_id, h.reason, h.placed_by, h.placed_at, c.security_epoch as epoch, a.approval_id
    from t, hold h join customer c using (tenant_id, customer_id)
    left join lateral (select approval_id from approval, t
      where approval.tenant_id = h.tenant_id and approval.hold_id = h.hold_id and approval.status = 'pending'
        and approval.expires_at > t.now) a on true
    where tenant_id = ${tenantId} and h.status = 'active'
      ${before === undefined ? tx`` : tx`and h.hold_id < ${before}`}
      ${customerId === undefined ? tx`` : tx`and customer_id = ${customerId}`}
    order by h.hold_id desc limit ${limit}`;
  return rows.map(({ placedAt, ...row }) => ({ ...row, placedAtMs: placedAt.getTime() }));
}

export interface ApprovalEntry {
  readonly approvalId: string;
  readonly holdId: string;
  readonly customerId: string;
  readonly reason: string;
  /** `expired` from its time on and `void` without its hold, whether or not anybody has noted it. */
  readonly status: ApprovalStatus;
  readonly preparedBy: string;
  readonly preparedByName: string;
  readonly preparedAtMs: number;
  readonly expiresAtMs: number;
  readonly decidedBy: string | null;
  readonly decidedByName: string | null;
  readonly decidedAtMs: number | null;
}

interface ApprovalRow extends Omit<ApprovalEntry, 'preparedAtMs' | 'expiresAtMs' | 'decidedAtMs'> {
  readonly preparedAt: Date;
  readonly expiresAt: Date;
  readonly decidedAt: Date | null;
}

/** The youngest first; `approvalId` narrows it to one, `pending` to those that wait. */
export async function listApprovals(
  tx: Tx,
  query: Page & { readonly isPending?: boolean; readonly approvalId?: string },
): Promise<ApprovalEntry[]> {
  const { tenantId, before, limit, isPending = false, approvalId } = query;
  const rows = await tx<ApprovalRow[]>`
    with t as materialized (select latchkey_now() as now)
    select a.approval_id, a.hold_id, a.customer_id, a.reason,
      case when a.status <> 'pending' then a.status when a.expires_at <= t.now then 'expired'
        when h.status <> 'active' then 'void' else 'pending' end as status,
      a.prepared_by, p.name as prepared_by_name, a.prepared_at, a.expires_at,
      a.decided_by, d.name as decided_by_name, a.decided_at
    from t, approval a
    join hold h on h.tenant_id = a.tenant_id and h.hold_id = a.hold_id
    join staff p on p.tenant_id = a.tenant_id and p.staff_id = a.prepared_by
    left join staff d on d.tenant_id = a.tenant_id and d.staff_id = a.decided_by
    where a.tenant_id = ${tenantId}
      ${before === undefined ? tx`` : tx`and a.approval_id < ${before}`}
      ${isPending ? tx`and a.status = 'pending' and a.expires_at > t.now and h.status = 'active'` : tx``}
      ${approvalId === undefined ? tx`` : tx`and a.approval_id = ${approvalId}`}
    order by a.approval_id desc limit ${limit}`;
  return rows.map(({ preparedAt, expiresAt, decidedAt, ...row }) => ({
    ...row,
    preparedAtMs: preparedAt.getTime(),
    expiresAtMs: expiresAt.getTime(),
    decidedAtMs: decidedAt?.getTime() ?? null,
  }));
}

export interface DeviceEntry {
  readonly deviceId: string;
  readonly name: string;
  readonly platform: string;
  readonly status: DeviceStatus;
  readonly reportedAs: string | null;
  readonly attestationLevel: string;
}

export interface CustomerEntry {
  readonly customerId: string;
  readonly status: 'prospect' | 'active' | 'erased';
  readonly epoch: number;
  readonly liveSessions: number;
  readonly createdAtMs: number;
  /** null: not frozen. */
  readonly frozenUntilMs: number | null;
  /** In clear: whoever shows it masks it. */
  readonly givenName: string | undefined;
  readonly contacts: ProvedContacts;
  readonly devices: readonly DeviceEntry[];
  readonly hold: HoldEntry | undefined;
}

/** More than anybody has; the youngest. */
const MAX_DEVICES = 50;

export async function readCustomer(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<CustomerEntry | undefined> {
  const [row] = await tx<
    (Pick<CustomerEntry, 'customerId' | 'status' | 'epoch' | 'liveSessions'> & {
      readonly createdAt: Date;
      readonly frozenUntil: Date | null;
    })[]
  >`
    select customer_id, status, security_epoch as epoch, created_at, case when frozen_until > latchkey_now() then frozen_until end as frozen_until,
      (select count(*)::integer from session s where s.tenant_id = c.tenant_id and s.customer_id = c.customer_id
        and s.status = 'live' and s.epoch = c.security_epoch) as live_sessions
    from customer c where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  if (row === undefined) return undefined;
  const devices = await tx<DeviceEntry[]>`
    select device_id, name, platform, status, reported_as, attestation_level from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} order by device_id desc limit ${MAX_DEVICES}`;
  const [hold] = await listHolds(tx, { tenantId, customerId, limit: 1 });
  const { createdAt, frozenUntil, ...facts } = row;
  const isErased = row.status === 'erased';
  const subject = { tenantId, customerId };
  return {
    ...facts,
    createdAtMs: createdAt.getTime(),
    frozenUntilMs: frozenUntil?.getTime() ?? null,
    givenName: isErased ? undefined : await proofedGivenName(tx, personalData, subject),
    contacts: await provedContacts(tx, personalData, subject),
    devices: [...devices],
    hold,
  };
}

export async function isCustomer(tx: Tx, tenantId: string, customerId: string): Promise<boolean> {
  const rows = await tx`
    select 1 from customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  return rows.length > 0;
}

/** Whose proved number that is; the index is an HMAC, the number is nowhere in clear. */
export async function customerOfPhone(
  tx: Tx,
  { tenantId, phoneIndex }: { readonly tenantId: string; readonly phoneIndex: Uint8Array },
): Promise<string | undefined> {
  const [row] = await tx<{ customerId: string }[]>`
    select customer_id from contact
    where tenant_id = ${tenantId} and kind = 'phone' and blind_index = ${phoneIndex} and status = 'proved'`;
  return row?.customerId;
}

/**
 * Counts one search of a member of staff, found or not. Generic cell rate algorithm, as for numbers: so many at once, then one an interval.
 * @throws LatchkeyError too_many_requests
 */
export async function takeSearch(
  tx: Tx,
  search: {
    readonly tenantId: string;
    readonly staffId: string;
    readonly searchesAtOnce: number;
    readonly intervalSeconds: number;
  },
): Promise<void> {
  const { tenantId, staffId, searchesAtOnce, intervalSeconds } = search;
  const taken = await tx`
    update staff s set search_free_at = greatest(s.search_free_at, t.now) + make_interval(secs => ${intervalSeconds})
    from (select latchkey_now() as now offset 0) t
    where s.tenant_id = ${tenantId} and s.staff_id = ${staffId}
      and (s.search_free_at is null
        or s.search_free_at <= t.now + make_interval(secs => ${intervalSeconds * (searchesAtOnce - 1)}))`;
  if (taken.count !== 1)
    throw new LatchkeyError('too_many_requests', { retryAfterSeconds: intervalSeconds });
}
