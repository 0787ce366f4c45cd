/**
 * Whether what is shown is what will be signed: the challenge is computed again from the preimage, and the text and its parts are looked for in it.
 * An app that skips this lets whoever stands between it and the bank show one payment and have another one signed.
 */
import { base64url } from 'jose';
import { phoneProblem } from './problem.ts';
import type { OpenedStepUp } from './types.ts';

const LABEL = 'latchkey/step-up/1\0';

/** @throws LatchkeyProblem text_mismatch */
export async function assertShown(opened: OpenedStepUp): Promise<void> {
  const { preimage, challenge, display, stepUpId, rpId } = opened;
  const bytes = new TextEncoder().encode(LABEL + preimage);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  if (base64url.encode(digest) !== challenge) throw mismatch('challenge');
  const signed = membersOf(JSON.parse(preimage));
  const text = membersOf(signed['display'])['text'];
  if (signed['stepUpId'] !== stepUpId || signed['rpId'] !== rpId) throw mismatch('step-up');
  if (text !== display.text) throw mismatch('text');
  const stray = display.fields.find(({ value }) => !display.text.includes(value));
  if (stray !== undefined) throw mismatch('parts');
}

function mismatch(what: string) {
  return phoneProblem('text_mismatch', `What is shown is not what would be signed: ${what}.`);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
