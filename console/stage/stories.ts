/** The two-minute stories and how far each has come, told from what the phone, the parts and the fraud desk show. Pure. */
import type { Desk } from '../behind/desks.tsx';
import type { FraudState } from '../behind/use-fraud.ts';
import type { PhoneState } from '../phone/phone-state.ts';
import type { CallView } from './call-view.ts';
import type { PartsView } from './parts-view.ts';
import type { PaymentsView } from './payments-view.ts';
import { payStep } from './pay-stories.ts';

export const PAY_STORIES = [
  'pay-40',
  'pay-400',
  'pay-40000',
  'pay-changed',
  'pay-replay',
  'pay-fraud',
  'pay-lost',
  'pay-workflow',
] as const;
export type PayStory = (typeof PAY_STORIES)[number];

export type StoryId =
  | 'enroll'
  | 'lost-network'
  | 'fraud'
  | PayStory
  | 'call'
  | 'login'
  | 'lost-phone';
export const STORIES: readonly StoryId[] = [
  'enroll',
  'lost-network',
  'fraud',
  ...PAY_STORIES,
  'call',
  'login',
  'lost-phone',
];

/** The desk that a story needs open. */
export const DESK_OF: Readonly<Record<StoryId, Desk>> = {
  enroll: 'identity',
  'lost-network': 'parts',
  fraud: 'fraud',
  'pay-40': 'payments',
  'pay-400': 'payments',
  'pay-40000': 'payments',
  'pay-changed': 'payments',
  'pay-replay': 'payments',
  'pay-fraud': 'fraud',
  'pay-lost': 'parts',
  'pay-workflow': 'payments',
  call: 'calls',
  login: 'fraud',
  'lost-phone': 'recovery',
};

/** What the phone's form proposes. */
export const AMOUNT_OF: Readonly<Record<PayStory, string>> = {
  'pay-40': '40.00',
  'pay-400': '400.00',
  'pay-40000': '40000.00',
  'pay-changed': '400.00',
  'pay-replay': '400.00',
  'pay-fraud': '400.00',
  'pay-lost': '400.00',
  'pay-workflow': '400.00',
};

export function isPayStory(story: StoryId): story is PayStory {
  return story.startsWith('pay-');
}

export interface StageFacts {
  readonly phone: PhoneState;
  readonly fraud: FraudState;
  readonly parts: PartsView | undefined;
  readonly payments: PaymentsView | undefined;
  readonly call: CallView | undefined;
  readonly recovery: RecoveryFacts;
}

/** The new phone of the story, and what the desk did. */
export interface RecoveryFacts {
  readonly newPhone: PhoneState;
  readonly hasYearPassed: boolean;
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
  if (isPayStory(story)) return payStep(story, facts);
  switch (story) {
    case 'enroll':
      return enrollStep(facts.phone);
    case 'lost-network':
      return lostNetworkStep(facts);
    case 'fraud':
      return fraudStep(facts.phone, facts.fraud);
    case 'call':
      return callStep(facts);
    case 'login':
      return loginStep(facts.phone);
    case 'lost-phone':
      return recoveryStep(facts.recovery);
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

function callStep({ phone, call }: StageFacts): number {
  if (phone.screen.kind !== 'home') return 0;
  if (call === undefined) return 1;
  return call.provedSecondsAgo === undefined ? 2 : 3;
}

const RECOVERY_STEP = {
  starting: 2,
  contact: 1,
  identity: 2,
  review: 3,
  held: 3,
  cooling: 4,
  rebind: 5,
  ended: 0,
} as const;

function recoveryStep({
  newPhone: { screen, installation },
  hasYearPassed,
}: RecoveryFacts): number {
  if (screen.kind === 'recovery')
    return screen.view.outcome === 'completed' ? 6 : RECOVERY_STEP[screen.view.state];
  if (installation !== undefined) return 6;
  return hasYearPassed ? 1 : 0;
}

/** Whether the risk was set, only the bank's engine knows: it shows by what it asks for. */
function loginStep({ screen }: PhoneState): number {
  if (screen.kind === 'login-proof') return 2;
  return screen.kind === 'home' ? 3 : 0;
}
