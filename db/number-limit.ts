/**
 * How often a number may be used to start something that writes to it, whoever asks and whether or not it is known: so many at once, then one an
 * interval. It decays by itself and locks nobody out for longer than one interval after the last start.
 */
import type { Tx } from './connection.ts';

interface NumberLimit {
  readonly tenantId: string;
  /** HMAC of the number, never the number. */
  readonly numberIndex: Uint8Array;
  /** How many at once. */
  readonly starts: number;
  readonly intervalSeconds: number;
}

/** Counts one start. Answers how many seconds too early it is; 0 when it may go on. Concurrent starts wait for each other. */
export async function takeStart(tx: Tx, limit: NumberLimit): Promise<number> {
  const { tenantId, numberIndex, starts, intervalSeconds } = limit;
  // Generic cell rate algorithm: each start moves the instant one interval on, and it may not lie more than `starts` of them ahead.
  const taken = await tx`
    insert into number_limit as n (tenant_id, number_index, free_at)
    select ${tenantId}, ${numberIndex}, t.now + make_interval(secs => ${intervalSeconds})
    from (select latchkey_now() as now offset 0) t
    on conflict (tenant_id, number_index) do update
      set free_at = greatest(n.free_at + make_interval(secs => ${intervalSeconds}), excluded.free_at)
      where n.free_at <= excluded.free_at + make_interval(secs => ${intervalSeconds * (starts - 2)})`;
  if (taken.count === 1) return 0;
  const [row] = await tx<{ waitSeconds: number }[]>`
    select ceil(extract(epoch from free_at - latchkey_now()))::integer - ${intervalSeconds * (starts - 1)}::integer as wait_seconds
    from number_limit where tenant_id = ${tenantId} and number_index = ${numberIndex}`;
  return Math.max(row?.waitSeconds ?? 0, 1);
}

/** Forgets the numbers that nobody used lately. Answers how many rows went. */
export async function sweepNumberLimits(tx: Tx, limit: number): Promise<number> {
  const { count } = await tx`
    delete from number_limit where (tenant_id, number_index) in (
      select tenant_id, number_index from number_limit
      where tenant_id = latchkey_tenant() and free_at < latchkey_now() limit ${limit} for update skip locked)
    and free_at < latchkey_now()`;
  return count;
}
