/**
 * Identity checks through any supplier that takes the generic signed call: POST <url>/checks, answered by 202 {vendorReference}; the
 * verdict comes later by signed webhook. The person's data goes to the supplier alone and must never be kept or logged here.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import type { IdentityVerifier } from '../../domain/ports.ts';
import { postSigned } from '../signed-http.ts';
import type { SignedCallOptions } from '../signed-http.ts';

const REFERENCE = /^[\x21-\x7e]{1,200}$/;

export function createHttpIdentityVerifier({
  url,
  ...options
}: SignedCallOptions & { readonly url: string }): IdentityVerifier {
  const checksUrl = `${url.replace(/\/+$/, '')}/checks`;
  return {
    startCheck: async (check) => {
      const { reference, givenName, familyName, birthDate, documentNumber, callbackUrl } = check;
      const content = { reference, givenName, familyName, birthDate, documentNumber, callbackUrl };
      return { vendorReference: vendorReferenceOf(await postSigned(checksUrl, content, options)) };
    },
  };
}

function vendorReferenceOf(answer: unknown): string {
  const found =
    typeof answer === 'object' && answer !== null && 'vendorReference' in answer
      ? answer.vendorReference
      : undefined;
  if (typeof found === 'string' && REFERENCE.test(found)) return found;
  throw new LatchkeyError('vendor_refused', {
    cause: new Error('the answer has no vendorReference'),
  });
}
