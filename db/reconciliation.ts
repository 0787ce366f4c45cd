/**
 * What the reconciler needs of PostgreSQL, the same for each kind of workflow: rows whose workflow should still be there, a numbered
 * successor when it is gone, and the note that it has closed. The table is chosen here, by kind; nothing else differs.
 */
import type { WorkflowKind } from '../domain/ids.ts';
import type { Tx } from './connection.ts';

/** A row whose workflow has not been seen to close. */
export interface TrackedRow {
  readonly id: string;
  readonly healCount: number;
  readonly isEnded: boolean;
  readonly customerId: string;
  /** When a session has to be looked at; null for kinds that start at once. */
  readonly dueAtMs: number | null;
}

export interface TrackedQuery {
  readonly tenantId: string;
  readonly kind: WorkflowKind;
  /** Only rows as old as this: a younger one's start may still be under way. */
  readonly settledMs: number;
  readonly isEnded: boolean;
  readonly afterId: string;
  readonly limit: number;
}

/** In order of their ids. A ceremony that is still `starting` is its caller's to start, and the sweeper's to retire; but for a recovery. */
export async function listTracked(tx: Tx, query: TrackedQuery): Promise<TrackedRow[]> {
  const { tenantId, isEnded, afterId, limit } = query;
  const { source, age, ended, only, due, id } = columnsOf(tx, query.kind);
  const rows = await tx<(Omit<TrackedRow, 'dueAtMs'> & { dueAt: Date | null })[]>`
    select ${id} as id, heal_count, ${isEnded}::boolean as is_ended, customer_id, ${due} as due_at
    from ${source}
    where tenant_id = ${tenantId} and workflow_closed_at is null and ${only} and (${ended}) = ${isEnded}
      and ${age} <= latchkey_now() - ${query.settledMs} * interval '1 millisecond' and ${id} > ${afterId}
    order by ${id} limit ${limit}`;
  return rows.map(({ dueAt, ...row }) => ({ ...row, dueAtMs: dueAt?.getTime() ?? null }));
}

export interface TrackedKey {
  readonly tenantId: string;
  readonly kind: WorkflowKind;
  readonly id: string;
}

/** Which successor of the workflow stands for the row now; undefined: there is no such row. */
export async function trackedState(
  tx: Tx,
  { tenantId, kind, id }: TrackedKey,
): Promise<{ readonly healCount: number; readonly customerId: string } | undefined> {
  const columns = columnsOf(tx, kind);
  const [row] = await tx<{ healCount: number; customerId: string }[]>`
    select heal_count, customer_id from ${columns.source}
    where tenant_id = ${tenantId} and ${columns.id} = ${id} and ${columns.only}`;
  return row;
}

/** Counts one more successor, if nobody else did and the row is still open; answers whether it did. */
export async function countHeal(
  tx: Tx,
  { tenantId, kind, id, healCount }: TrackedKey & { readonly healCount: number },
): Promise<boolean> {
  const { source, ended, only, id: idColumn } = columnsOf(tx, kind);
  const { count } = await tx`
    update ${source} set heal_count = heal_count + 1
    where tenant_id = ${tenantId} and ${idColumn} = ${id} and ${only} and heal_count = ${healCount}
      and workflow_closed_at is null and not (${ended})`;
  return count === 1;
}

/** Of an ended row whose workflow is closed or gone. */
export async function markWorkflowClosed(
  tx: Tx,
  { tenantId, kind, id }: TrackedKey,
): Promise<boolean> {
  const { source, ended, only, id: idColumn } = columnsOf(tx, kind);
  const { count } = await tx`
    update ${source} set workflow_closed_at = latchkey_now()
    where tenant_id = ${tenantId} and ${idColumn} = ${id} and ${only} and workflow_closed_at is null and (${ended})`;
  return count === 1;
}

function columnsOf(tx: Tx, kind: WorkflowKind) {
  switch (kind) {
    case 'session':
      return {
        source: tx`session`,
        id: tx`session_id`,
        age: tx`coalesce(ended_at, started_at)`,
        ended: tx`status = 'ended'`,
        only: tx`true`,
        due: tx`least(idle_deadline, absolute_deadline)`,
      };
    case 'enrollment':
      return {
        source: tx`ceremony`,
        id: tx`ceremony_id`,
        age: tx`coalesce(ended_at, created_at)`,
        ended: tx`outcome is not null`,
        only: tx`kind = 'enrollment' and state <> 'starting'`,
        due: tx`null::timestamptz`,
      };
    case 'step_up':
      return {
        source: tx`ceremony`,
        id: tx`ceremony_id`,
        age: tx`coalesce(ended_at, created_at)`,
        ended: tx`outcome is not null`,
        only: tx`kind = 'step_up' and state <> 'starting'`,
        due: tx`null::timestamptz`,
      };
    case 'recovery':
      return {
        source: tx`ceremony`,
        id: tx`ceremony_id`,
        age: tx`coalesce(ended_at, created_at)`,
        ended: tx`outcome is not null`,
        // Nobody waits for its start: the row was committed with it, and stands without Temporal.
        only: tx`kind = 'recovery'`,
        due: tx`null::timestamptz`,
      };
    case 'revocation':
      return {
        source: tx`revocation`,
        id: tx`revocation_id`,
        age: tx`effective_at`,
        // Its workflow marks the row closed itself, as its last step.
        ended: tx`false`,
        only: tx`true`,
        due: tx`null::timestamptz`,
      };
  }
}
