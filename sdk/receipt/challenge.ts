/** The challenge that both keys of a customer sign, from the exact text that was sent to be shown (docs/receipts.md). */
import { sha256, toBase64url, utf8 } from './bytes.ts';

const LABEL = 'latchkey/step-up/1\0';

export async function challengeOf(preimage: string): Promise<string> {
  return toBase64url(await sha256(utf8(`${LABEL}${preimage}`)));
}
