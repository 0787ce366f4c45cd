/** The two-minute stories and how far each has come, told from what the phone and the fraud desk show. Pure. */
import type { FraudState } from '../behind/use-fraud.ts';
import type { PhoneState } from '../phone/phone-state.ts';

export type StoryId = 'enroll' | 'fraud';
export const STORIES: readonly StoryId[] = ['enroll', 'fraud'];

const ENROLL_STEP = {
  starting: 0,
  phone: 1,
  identity: 2,
  identity_check: 2,
  email: 3,
  email_code: 3,
  passkey: 4,
  ended: 0,
} as const;

/** The number of steps done: the next one is due. */
export function stepsDone(story: StoryId, phone: PhoneState, fraud: FraudState): number {
  return story === 'enroll' ? enrollStep(phone) : fraudStep(phone, fraud);
}

function enrollStep({ screen, installation }: PhoneState): number {
  if (screen.kind === 'enrollment') {
    const isTrusted = screen.view.outcome === 'completed';
    return isTrusted ? 5 : ENROLL_STEP[screen.view.state];
  }
  if (screen.kind === 'home') return 6;
  return installation === undefined || screen.kind === 'number' ? 0 : 5;
}

function fraudStep({ screen }: PhoneState, { cutOff, releasedAt }: FraudState): number {
  if (cutOff === undefined) return screen.kind === 'home' ? 1 : 0;
  if (releasedAt !== undefined) return screen.kind === 'home' ? 5 : 4;
  return screen.kind === 'hold' ? 3 : 2;
}
