/** How the step-ups of many customers stand, for those who watch: one statement a tenant, by keys alone, without a lock. */
import { statusOf } from '../domain/step-up-status.ts';
import type { StepUpStatus } from '../domain/step-up-status.ts';
import type { StepUp } from '../domain/step-up.ts';
import type { Database } from './connection.ts';
import { ANY_LOGIN } from './step-up-requester.ts';

export interface StepUpStanding {
  readonly customerId: string;
  readonly stepUpId: string;
  readonly status: StepUpStatus;
  /** Nothing will happen to it any more. */
  readonly isEnded: boolean;
}

type StandingRow = Pick<StepUpStanding, 'customerId' | 'stepUpId'> &
  Pick<StepUp, 'state' | 'outcome' | 'reason'>;

/** Those of these customers that wait or go on, but for logins, which no session answers; and these, which may have ended. */
export async function readStepUpStandings(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  {
    customerIds,
    stepUpIds,
  }: { readonly customerIds: readonly string[]; readonly stepUpIds: readonly string[] },
): Promise<readonly StepUpStanding[]> {
  const rows = await database.statement<StandingRow>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<StandingRow[]>`
      with ${bound}
      select customer_id, ceremony_id as step_up_id, state, outcome, reason from ceremony
      where ${isBound} and tenant_id = ${tenantId} and kind = 'step_up' and outcome is null
        and state <> 'starting' and requester not like ${ANY_LOGIN} and customer_id = any(${[...customerIds]})
      union
      select customer_id, ceremony_id as step_up_id, state, outcome, reason from ceremony
      where ${isBound} and tenant_id = ${tenantId} and kind = 'step_up' and ceremony_id = any(${[...stepUpIds]})
      order by step_up_id`,
  });
  return rows.map(({ customerId, stepUpId, ...row }) => ({
    customerId,
    stepUpId,
    status: statusOf(row),
    isEnded: row.outcome !== null,
  }));
}
