/** A step-up as rows alone, written past row-level security: for tests of what tells others about it and never opens it. */
import type postgres from 'postgres';
import { newId } from '../../../adapters/random.ts';
import type { SeededCustomer } from '../customer.ts';

export interface WaitingStepUp {
  readonly state?: 'starting' | 'open' | 'second_factor' | 'approved';
  readonly requester?: { readonly kind: 'client' | 'staff' | 'login'; readonly id: string };
  /** The one that it names. */
  readonly deviceId?: string;
  readonly deadline?: Date;
}

export async function insertStepUpRows(
  sql: postgres.Sql,
  { tenantId, customerId }: Pick<SeededCustomer, 'tenantId' | 'customerId'>,
  stepUp: WaitingStepUp = {},
): Promise<string> {
  const {
    state = 'open',
    requester = { kind: 'client', id: 'demo-fraud' },
    deviceId = null,
    deadline = new Date(Date.now() + 300_000),
  } = stepUp;
  const stepUpId = newId('ceremony');
  await sql`
    insert into ceremony (tenant_id, ceremony_id, kind, customer_id, state, epoch, policy_version, locale, deadline, created_at, requester)
    values (${tenantId}, ${stepUpId}, 'step_up', ${customerId}, ${state}, 1, 1, 'en', ${deadline}, now(), ${`${requester.kind}:${requester.id}`})`;
  await sql`
    insert into step_up (tenant_id, step_up_id, customer_id, requester_kind, requester_id, action_type, sealed_request, reference_index, device_id, required)
    values (${tenantId}, ${stepUpId}, ${customerId}, ${requester.kind}, ${requester.id}, 'payment', 'x'::bytea, 'x'::bytea, ${deviceId}, 'latchkey:3')`;
  return stepUpId;
}

export async function moveStepUp(
  sql: postgres.Sql,
  stepUpId: string,
  to: 'second_factor' | 'approved' | { readonly outcome: string; readonly reason: string },
): Promise<void> {
  const end = typeof to === 'string' ? undefined : to;
  await sql`
    update ceremony set state = ${typeof to === 'string' ? to : 'ended'}, outcome = ${end?.outcome ?? null}, reason = ${end?.reason ?? null},
      ended_at = ${end === undefined ? null : new Date()}
    where ceremony_id = ${stepUpId}`;
}
