/** A receipt to be given away: whole in what the bank signed, without a word of personal text. */
import type { Receipt } from '../../domain/receipt.ts';

export function withheld(receipt: Receipt): Receipt {
  return { ...receipt, disclosures: {} };
}
