/**
 * What a customer was asked for on one day in one currency: one row, raised in the transaction that asks and lowered in the one that ends
 * without use. Requests in parallel queue on it, so that none judges by a total which another has raised already.
 */
import type { Tx } from './connection.ts';

export interface SpendKey {
  readonly tenantId: string;
  readonly customerId: string;
  readonly currency: string;
}

/** Answers the day (UTC) and its total with this one. The row stays locked until the transaction ends; it is the last lock that is taken. */
export async function addSpend(
  tx: Tx,
  { tenantId, customerId, currency, minor }: SpendKey & { readonly minor: bigint },
): Promise<{ readonly day: string; readonly totalMinor: bigint }> {
  const [row] = await tx<{ day: string; totalMinor: string }[]>`
    insert into step_up_spend as s (tenant_id, customer_id, currency, day, total_minor)
    values (${tenantId}, ${customerId}, ${currency}, (latchkey_now() at time zone 'UTC')::date, ${minor.toString()})
    on conflict (tenant_id, customer_id, currency, day) do update set total_minor = s.total_minor + excluded.total_minor
    returning s.day::text as day, s.total_minor`;
  if (row === undefined) throw new TypeError('an upsert answers its row');
  return { day: row.day, totalMinor: BigInt(row.totalMinor) };
}

/** Called once, by the move that ends a step-up without use. */
export async function giveBackSpend(
  tx: Tx,
  {
    tenantId,
    customerId,
    currency,
    day,
    minor,
  }: SpendKey & { readonly day: string; readonly minor: bigint },
): Promise<void> {
  await tx`
    update step_up_spend set total_minor = total_minor - ${minor.toString()}
    where tenant_id = ${tenantId} and customer_id = ${customerId} and currency = ${currency} and day = ${day}::date`;
}

/** No step-up lives so long that it could still give something back to such a day. */
const KEPT_DAYS = 7;

/** Forgets totals of days that can count no more. Answers how many rows went. */
export async function sweepSpends(tx: Tx, limit: number): Promise<number> {
  const { count } = await tx`
    delete from step_up_spend where ctid in (
      select ctid from step_up_spend
      where tenant_id = latchkey_tenant() and day < (latchkey_now() at time zone 'UTC')::date - ${KEPT_DAYS}::integer
      limit ${limit})`;
  return count;
}
