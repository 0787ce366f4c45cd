/** SMS through any supplier that takes the generic signed call: POST {to, text, reference}. A repeated reference is the same message. */
import type { SmsSender } from '../../domain/ports.ts';
import { postSigned } from '../signed-http.ts';
import type { SignedCallOptions } from '../signed-http.ts';

export function createHttpSmsSender({
  url,
  ...options
}: SignedCallOptions & { readonly url: string }): SmsSender {
  return {
    send: async ({ to, text, reference }) => {
      await postSigned(url, { to, text, reference }, options);
    },
  };
}
