/** What a customer has gone through: enrollments, recoveries and step-ups, as staff read them. Nothing here decides. */
import type { Tx } from './connection.ts';

export interface CeremonyOfCustomer {
  readonly ceremonyId: string;
  readonly kind: 'enrollment' | 'step_up' | 'recovery';
  readonly state: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly createdAtMs: number;
  readonly endedAtMs: number | null;
}

type CeremonyRow = Omit<CeremonyOfCustomer, 'createdAtMs' | 'endedAtMs'> & {
  readonly createdAt: Date;
  readonly endedAt: Date | null;
};

/** The youngest of the step-ups and of the others, so that many payments do not hide a recovery. */
const MOST_CEREMONIES = 20;

export async function ceremoniesOfCustomer(
  tx: Tx,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<readonly CeremonyOfCustomer[]> {
  const rows = await tx<CeremonyRow[]>`
    (select ceremony_id, kind, state, outcome, reason, created_at, ended_at from ceremony
      where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'step_up'
      order by created_at desc limit ${MOST_CEREMONIES})
    union all
    (select ceremony_id, kind, state, outcome, reason, created_at, ended_at from ceremony
      where tenant_id = ${tenantId} and customer_id = ${customerId} and kind <> 'step_up'
      order by created_at desc limit ${MOST_CEREMONIES})
    order by created_at desc, ceremony_id`;
  return rows.map(({ createdAt, endedAt, ...row }) => ({
    ...row,
    createdAtMs: createdAt.getTime(),
    endedAtMs: endedAt?.getTime() ?? null,
  }));
}
