/**
 * One-time codes, derived from the attempt's id by a key outside the database: nothing that is stored, queued or recorded tells a
 * code, not even as a digest. It must never answer a code for an empty id.
 */
import { createHmac } from 'node:crypto';
import type { KeyManagement, OtpCodes } from '../../domain/ports.ts';

/** RFC 4226 section 5.3's dynamic truncation, over eight bytes instead of four so that ten digits stay as good as evenly spread. */
export function createOtpCodes(kms: KeyManagement): OtpCodes {
  return {
    codeFor: (attemptId, digits) => {
      if (attemptId === '' || !Number.isInteger(digits) || digits < 6 || digits > 10) {
        throw new TypeError('a code needs an attempt and 6 to 10 digits');
      }
      const mac = createHmac('sha256', kms.secret('otp').key).update(attemptId).digest();
      const offset = (mac.at(-1) ?? 0) & 0x0f;
      const number = mac.readBigUInt64BE(offset) & 0x7fff_ffff_ffff_ffffn;
      return (number % 10n ** BigInt(digits)).toString().padStart(digits, '0');
    },
  };
}
