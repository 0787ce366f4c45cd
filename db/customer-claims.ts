/**
 * What is known about a customer as claims: read and opened only as far as the caller may be told. What he was not asked to share stays
 * sealed.
 */
import type { Tx } from './connection.ts';
import { provedContacts } from './contacts.ts';
import type { ProvedContacts } from './contacts.ts';
import { proofedIdentity } from './enrollment-binding.ts';
import type { ProofedIdentity } from './enrollment-binding.ts';
import type { PersonalData } from './personal-data.ts';

export interface CustomerClaims extends ProvedContacts {
  readonly locale: string | undefined;
  readonly identity: ProofedIdentity | undefined;
}

/** What may be opened: the proofed identity, and each channel by itself. */
export interface MayBeTold {
  readonly profile: boolean;
  readonly email: boolean;
  readonly phone: boolean;
}

export async function customerClaims(
  tx: Tx,
  personalData: PersonalData,
  subject: { readonly tenantId: string; readonly customerId: string },
  may: MayBeTold,
): Promise<CustomerClaims> {
  const kinds = (['phone', 'email'] as const).filter((kind) => may[kind]);
  const { phone, email } = await provedContacts(tx, personalData, subject, kinds);
  if (!may.profile) return { phone, email, locale: undefined, identity: undefined };
  const { tenantId, customerId } = subject;
  const [customer] = await tx<{ locale: string }[]>`
    select locale from customer where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  const identity = await proofedIdentity(tx, personalData, subject);
  return { phone, email, locale: customer?.locale, identity };
}
