/**
 * Sends what the outbox queued for people: reads the address and the facts at the last moment, derives the code, renders the text in the
 * customer's language, hands it to the port. The outbox id is the reference that makes a repetition harmless. Nothing of it is logged.
 */
import type { MessageFacts } from '../db/messages.ts';
import type { ClaimedRow, MessagePayload } from '../db/outbox.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { EmailSender, OtpCodes, SmsSender } from '../domain/ports.ts';
import { withFreezeLink } from '../domain/texts/freeze-line.ts';
import { withObjectionLink } from '../domain/texts/objection-line.ts';
import { isTemplate, render } from '../domain/texts/index.ts';
import type { TemplateText } from '../domain/texts/index.ts';

type MessageRow = Extract<ClaimedRow, { readonly topic: 'message.sms' | 'message.email' }>;

export type MessageDelivery = (tenantId: string, row: MessageRow) => Promise<void>;

export interface MessageDependencies {
  /** undefined: nothing is to be sent any more. */
  facts(
    tenantId: string,
    channel: 'phone' | 'email',
    payload: MessagePayload,
  ): Promise<MessageFacts | undefined>;
  readonly otpCodes: OtpCodes;
  /** The address that freezes this customer's account, the same each time for one message. Left out, notices carry none. */
  readonly freezeLink?: (notice: {
    readonly tenantId: string;
    readonly slug: string;
    readonly customerId: string;
    readonly messageId: string;
    readonly sentAtMs: number;
  }) => string;
  /** The address that objects to this case, the same each time. Left out, notices carry none. */
  readonly objectionLink?: (notice: {
    readonly tenantId: string;
    readonly slug: string;
    readonly recoveryId: string;
  }) => string;
  readonly sms: SmsSender;
  readonly email: EmailSender;
}

export function createMessageDelivery(deps: MessageDependencies): MessageDelivery {
  return async (tenantId, { topic, payload, outboxId: reference, createdAtMs }) => {
    const channel = topic === 'message.sms' ? 'phone' : 'email';
    const facts = await deps.facts(tenantId, channel, payload);
    if (facts === undefined) return;
    const { customerId, template, locale } = payload;
    const notice = { tenantId, customerId, messageId: reference, sentAtMs: createdAtMs };
    const { slug } = facts;
    const url = deps.freezeLink?.({ ...notice, slug });
    const plain = renderMessage(payload, facts, deps.otpCodes);
    const stoppable =
      url === undefined || !isTemplate(template)
        ? plain
        : withFreezeLink(template, locale, plain, url);
    const { recoveryId } = payload;
    const objection =
      recoveryId === undefined ? undefined : deps.objectionLink?.({ tenantId, slug, recoveryId });
    const text =
      objection === undefined || !isTemplate(template)
        ? stoppable
        : withObjectionLink(template, locale, stoppable, objection);
    if (channel === 'phone') await deps.sms.send({ to: facts.to, text: text.sms, reference });
    else {
      const { subject, text: body } = text;
      await deps.email.send({ to: facts.to, subject, text: body, reference });
    }
  };
}

function renderMessage(
  { template, locale }: MessagePayload,
  { bank, code, hoursLeft, device, action }: MessageFacts,
  otpCodes: OtpCodes,
): TemplateText {
  if (!isTemplate(template)) throw unsendable('no such template');
  switch (template) {
    case 'enrollment_code':
    case 'email_code':
    case 'recovery_code':
    case 'freeze_code': {
      if (code === null) throw unsendable('a code without an attempt');
      const digits = otpCodes.codeFor(code.attemptId, code.digits);
      return render(template, locale, { bank, code: digits, minutes: code.minutes });
    }
    case 'enrollment_reminder':
      return render(template, locale, { bank, hours: Math.max(1, hoursLeft) });
    case 'enrollment_completed':
      return render(template, locale, { bank, device });
    case 'session_cut_off':
    case 'hold_released':
    case 'session_ended':
    case 'device_stopped':
    case 'device_resumed':
    case 'passkey_removed':
    case 'step_up_waiting':
    case 'step_up_not_me':
    case 'customer_frozen':
    case 'freeze_lifted':
    case 'device_reported':
    case 'report_lifted':
    case 'recovery_opened':
    case 'recovery_cooling':
    case 'recovery_ready':
    case 'recovery_completed':
    case 'recovery_ended':
      return render(template, locale, { bank });
    case 'step_up_code': {
      if (code === null || action === null) throw unsendable('a code without its action');
      const digits = otpCodes.codeFor(code.attemptId, code.digits);
      return render(template, locale, { bank, code: digits, minutes: code.minutes, action });
    }
  }
}

/** No repetition can cure it: to the dead letters. */
function unsendable(detail: string): LatchkeyError {
  return new LatchkeyError('internal_error', { detail });
}
