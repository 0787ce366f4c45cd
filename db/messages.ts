/**
 * What a queued message needs at the moment it is sent: the address, opened from under the customer's key, and the values of its text.
 * Nothing here outlives the sending; a message that has lost its point (a code that is spent, an address that is gone) is answered as none.
 */
import { displayOf } from '../domain/step-up-texts.ts';
import { actionLine } from '../domain/texts/action-line.ts';
import { actionTypesFor } from './action-types.ts';
import type { Tx } from './connection.ts';
import { openFreezeRequest } from './freeze-requests.ts';
import type { MessagePayload } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';
import { activePolicy, policyAt } from './policies.ts';
import { openRequest } from './step-up-sealed.ts';

export type MessageChannel = 'phone' | 'email';

export interface MessageFacts {
  readonly to: string;
  readonly bank: string;
  /** Of the tenant, as it stands in addresses. */
  readonly slug: string;
  /** The code is derived from the attempt by whoever sends it. */
  readonly code: {
    readonly attemptId: string;
    readonly digits: number;
    readonly minutes: number;
  } | null;
  /** What the code approves, in words: amount, payee, purpose. Of a step-up's code alone. */
  readonly action: string | null;
  /** How long the customer's open enrollment may still be finished. */
  readonly hoursLeft: number;
  /** The device that was trusted last; empty before the first. */
  readonly device: string;
}

interface MessageRow {
  readonly sealedValue: Uint8Array;
  readonly bank: string;
  readonly slug: string;
  readonly hoursLeft: number | null;
  readonly device: string | null;
}

/** undefined: nothing is to be sent any more. */
export async function messageFacts(
  tx: Tx,
  personalData: PersonalData,
  args: {
    readonly tenantId: string;
    readonly channel: MessageChannel;
    readonly payload: MessagePayload;
  },
): Promise<MessageFacts | undefined> {
  const { tenantId, channel, payload } = args;
  const { customerId, contactId, attemptId, freezeRequestId } = payload;
  const [row] = await tx<MessageRow[]>`
    select contact.sealed_value, tenant.name as bank, tenant.slug,
      (select ceil(extract(epoch from ceremony.deadline - latchkey_now()) / 3600)::integer from ceremony
        where ceremony.tenant_id = ${tenantId} and ceremony.customer_id = ${customerId} and outcome is null and kind = 'enrollment'
        order by ceremony.created_at desc limit 1) as hours_left,
      (select name from device
        where device.tenant_id = ${tenantId} and device.customer_id = ${customerId} and trusted_at is not null
        order by trusted_at desc limit 1) as device
    from contact join tenant using (tenant_id)
    where tenant_id = ${tenantId} and contact_id = ${contactId} and contact.customer_id = ${customerId}
      and contact.kind = ${channel}`;
  if (row === undefined) return undefined;
  const attempt =
    freezeRequestId === undefined
      ? attemptId === undefined
        ? null
        : await openAttempt(tx, tenantId, attemptId)
      : await openFreeze(tx, tenantId, freezeRequestId);
  if (attempt === undefined) return undefined;
  const purpose = `contact.${channel}`;
  const to = await personalData.open(tx, { tenantId, customerId, purpose }, row.sealedValue);
  return {
    to,
    bank: row.bank,
    slug: row.slug,
    code: attempt?.code ?? null,
    action:
      attempt === null || attempt.stepUpId === null
        ? null
        : await actionInWords(tx, personalData, {
            tenantId,
            stepUpId: attempt.stepUpId,
            customerId,
            locale: payload.locale,
          }),
    hoursLeft: row.hoursLeft ?? 0,
    device: row.device ?? '',
  };
}

interface OpenAttempt {
  readonly code: NonNullable<MessageFacts['code']>;
  /** null: of another ceremony. */
  readonly stepUpId: string | null;
}

/** The request's id is what its code is derived from. */
async function openFreeze(
  tx: Tx,
  tenantId: string,
  requestId: string,
): Promise<OpenAttempt | undefined> {
  const open = await openFreezeRequest(tx, { tenantId, requestId });
  if (open === undefined) return undefined;
  const { document } = await activePolicy(tx, tenantId);
  const { digits } = document.otp;
  return { code: { attemptId: requestId, digits, minutes: open.minutes }, stepUpId: null };
}

async function openAttempt(
  tx: Tx,
  tenantId: string,
  attemptId: string,
): Promise<OpenAttempt | undefined> {
  const [row] = await tx<
    { policyVersion: number; minutes: number; kind: string; ceremonyId: string }[]
  >`
    select policy_version, ceil(extract(epoch from expires_at - step_attempt.created_at) / 60)::integer as minutes, kind, ceremony_id
    from step_attempt join ceremony using (tenant_id, ceremony_id)
    where tenant_id = ${tenantId} and attempt_id = ${attemptId} and status = 'open' and expires_at > latchkey_now()
      and outcome is null`;
  if (row === undefined) return undefined;
  const { document } = await policyAt(tx, tenantId, row.policyVersion);
  const code = { attemptId, digits: document.otp.digits, minutes: row.minutes };
  return { code, stepUpId: row.kind === 'step_up' ? row.ceremonyId : null };
}

/** Of the very ceremony that the code belongs to: no message can name another. */
async function actionInWords(
  tx: Tx,
  personalData: PersonalData,
  { locale, ...stepUp }: { tenantId: string; stepUpId: string; customerId: string; locale: string },
): Promise<string> {
  const { action, requesterName } = await openRequest(tx, { personalData }, stepUp);
  const types = await actionTypesFor(tx, stepUp.tenantId, action);
  return actionLine(displayOf(action, locale, requesterName, types));
}
