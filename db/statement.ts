/**
 * One statement as a transaction of its own: a single round trip, which the hot path cannot do without. Its tenant is bound inside it, by a
 * WITH query that every other part waits for. It must never be given work that is wrong to do twice: one that was given up on may still happen.
 */
import type postgres from 'postgres';
import type { CommittedFact } from './committed-facts.ts';
import type { Pool, Sql } from './connection.ts';

export interface Statement<Row extends object> {
  readonly tenantId: string;
  readonly build: (parts: StatementParts) => postgres.PendingQuery<Row[]>;
  /** What its rows mean to whoever counts; told when they are there, which is after the commit. */
  readonly tell?: (rows: readonly Row[]) => readonly CommittedFact[];
}

export interface StatementParts {
  readonly sql: Sql;
  /** The first of its WITH queries, called `bound`. */
  readonly bound: postgres.Fragment;
  /**
   * Stands in the WHERE of every part that touches a table. It names no column, so PostgreSQL asks it once and before that part reads its
   * first row (a one-time filter), which is when row-level security looks for the tenant. A part without it may see nothing.
   */
  readonly isBound: postgres.Fragment;
}

export function statementParts(
  sql: Pool,
  tenantId: string,
  nowMs: number | undefined,
): StatementParts {
  const tenant = sql`set_config('latchkey.tenant', ${tenantId}, true) as tenant_id`;
  const clock =
    nowMs === undefined
      ? sql``
      : sql`, set_config('latchkey.now', ${new Date(nowMs).toISOString()}, true) as set_now`;
  return {
    sql,
    bound: sql`bound as materialized (select ${tenant}${clock})`,
    isBound: sql`(select tenant_id from bound) is not null`,
  };
}
