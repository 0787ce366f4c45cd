/**
 * When a requester must leave a customer alone for a while: refused twice, or rung again and again without an answer. Counted by requester and
 * customer from the ceremonies themselves, so that nobody's pause stops another, and each ends by itself.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { Policy } from '../domain/policy.ts';
import type { StepUpRequester } from '../domain/step-up.ts';
import type { Tx } from './connection.ts';
import { nameOf } from './step-up-requester.ts';

interface Asking {
  readonly tenantId: string;
  readonly customerId: string;
  readonly requester: StepUpRequester;
  readonly policy: Policy;
}

/** Called in the queue of the customer's requests. @throws LatchkeyError step_ups_paused, too_many_requests */
export async function refusePaused(tx: Tx, asking: Asking): Promise<void> {
  await refuseRefused(tx, asking);
  await refuseUnanswered(tx, asking);
}

/** Two refusals by the customer himself, soon after each other, give him a rest from this requester. */
async function refuseRefused(
  tx: Tx,
  { tenantId, customerId, requester, policy: { stepUp } }: Asking,
): Promise<void> {
  const { denialsToPause, denialWindowSeconds, pauseSeconds } = stepUp;
  const [row] = await tx<{ waitSeconds: number | null }[]>`
    with t as materialized (select latchkey_now() as now),
    refused as materialized (
      select c.ended_at, row_number() over (order by c.ended_at desc) as place from ceremony c
      where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up' and c.requester = ${nameOf(requester)}
        and c.outcome = 'denied' and c.reason in ('not_me', 'declined')
      order by c.ended_at desc limit ${denialsToPause})
    select ceil(extract(epoch from max(ended_at) + make_interval(secs => ${pauseSeconds}) - t.now))::integer as wait_seconds
    from refused, t group by t.now
    having count(*) >= ${denialsToPause} and max(ended_at) - min(ended_at) <= make_interval(secs => ${denialWindowSeconds})`;
  refuseFor(row?.waitSeconds ?? 0, 'step_ups_paused');
}

/** How a step-up ends to which the customer has said nothing, unless he had approved it. */
const UNANSWERED = ['superseded', 'by_requester', 'not_approved'] as const;

/**
 * Who takes the place of his own request, or takes it back and asks again, rings the phone each time: so many prompts without an answer, then they
 * wait. Those that this transaction ends count too. A login is asked for by whoever holds the passkey, and counted there.
 */
async function refuseUnanswered(
  tx: Tx,
  { tenantId, customerId, requester, policy: { stepUp } }: Asking,
): Promise<void> {
  if (requester.kind === 'login') return;
  const { unansweredToPause, unansweredWindowSeconds } = stepUp;
  const [row] = await tx<{ waitSeconds: number | null }[]>`
    with t as materialized (select latchkey_now() as now),
    unanswered as materialized (
      select c.created_at from ceremony c, t
      where c.tenant_id = ${tenantId} and c.customer_id = ${customerId} and c.kind = 'step_up' and c.requester = ${nameOf(requester)}
        and c.reason in ${tx(UNANSWERED)}
        and not exists (
          select 1 from step_up s where s.tenant_id = c.tenant_id and s.step_up_id = c.ceremony_id and s.approved_at is not null)
        and c.created_at > t.now - make_interval(secs => ${unansweredWindowSeconds})
      order by c.created_at desc limit ${unansweredToPause})
    select ceil(extract(epoch from min(created_at) + make_interval(secs => ${unansweredWindowSeconds}) - t.now))::integer as wait_seconds
    from unanswered, t group by t.now
    having count(*) >= ${unansweredToPause}`;
  refuseFor(row?.waitSeconds ?? 0, 'too_many_requests');
}

function refuseFor(retryAfterSeconds: number, code: 'step_ups_paused' | 'too_many_requests'): void {
  if (retryAfterSeconds > 0)
    throw new LatchkeyError(code, { retryAfterSeconds, extra: { retryAfterSeconds } });
}
