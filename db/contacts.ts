/** A customer's proved phone number and address, opened for showing them to himself. Callers mask before anything leaves the API. */
import type { Tx } from './connection.ts';
import type { PersonalData } from './personal-data.ts';

export interface ProvedContacts {
  readonly phone: string | undefined;
  readonly email: string | undefined;
}

export async function provedContacts(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
): Promise<ProvedContacts> {
  const rows = await tx<{ kind: 'phone' | 'email'; sealedValue: Uint8Array }[]>`
    select kind, sealed_value from contact
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'proved'
    order by proved_at desc`;
  const valueOf = async (wanted: 'phone' | 'email') => {
    const row = rows.find(({ kind }) => kind === wanted);
    if (row === undefined) return undefined;
    const target = { tenantId, customerId, purpose: `contact.${wanted}` };
    return await personalData.open(tx, target, row.sealedValue);
  };
  return { phone: await valueOf('phone'), email: await valueOf('email') };
}
