/**
 * Sends what a request for recovery asked for: code and link, to whoever has the contact, or nothing to nobody. The outbox id is the reference that
 * makes a repetition harmless. Nothing of it is logged; the number that the asking phone shows never stands in a message.
 */
import type { RequestMessage } from '../db/recovery-requests.ts';
import type { EmailSender, OtpCodes, SmsSender } from '../domain/ports.ts';
import { render } from '../domain/texts/index.ts';

export type RecoveryRequestDelivery = (
  tenantId: string,
  requestId: string,
  reference: string,
) => Promise<void>;

export interface RecoveryRequestDependencies {
  /** undefined: nobody has that contact, or the request is over. With the address opened. */
  message(tenantId: string, requestId: string): Promise<RequestMessage | undefined>;
  readonly otpCodes: OtpCodes;
  /** The page that asks for the number on the new phone; the same each time for one request. */
  link(request: {
    readonly tenantId: string;
    readonly slug: string;
    readonly requestId: string;
  }): string;
  readonly sms: SmsSender;
  readonly email: EmailSender;
}

export function createRecoveryRequestDelivery(
  deps: RecoveryRequestDependencies,
): RecoveryRequestDelivery {
  return async (tenantId, requestId, reference) => {
    const message = await deps.message(tenantId, requestId);
    if (message === undefined) return;
    const { to, bank, slug, minutes, digits, locale, kind } = message;
    const code = deps.otpCodes.codeFor(requestId, digits);
    const { sms, subject, text } = render('recovery_code', locale, { bank, code, minutes });
    const link = deps.link({ tenantId, slug, requestId });
    if (kind === 'phone') await deps.sms.send({ to, text: `${sms} ${link}`, reference });
    else await deps.email.send({ to, subject, text: `${text}\n\n${link}`, reference });
  };
}
