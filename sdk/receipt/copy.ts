/** A copy of a receipt for somebody who need not read everything: personal text is taken out, what is signed stays whole. */
import type { ReceiptFile } from './types.ts';

/** `keep`: names of pieces to leave in, such as `action.amount`. The copy verifies as `withheld`. */
export function withoutPersonalText(
  receipt: ReceiptFile,
  keep: readonly string[] = [],
): ReceiptFile {
  const kept = Object.entries(receipt.disclosures).filter(([name]) => keep.includes(name));
  return { ...receipt, disclosures: Object.fromEntries(kept) };
}
