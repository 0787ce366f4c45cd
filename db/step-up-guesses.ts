/**
 * Wrong codes of one customer, over all his step-ups. Each code has its own few guesses; without this whoever can ask for another code, by another
 * login or for another payment, would guess for ever. They count by the key that guesses, so that a thief with the passkey takes nothing from the
 * owner's phones; keys that belong to no trusted phone, which a thief makes as he likes, have one count together too. It decays by itself, and
 * never ends a step-up. The arithmetic: docs/limits.md.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { Tx } from './connection.ts';
import type { StepUpRecord } from './step-up.ts';

/** Of one key: as many as this number of codes takes, within the time for which refusals pause too. */
const CODES_WORTH = 2;

type Guessed = Pick<StepUpRecord, 'tenantId' | 'customerId' | 'stepUpId' | 'policy'>;

/**
 * Called before a guess is judged; guesses for one customer queue here until the transaction ends, so that none overtakes the count.
 * @throws LatchkeyError too_many_requests, also for the right code: nothing was looked at.
 */
export async function refuseManyGuesses(tx: Tx, guessed: Guessed): Promise<void> {
  const { tenantId, customerId, policy } = guessed;
  await tx`select pg_advisory_xact_lock(hashtextextended(${`step_up_guess/${tenantId}/${customerId}`}, 0))`;
  const { own, unknown } = await countWrong(tx, guessed);
  const waits = [
    own.wrong >= policy.otp.maxWrong * CODES_WORTH ? own.waitSeconds : 0,
    unknown.wrong >= policy.stepUp.wrongOfUnknownKeys ? unknown.waitSeconds : 0,
  ];
  const retryAfterSeconds = Math.max(...waits);
  if (retryAfterSeconds > 0)
    throw new LatchkeyError('too_many_requests', {
      retryAfterSeconds,
      extra: { retryAfterSeconds },
    });
}

interface Wrong {
  readonly wrong: number;
  /** Until the oldest of them counts no more. */
  readonly waitSeconds: number;
}

/** `own`: of this step-up's key · `unknown`: of all keys of no trusted device, none when this one's is. */
async function countWrong(
  tx: Tx,
  { tenantId, customerId, stepUpId, policy }: Guessed,
): Promise<{ readonly own: Wrong; readonly unknown: Wrong }> {
  const { pauseSeconds, wrongOfUnknownKeysSeconds } = policy.stepUp;
  const longestSeconds = Math.max(pauseSeconds, wrongOfUnknownKeysSeconds);
  const [row] = await tx<
    { own: number; ownWait: number | null; unknown: number; unknownWait: number | null }[]
  >`
    with t as materialized (select latchkey_now() as now),
    recent as materialized (
      -- A login has its key; what else is asked for, the phone that showed its keys before the code was sent.
      select c.ceremony_id, coalesce(c.jkt, d.session_jkt) as jkt
      from ceremony c join step_up s on s.tenant_id = c.tenant_id and s.step_up_id = c.ceremony_id
        left join device d on d.tenant_id = s.tenant_id and d.device_id = s.approved_device_id, t
      where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up'
        -- One lives an hour at most: twice the time finds all whose codes can count.
        and c.created_at > t.now - 2 * make_interval(secs => ${longestSeconds})),
    keyed as materialized (
      select r.ceremony_id, r.jkt, exists (
        select 1 from device k
        where k.tenant_id = ${tenantId} and k.customer_id = ${customerId} and k.session_jkt = r.jkt and k.status = 'trusted') as is_known
      from recent r),
    counted as materialized (
      select a.wrong_count, extract(epoch from t.now - a.created_at) as age, k.jkt = mine.jkt as is_own,
        not (k.is_known or mine.is_known) as is_unknown
      from keyed k join step_attempt a on a.tenant_id = ${tenantId} and a.ceremony_id = k.ceremony_id and a.step = 'step_up'
        cross join keyed mine cross join t
      where mine.ceremony_id = ${stepUpId} and a.wrong_count > 0)
    select coalesce(sum(wrong_count) filter (where is_own and age < ${pauseSeconds}), 0)::integer as own,
      ceil(${pauseSeconds} - max(age) filter (where is_own and age < ${pauseSeconds}))::integer as own_wait,
      coalesce(sum(wrong_count) filter (where is_unknown and age < ${wrongOfUnknownKeysSeconds}), 0)::integer as unknown,
      ceil(${wrongOfUnknownKeysSeconds} - max(age) filter (where is_unknown and age < ${wrongOfUnknownKeysSeconds}))::integer as unknown_wait
    from counted`;
  return {
    own: { wrong: row?.own ?? 0, waitSeconds: Math.max(1, row?.ownWait ?? 1) },
    unknown: { wrong: row?.unknown ?? 0, waitSeconds: Math.max(1, row?.unknownWait ?? 1) },
  };
}
