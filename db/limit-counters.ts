/**
 * Counters that all replicas share: points within a window that begins with the first of them and is forgotten when it ends. Keys arrive as
 * HMACs; nothing here says who was counted.
 */
import type { Database, Tx } from './connection.ts';

export interface Count {
  readonly key: string;
  /** 0 only looks, and leaves no row behind. */
  readonly points: number;
  /** When the window ends, should this begin it; Unix time in milliseconds. */
  readonly expireMs: number;
}

export interface Counted {
  readonly key: string;
  readonly points: number;
  readonly expireMs: number;
}

/** Each key at most once, in one round trip. What was looked for and is not there is missing from the answer. */
export async function count(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  counts: readonly Count[],
  nowMs: number,
): Promise<readonly Counted[]> {
  // In one order, so that two batches with the same keys wait for each other instead of for ever.
  const asked = counts
    .map((entry) => ({ ...entry }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
  return await database.statement<Counted>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<Counted[]>`
      with ${bound}, asked as materialized (
        select * from jsonb_to_recordset(${sql.json(asked)}) as a(key text, points integer, "expireMs" bigint)
      ), added as (
        insert into limit_counter as l (key, points, expire)
        select key, points, "expireMs" from asked where points > 0 and ${isBound}
        on conflict (key) do update set
          points = case when l.expire <= ${nowMs} then excluded.points else l.points + excluded.points end,
          expire = case when l.expire <= ${nowMs} then excluded.expire else l.expire end
        returning key, points, expire
      )
      select key, points, expire as expire_ms from added
      union all
      select l.key, l.points, l.expire from limit_counter l join asked on asked.key = l.key
      where asked.points = 0 and l.expire > ${nowMs} and ${isBound}`,
  });
}

/** Forgets windows that have ended. Answers how many rows went. */
export async function sweepLimitCounters(tx: Tx, limit: number): Promise<number> {
  const { count: removed } = await tx`
    with t as materialized (select (extract(epoch from latchkey_now()) * 1000)::bigint as now_ms)
    delete from limit_counter l using t where l.expire < t.now_ms and l.key in (
      select key from limit_counter, t where tenant_id = latchkey_tenant() and expire < t.now_ms limit ${limit} for update of limit_counter skip locked)`;
  return removed;
}
