/**
 * How strongly an action must be approved: by its amount against the thresholds of its currency, alone and with everything of the same customer and
 * day, so that splitting does not evade. Hints, risk and what the device reports can only raise it.
 */
import type { Action } from './action.ts';
import { minorUnits } from './money.ts';
import type { Policy, StepUpThresholds } from './policy.ts';
import type { Risk } from './ports.ts';
import type { StepUpStrength } from './step-up.ts';

export type RequiredStrength = 'none' | StepUpStrength;

export interface StrengthQuestion {
  readonly action: Action;
  /** Of the action's currency, with this action in it. */
  readonly dayTotalMinor: bigint;
  readonly policy: Policy;
  /** The requester's wish. */
  readonly atLeast?: StepUpStrength;
  readonly risk?: Risk;
  readonly context?: {
    readonly onCall: boolean;
    readonly screenShared: boolean;
    readonly accessibilityService: boolean;
  };
}

export interface StrengthAnswer {
  readonly required: RequiredStrength;
  /** How long after the approval it cannot be used yet: time to end a call. */
  readonly delaySeconds: number;
}

const ORDER: readonly RequiredStrength[] = ['none', 'latchkey:3', 'latchkey:4'];
/** On the phone is where these belong; neither moves anything. */
const HARMLESS_ON_A_CALL: ReadonlySet<string> = new Set(['log_in', 'verified_call']);

export function requiredStrength(question: StrengthQuestion): StrengthAnswer {
  const { action, policy, atLeast, risk, context } = question;
  const required = strongest([
    ofAmount(question),
    atLeast ?? 'none',
    risk === 'high' ? 'latchkey:4' : 'none',
  ]);
  const isRisky =
    context !== undefined &&
    (context.onCall || context.screenShared || context.accessibilityService) &&
    !HARMLESS_ON_A_CALL.has(action.type);
  return { required, delaySeconds: isRisky ? policy.stepUp.contextDelaySeconds : 0 };
}

/** What moves no money always needs passkey and approval key. An amount of a currency without thresholds needs all there is. */
function ofAmount({ action, dayTotalMinor, policy }: StrengthQuestion): RequiredStrength {
  const { amount, currency } = action;
  if (typeof amount !== 'string' || typeof currency !== 'string') return 'latchkey:3';
  const { thresholds } = policy.stepUp;
  const limits = Object.hasOwn(thresholds, currency) ? thresholds[currency] : undefined;
  if (limits === undefined) return 'latchkey:4';
  const single = minorUnits(amount, currency);
  const reaches = (one: keyof StepUpThresholds, day: keyof StepUpThresholds) =>
    single >= minorUnits(limits[one], currency) ||
    dayTotalMinor >= minorUnits(limits[day], currency);
  if (reaches('secondChannelFrom', 'daySecondChannelFrom')) return 'latchkey:4';
  return reaches('passkeyFrom', 'dayPasskeyFrom') ? 'latchkey:3' : 'none';
}

function strongest(all: readonly RequiredStrength[]): RequiredStrength {
  return all.reduce((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one));
}
