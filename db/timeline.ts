/** The audit trail as it is read: rows in the order of their positions. It must never be written here. */
import type { ActorKind } from './audit.ts';
import type { Tx } from './connection.ts';

export interface TimelineEntry {
  readonly position: number;
  readonly atMs: number;
  readonly action: string;
  readonly actorKind: ActorKind;
  readonly actorId: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly customerId: string | null;
  readonly ceremonyId: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface TimelineQuery {
  readonly tenantId: string;
  /** Only rows after this position. */
  readonly after: number;
  readonly limit: number;
  readonly customerId?: string | undefined;
  readonly ceremonyId?: string | undefined;
}

/**
 * Positions are given out before their transaction commits, so a row may appear below one that was already read: the last `overlap`
 * seconds are the reader's to ask for again, and to recognise by position.
 */
export async function readTimeline(
  tx: Tx,
  query: TimelineQuery,
): Promise<readonly TimelineEntry[]> {
  const { tenantId, after, limit, customerId, ceremonyId } = query;
  const rows = await tx<(Omit<TimelineEntry, 'atMs'> & { at: Date })[]>`
    select position, at, action, actor_kind, actor_id, subject_kind, subject_id, customer_id, ceremony_id, detail
    from audit
    where tenant_id = ${tenantId} and position > ${after}
      ${customerId === undefined ? tx`` : tx`and customer_id = ${customerId}`}
      ${ceremonyId === undefined ? tx`` : tx`and ceremony_id = ${ceremonyId}`}
    order by position limit ${limit}`;
  return rows.map(({ at, ...row }) => ({ ...row, atMs: at.getTime() }));
}
