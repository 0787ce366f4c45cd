/**
 * Phone numbers and e-mail addresses as customers type them, made one form before anything is stored or indexed, and masked before anything
 * is shown. Nothing here tells whether somebody has them.
 */
import { domainToASCII } from 'node:url';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { LatchkeyError } from '../../domain/errors.ts';

const MAX_PHONE_LENGTH = 40;
const MAX_EMAIL_LENGTH = 254;
const MAX_LOCAL_LENGTH = 64;
/** RFC 5322 dot-atom; quoted local parts exist on paper only. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/;
/** Numbers that no code by text message reaches. */
const UNREACHABLE: ReadonlySet<string> = new Set([
  'FIXED_LINE',
  'PREMIUM_RATE',
  'TOLL_FREE',
  'SHARED_COST',
  'UAN',
  'VOICEMAIL',
  'PAGER',
]);

/** E.164. The number must carry its country code. @throws LatchkeyError phone_invalid */
export function normalisePhone(typed: string): string {
  if (typed.length > MAX_PHONE_LENGTH) throw new LatchkeyError('phone_invalid');
  const number = parsePhoneNumberFromString(typed.trim());
  if (number === undefined || !number.isValid()) throw new LatchkeyError('phone_invalid');
  // An extension cannot get a text message.
  if (number.ext !== undefined || UNREACHABLE.has(number.getType() ?? ''))
    throw new LatchkeyError('phone_invalid');
  return number.number;
}

/** Lower case, the domain in ASCII (IDNA): one mailbox, one form. @throws LatchkeyError email_invalid */
export function normaliseEmail(typed: string): string {
  const address = typed.trim().normalize('NFC');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, at).toLowerCase();
  const domain = domainToASCII(address.slice(at + 1)).toLowerCase();
  const isGood =
    at > 0 &&
    local.length <= MAX_LOCAL_LENGTH &&
    LOCAL.test(local) &&
    DOMAIN.test(domain) &&
    local.length + 1 + domain.length <= MAX_EMAIL_LENGTH;
  if (!isGood) throw new LatchkeyError('email_invalid');
  return `${local}@${domain}`;
}

/** `+44 ••• 0123`: the country and the last four digits. */
export function maskPhone(e164: string): string {
  const number = parsePhoneNumberFromString(e164);
  const country = number === undefined ? '+' : `+${number.countryCallingCode}`;
  return `${country} ••• ${e164.slice(-4)}`;
}

/** `a•••@example.com`: the first letter and the domain. */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}

/** For staff, who need to recognise but not to write down: `+64 ··· 123`, `a···@…`, `A···`. */
export const staffMasks = {
  phone: (e164: string): string => {
    const number = parsePhoneNumberFromString(e164);
    const country = number === undefined ? '+' : `+${number.countryCallingCode}`;
    return `${country} ··· ${e164.slice(-3)}`;
  },
  email: (address: string): string => `${firstOf(address)}···@…`,
  name: (name: string): string => `${firstOf(name)}···`,
} as const;

function firstOf(text: string): string {
  return Array.from(text)[0] ?? '';
}
