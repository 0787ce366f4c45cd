/** The audit trail as an auditor searches it: by customer, case, person, kind and time, the youngest first. It reads only, and never without a limit. */
import type { Tx } from './connection.ts';
import type { TimelineEntry } from './timeline.ts';

export interface AuditSearch {
  readonly tenantId: string;
  readonly customerId?: string | undefined;
  readonly ceremonyId?: string | undefined;
  /** Who did it. */
  readonly staffId?: string | undefined;
  /** One action, as `staff.customer_viewed`. */
  readonly action?: string | undefined;
  readonly fromMs?: number | undefined;
  /** Not including that moment itself. */
  readonly toMs?: number | undefined;
  /** Only what stands before this position. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export async function searchAudit(tx: Tx, search: AuditSearch): Promise<readonly TimelineEntry[]> {
  const { tenantId, customerId, ceremonyId, staffId, action, fromMs, toMs, before, limit } = search;
  const rows = await tx<(Omit<TimelineEntry, 'atMs'> & { readonly at: Date })[]>`
    select position, at, action, actor_kind, actor_id, subject_kind, subject_id, customer_id, ceremony_id, detail
    from audit
    where tenant_id = ${tenantId}
      ${customerId === undefined ? tx`` : tx`and customer_id = ${customerId}`}
      ${ceremonyId === undefined ? tx`` : tx`and ceremony_id = ${ceremonyId}`}
      ${staffId === undefined ? tx`` : tx`and actor_kind = 'staff' and actor_id = ${staffId}`}
      ${action === undefined ? tx`` : tx`and action = ${action}`}
      ${fromMs === undefined ? tx`` : tx`and at >= ${new Date(fromMs)}`}
      ${toMs === undefined ? tx`` : tx`and at < ${new Date(toMs)}`}
      ${before === undefined ? tx`` : tx`and position < ${before}`}
    order by position desc limit ${limit}`;
  return rows.map(({ at, ...row }) => ({ ...row, atMs: at.getTime() }));
}
