/**
 * The queue of staff: open cases of recovery in the order in which somebody should look. What was brought before a supervisor comes first, the
 * longest waiting before the others; then what is to be reviewed, the soonest due first; then what waits for the customer. That order is an index
 * (039.do.recovery-queue.sql). It reads only.
 */
import type { Risk } from '../domain/ports.ts';
import type { RecoveryReport, RecoveryState } from '../domain/recovery.ts';
import type { Tx } from './connection.ts';

export interface QueuedRecovery {
  readonly recoveryId: string;
  readonly customerId: string;
  readonly state: RecoveryState;
  readonly report: RecoveryReport;
  readonly risk: Risk;
  readonly openedByKind: 'customer' | 'staff';
  readonly peopleRequired: number;
  /** Different people who approved it as it stands. */
  readonly approvals: number;
  readonly claimedBy: string | null;
  readonly claimedByName: string | null;
  readonly createdAtMs: number;
  readonly reviewDueAtMs: number | null;
  readonly escalatedAtMs: number | null;
  readonly heldAtMs: number | null;
  readonly stepDeadlineMs: number | null;
  /** Its review should have begun by now, or it was brought before a supervisor. */
  readonly isOverdue: boolean;
  /** Where it stands in the order: rank, microseconds, id. */
  readonly place: string;
}

export interface QueueQuery {
  readonly tenantId: string;
  /** Left out: every open one. */
  readonly state?: RecoveryState | undefined;
  readonly claimedBy?: string | undefined;
  readonly onlyOverdue?: boolean;
  /** Approved by somebody, and waiting for somebody else. */
  readonly onlySecondPerson?: boolean;
  readonly customerId?: string | undefined;
  /** The `place` of the last one of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export const QUEUE_PLACE = /^[0-2]\.[0-9]{1,17}\.cer_[0-9a-f]{32}$/;

type Times = 'createdAt' | 'reviewDueAt' | 'escalatedAt' | 'heldAt' | 'stepDeadline';
type QueueRow = Omit<
  QueuedRecovery,
  'createdAtMs' | 'reviewDueAtMs' | 'escalatedAtMs' | 'heldAtMs' | 'stepDeadlineMs'
> & { readonly [T in Times]: Date | null };

export async function queueOfRecoveries(
  tx: Tx,
  query: QueueQuery,
): Promise<readonly QueuedRecovery[]> {
  const { tenantId, state, claimedBy, customerId, limit } = query;
  const after = query.after === undefined ? undefined : placeOf(query.after);
  // Asked of a page alone, but where it is what is looked for.
  const approvals = tx`(
    select count(distinct lower(d.employee))::integer from recovery_decision d
    where d.tenant_id = ${tenantId} and d.recovery_id = q.recovery_id and d.kind = 'approve' and d.voided_at is null
      and d.revision = q.revision)`;
  const rows = await tx<QueueRow[]>`
    with t as materialized (select latchkey_now() as now),
    page as (
      select q.*, c.state, c.created_at, c.step_deadline, q.escalated_at is not null or coalesce(q.review_due_at <= t.now, false) as is_overdue
      from t, recovery q join ceremony c on c.tenant_id = q.tenant_id and c.ceremony_id = q.recovery_id
      where q.tenant_id = ${tenantId} and q.record_until is null and q.record_swept_at is null and c.outcome is null and c.state <> 'starting'
        ${state === undefined ? tx`` : tx`and c.state = ${state}`}
        ${claimedBy === undefined ? tx`` : tx`and q.claimed_by = ${claimedBy}`}
        ${customerId === undefined ? tx`` : tx`and c.customer_id = ${customerId}`}
        ${query.onlyOverdue === true ? tx`and (q.queue_rank = 0 or q.review_due_at <= t.now)` : tx``}
        ${query.onlySecondPerson === true ? tx`and c.state = 'review' and q.people_required > 1 and ${approvals} between 1 and q.people_required - 1` : tx``}
        ${after === undefined ? tx`` : tx`and (q.queue_rank, q.queue_since, q.recovery_id) > (${after.rank}::integer, timestamptz 'epoch' + ${after.since}::bigint * interval '1 microsecond', ${after.recoveryId})`}
      order by q.queue_rank, q.queue_since, q.recovery_id limit ${limit}
    )
    select q.recovery_id, q.customer_id, q.state, q.report, q.risk, q.opened_by_kind, q.people_required, ${approvals} as approvals,
      q.claimed_by, s.name as claimed_by_name, q.created_at, q.review_due_at, q.escalated_at, q.held_at, q.step_deadline, q.is_overdue,
      q.queue_rank || '.' || (extract(epoch from q.queue_since) * 1000000)::bigint || '.' || q.recovery_id as place
    from page q left join staff s on s.tenant_id = ${tenantId} and s.staff_id = q.claimed_by
    order by q.queue_rank, q.queue_since, q.recovery_id`;
  return rows.map(toQueued);
}

function placeOf(place: string) {
  const [rank = '', since = '', recoveryId = ''] = place.split('.');
  return { rank: Number(rank), since, recoveryId };
}

const ms = (date: Date | null): number | null => date?.getTime() ?? null;

function toQueued(row: QueueRow): QueuedRecovery {
  const { createdAt, reviewDueAt, escalatedAt, heldAt, stepDeadline, ...facts } = row;
  return {
    ...facts,
    createdAtMs: ms(createdAt) ?? 0,
    reviewDueAtMs: ms(reviewDueAt),
    escalatedAtMs: ms(escalatedAt),
    heldAtMs: ms(heldAt),
    stepDeadlineMs: ms(stepDeadline),
  };
}
