/** The two-minute stories and how far each has come, told from what the phone, the parts and the fraud desk show. Pure. */
import type { Desk } from '../behind/desks.tsx';
import type { FraudState } from '../behind/use-fraud.ts';
import type { PhoneState } from '../phone/phone-state.ts';
import type { PartsView } from './parts-view.ts';

export type StoryId = 'enroll' | 'lost-network' | 'fraud';
export const STORIES: readonly StoryId[] = ['enroll', 'lost-network', 'fraud'];

/** The desk that a story needs open. */
export const DESK_OF: Readonly<Record<StoryId, Desk>> = {
  enroll: 'identity',
  'lost-network': 'parts',
  fraud: 'fraud',
};

export interface StageFacts {
  readonly phone: PhoneState;
  readonly fraud: FraudState;
  readonly parts: PartsView | undefined;
}

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

/** The story of an address such as `/#lost-network`. */
export function storyOf(hash: string): StoryId {
  return STORIES.find((story) => hash === `#${story}`) ?? 'enroll';
}

/** The number of steps done: the next one is due. */
export function stepsDone(story: StoryId, facts: StageFacts): number {
  switch (story) {
    case 'enroll':
      return enrollStep(facts.phone);
    case 'lost-network':
      return lostNetworkStep(facts);
    case 'fraud':
      return fraudStep(facts.phone, facts.fraud);
  }
}

function enrollStep({ screen, installation }: PhoneState): number {
  if (screen.kind === 'enrollment') {
    const isTrusted = screen.view.outcome === 'completed';
    return isTrusted ? 5 : ENROLL_STEP[screen.view.state];
  }
  if (screen.kind === 'home') return 6;
  return installation === undefined || screen.kind === 'number' ? 0 : 5;
}

function lostNetworkStep({ phone, parts }: StageFacts): number {
  const isUnderWay = phone.screen.kind === 'enrollment' || phone.installation !== undefined;
  const isLost = parts?.events.some(({ what }) => what === 'answer_lost') === true;
  if (!isLost) return isUnderWay || phone.busy === 'start' ? 1 : 0;
  if (phone.waiting !== undefined || parts.line.status === 'down') return 2;
  return phone.screen.kind === 'home' ? 4 : 3;
}

function fraudStep({ screen }: PhoneState, { cutOff, releasedAt }: FraudState): number {
  if (cutOff === undefined) return screen.kind === 'home' ? 1 : 0;
  if (releasedAt !== undefined) return screen.kind === 'home' ? 5 : 4;
  return screen.kind === 'hold' ? 3 : 2;
}
