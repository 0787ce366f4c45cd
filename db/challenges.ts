/** Spent challenges: a challenge is used by inserting its hash in the transaction that grants, so that it grants once or not at all. */
import { LatchkeyError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';

/** Far beyond the longest life of a challenge, whatever the clocks say. */
const KEPT_AFTER_EXPIRY = '1 day';

/**
 * false: it was spent before (a concurrent spender is waited for). Expiry is judged by the database's clock.
 * @throws LatchkeyError challenge_invalid once it has expired.
 */
export async function spendChallenge(
  tx: Tx,
  hash: Uint8Array,
  expiresAtMs: number,
): Promise<boolean> {
  const [row] = await tx<{ isSpentNow: boolean; isExpired: boolean }[]>`
    with t as materialized (select latchkey_now() as now),
    spent as (
      insert into spent_challenge (tenant_id, challenge_hash, expires_at)
      select latchkey_tenant(), ${hash}, ${new Date(expiresAtMs)} from t where t.now < ${new Date(expiresAtMs)}
      on conflict do nothing
      returning 1)
    select exists (select from spent) as is_spent_now, t.now >= ${new Date(expiresAtMs)} as is_expired from t`;
  if (row === undefined || row.isExpired) throw new LatchkeyError('challenge_invalid');
  return row.isSpentNow;
}

/** Forgets what expired long ago. Answers how many rows went. */
export async function sweepSpentChallenges(tx: Tx, limit: number): Promise<number> {
  const { count } = await tx`
    delete from spent_challenge where (tenant_id, challenge_hash) in (
      select tenant_id, challenge_hash from spent_challenge
      where tenant_id = latchkey_tenant() and expires_at < latchkey_now() - ${KEPT_AFTER_EXPIRY}::interval
      limit ${limit})`;
  return count;
}
