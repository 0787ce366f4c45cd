/**
 * What is shown must be what will be signed: the challenge is computed again from the preimage, and the text, who asks, the kind of action, the
 * step-up and its relying party must be what stands in it. The parts that an app shows must be the text, line by line.
 * An app that skips this lets whoever stands between it and the bank show one payment and have another one signed.
 */
import { membersOf } from './members.ts';
import { phoneProblem } from './problem.ts';
import { challengeOf } from './receipt/challenge.ts';
import type { OpenedStepUp } from './types.ts';

/** @throws LatchkeyProblem text_mismatch */
export async function assertShown(opened: OpenedStepUp): Promise<void> {
  const { preimage, challenge, display, stepUpId, rpId, requester, type } = opened;
  if ((await challengeOf(preimage)) !== challenge) throw mismatch('challenge');
  const signed = membersOf(JSON.parse(preimage));
  const text = membersOf(signed['display'])['text'];
  if (signed['stepUpId'] !== stepUpId || signed['rpId'] !== rpId) throw mismatch('step-up');
  if (text !== display.text) throw mismatch('text');
  // After the title, the text is its parts, a line each: neither one less, nor a shorter value, nor one under another label.
  const parts = display.fields.map(({ label, value }) => `${label}: ${value}`);
  if (display.text.split('\n').slice(1).join('\n') !== parts.join('\n')) throw mismatch('parts');
  const asking = membersOf(signed['requester']);
  if (asking['kind'] !== requester.kind || asking['name'] !== requester.name)
    throw mismatch('requester');
  if (membersOf(signed['action'])['type'] !== type) throw mismatch('type');
}

function mismatch(what: string) {
  return phoneProblem('text_mismatch', `What is shown is not what would be signed: ${what}.`);
}
