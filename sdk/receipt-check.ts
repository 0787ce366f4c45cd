/** A receipt checked on the phone: with the bank's published keys when they can be had, and without them as far as that goes. */
import { verifyReceipt } from './receipt/receipt.ts';
import type { Verification } from './receipt/types.ts';

export async function checkReceipt(
  { issuer, fetch: ownFetch }: { readonly issuer: string; readonly fetch: typeof fetch },
  receipt: unknown,
): Promise<Verification> {
  const answer = await ownFetch(`${issuer}/.well-known/receipt-keys.json`, {
    credentials: 'omit',
  }).catch(() => undefined);
  const keys = answer?.ok === true ? await answer.text() : undefined;
  return verifyReceipt(JSON.stringify(receipt), keys === undefined ? {} : { keys });
}
