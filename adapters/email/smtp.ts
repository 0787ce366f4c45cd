/**
 * E-mail over SMTP. The reference becomes the Message-ID, so that a message delivered twice shows as one where the mailbox looks. It
 * must never read files or addresses that a message names, nor let one recipient become several.
 */
import { createTransport } from 'nodemailer';
import { LatchkeyError } from '../../domain/errors.ts';
import type { EmailSender } from '../../domain/ports.ts';

const TIMEOUT_MS = 5000;

export interface SmtpOptions {
  /** smtp:// or smtps://, with `requireTLS=true` where a plain start must be upgraded. */
  readonly smtpUrl: string;
  /** `address@host` or `Name <address@host>`. */
  readonly from: string;
  /** Five seconds for each wait when left out; tests shorten it. */
  readonly timeoutMs?: number;
}

export function createSmtpSender({
  smtpUrl,
  from,
  timeoutMs = TIMEOUT_MS,
}: SmtpOptions): EmailSender {
  const transport = createTransport({
    url: smtpUrl,
    dnsTimeout: timeoutMs,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^@>\s]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return {
    send: async ({ to, subject, text, html, reference }) => {
      try {
        await transport.sendMail({
          from,
          // As an object, it is one address whatever it contains.
          to: { name: '', address: to },
          subject,
          text,
          ...(html === undefined ? {} : { html }),
          messageId: `<${reference}@${domain}>`,
          headers: { 'auto-submitted': 'auto-generated' },
        });
      } catch (error) {
        throw classified(error);
      }
    },
  };
}

/** RFC 5321 section 4.2.1: a 5yz reply is for good, everything else may pass. */
function classified(error: unknown): LatchkeyError {
  const reply = error instanceof Error && 'responseCode' in error ? error.responseCode : undefined;
  if (typeof reply === 'number' && reply >= 500) {
    return new LatchkeyError('vendor_refused', {
      cause: new Error(`the mail server answered ${String(reply)}`),
    });
  }
  // Nodemailer's own messages quote addresses: its code alone is kept.
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new LatchkeyError('vendor_unavailable', { cause: new Error(`no mail server: ${code}`) });
}
