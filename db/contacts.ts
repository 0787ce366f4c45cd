/**
 * A customer's proved phone number and address: told things over, and opened for showing them to himself. Callers mask before anything leaves
 * the API.
 */
import type { Tx } from './connection.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';

export interface ProvedContacts {
  readonly phone: string | undefined;
  readonly email: string | undefined;
}

/** Others than the kinds asked for stay sealed. */
export async function provedContacts(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, customerId }: { readonly tenantId: string; readonly customerId: string },
  kinds: readonly ('phone' | 'email')[] = ['phone', 'email'],
): Promise<ProvedContacts> {
  const rows = await tx<{ kind: 'phone' | 'email'; sealedValue: Uint8Array }[]>`
    select kind, sealed_value from contact
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'proved'
    order by proved_at desc`;
  const valueOf = async (wanted: 'phone' | 'email') => {
    if (!kinds.includes(wanted)) return undefined;
    const row = rows.find(({ kind }) => kind === wanted);
    if (row === undefined) return undefined;
    const target = { tenantId, customerId, purpose: `contact.${wanted}` };
    return await personalData.open(tx, target, row.sealedValue);
  };
  return { phone: await valueOf('phone'), email: await valueOf('email') };
}

/** To every proved channel of the customer; nobody who has proved none is told anything. */
export async function notifyCustomer(
  tx: Tx,
  notice: {
    tenantId: string;
    customerId: string;
    template:
      | 'session_cut_off'
      | 'hold_released'
      | 'session_ended'
      | 'device_stopped'
      | 'device_resumed'
      | 'passkey_removed'
      | 'step_up_not_me'
      | 'customer_frozen'
      | 'freeze_lifted'
      | 'device_reported'
      | 'report_lifted'
      | 'recovery_opened'
      | 'recovery_cooling'
      | 'recovery_ready'
      | 'recovery_completed'
      | 'recovery_ended';
    /** Of a notice about a case. */
    recoveryId?: string;
  },
): Promise<void> {
  const { tenantId, customerId, template, recoveryId } = notice;
  const contacts = await tx<{ contactId: string; kind: 'phone' | 'email'; locale: string }[]>`
    select contact.contact_id, contact.kind, customer.locale
    from contact join customer using (tenant_id, customer_id)
    where tenant_id = ${tenantId} and customer_id = ${customerId} and contact.status = 'proved'
    order by contact.contact_id`;
  for (const { contactId, kind, locale } of contacts) {
    await enqueue(tx, {
      tenantId,
      topic: kind === 'phone' ? 'message.sms' : 'message.email',
      subject: contactId,
      payload: {
        customerId,
        contactId,
        template,
        locale,
        ...(recoveryId === undefined ? {} : { recoveryId }),
      },
    });
  }
}
