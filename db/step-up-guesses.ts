/**
 * Wrong codes of one customer, over all his step-ups together. Each code has its own few guesses; without this whoever can ask for another code, by
 * another login or for another payment, would guess for ever. It decays by itself, and never ends a step-up.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';
import type { StepUpRecord } from './step-up.ts';

/** As many as this number of codes takes, within the time for which refusals pause too. */
const CODES_WORTH = 2;

/**
 * Called before a guess is judged; guesses for one customer queue here until the transaction ends, so that none overtakes the count.
 * @throws LatchkeyError too_many_requests, also for the right code: nothing was looked at.
 */
export async function refuseManyGuesses(
  tx: Tx,
  { tenantId, customerId, policy }: Pick<StepUpRecord, 'tenantId' | 'customerId' | 'policy'>,
): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`step_up_guess/${tenantId}/${customerId}`}, 0))`;
  const most = policy.otp.maxWrong * CODES_WORTH;
  const { pauseSeconds } = policy.stepUp;
  const [row] = await tx<{ wrong: number; waitSeconds: number | null }[]>`
    with t as materialized (select latchkey_now() as now),
    recent as materialized (
      select c.ceremony_id from ceremony c, t
      where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up'
        -- One lives some minutes: twice the time finds all whose codes can count.
        and c.created_at > t.now - 2 * make_interval(secs => ${pauseSeconds}))
    select coalesce(sum(a.wrong_count), 0)::integer as wrong,
      ceil(extract(epoch from min(a.created_at) + make_interval(secs => ${pauseSeconds}) - max(t.now)))::integer as wait_seconds
    from recent r join step_attempt a on a.tenant_id = ${tenantId} and a.ceremony_id = r.ceremony_id and a.step = 'step_up', t
    where a.wrong_count > 0 and a.created_at > t.now - make_interval(secs => ${pauseSeconds})`;
  if (row === undefined || row.wrong < most) return;
  const retryAfterSeconds = Math.max(1, row.waitSeconds ?? 1);
  throw new LatchkeyError('too_many_requests', { retryAfterSeconds, extra: { retryAfterSeconds } });
}
