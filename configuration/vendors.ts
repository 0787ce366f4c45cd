/** Whom Latchkey calls and with which secrets, from the environment: SMS, e-mail, identity checks, the risk engine. */
import { readUrl } from './environment.ts';
import type { EnvironmentReader } from './environment.ts';

/** Called and calling back under one shared secret. */
export interface VendorConfiguration {
  readonly url: string;
  readonly secret: string;
}

export interface EmailConfiguration {
  readonly smtpUrl: string;
  readonly from: string;
}

const sender = /^(?:[^<>@\r\n]+ <[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/;

export const readVendor = (
  reader: EnvironmentReader,
  name: 'SMS' | 'IDENTITY' | 'RISK',
): VendorConfiguration => ({
  url: reader.vendorUrl(`${name}_URL`),
  secret: reader.secret(`${name}_SECRET`),
});

/** undefined: no engine has an opinion. One of the two alone is a mistake. */
export const readRisk = (reader: EnvironmentReader): VendorConfiguration | undefined => {
  const given = ['RISK_URL', 'RISK_SECRET', 'RISK_SECRET_FILE'].map((name) =>
    reader.optional(name),
  );
  return given.every((value) => value === undefined) ? undefined : readVendor(reader, 'RISK');
};

export const readEmail = (reader: EnvironmentReader): EmailConfiguration => {
  const smtpUrl = reader.required('SMTP_URL', 'set smtps://user:password@host:465') ?? '';
  const url = readUrl(smtpUrl);
  const isSmtp =
    url !== undefined && ['smtp:', 'smtps:'].includes(url.protocol) && url.hostname !== '';
  if (smtpUrl !== '' && !isSmtp) {
    reader.refuse('SMTP_URL', 'is not an SMTP address', 'use smtps://user:password@host:465');
  } else if (
    reader.isProduction &&
    url?.protocol === 'smtp:' &&
    url.searchParams.get('requireTLS') !== 'true'
  ) {
    reader.refuse(
      'SMTP_URL',
      'is not encrypted',
      'use smtps:// or add ?requireTLS=true in production',
    );
  }
  const from = reader.required('EMAIL_FROM', 'set the sender, Name <address@host>') ?? '';
  if (from !== '' && !sender.test(from)) {
    reader.refuse('EMAIL_FROM', 'is not a sender', 'use address@host or Name <address@host>');
  }
  return { smtpUrl, from };
};
