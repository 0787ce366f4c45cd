/**
 * The text whose hash a customer signs (SECURITY.md section 5): what was asked, by whom, of whom, as it was sent to be shown, under which
 * policy and epoch, until when. challenge = SHA-256(CHALLENGE_LABEL ‖ preimage). Members are never left out or renamed: receipts outlive this code.
 */
import type { Action } from './action.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Display } from './step-up-texts.ts';
import type { StepUpRequester } from './step-up.ts';

/** Goes before the preimage into the hash: a signature over anything else of this bank can never be one over an action. */
export const CHALLENGE_LABEL = 'latchkey/step-up/1\0';

/** What else goes on around the customer, as his app reports it. */
export interface StepUpContext {
  readonly onCall: boolean;
  readonly screenShared: boolean;
  readonly accessibilityService: boolean;
}

export interface PreimageParts {
  readonly tenant: string;
  readonly rpId: string;
  readonly stepUpId: string;
  readonly requester: StepUpRequester & { readonly name: string };
  readonly customer: string;
  readonly action: Action;
  /** As the app reported it. */
  readonly context: StepUpContext;
  readonly display: Omit<Display, 'fields'>;
  /** The policy's version. */
  readonly policy: string;
  readonly epoch: number;
  /** NumericDate, seconds. */
  readonly iat: number;
  readonly exp: number;
  readonly nonce: string;
}

/** RFC 8785. */
export function preimageText(parts: PreimageParts): string {
  const { requester, context, display } = parts;
  return canonicalJson({
    ...parts,
    alg: 'SHA-256',
    requester: { kind: requester.kind, id: requester.id, name: requester.name },
    context: { ...context },
    display: { ...display },
  });
}
