/**
 * How strongly an action must be approved: by its amount against the thresholds of its currency, alone and with everything of the same customer and
 * day, so that splitting does not evade. Hints, risk and what the device reports can only raise it.
 */
import type { Action } from './action.ts';
import { minorUnits } from './money.ts';
import type { Policy, StepUpThresholds } from './policy.ts';
import type { Risk } from './ports.ts';
import type { StepUpContext } from './step-up-preimage.ts';
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
  readonly context?: StepUpContext;
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

/**
 * What moves no money always needs passkey and approval key; a new limit also what a payment or a day of as much would need, so that nobody raises
 * the limit first and pays below it. An amount of a currency without thresholds needs all there is.
 */
function ofAmount({ action, dayTotalMinor, policy }: StrengthQuestion): RequiredStrength {
  const paid = moneyIn(action);
  if (paid !== undefined) return ofMoney(paid, dayTotalMinor, policy);
  const limits = Object.values(action).flatMap((member) => {
    const money = typeof member === 'string' ? undefined : moneyIn(member);
    return money === undefined ? [] : [money];
  });
  // A limit says what it becomes, not by how much: steps lead to it no cheaper than one leap.
  return strongest(['latchkey:3', ...limits.map((one) => ofMoney(one, one.minor, policy))]);
}

interface Money {
  readonly currency: string;
  readonly minor: bigint;
}

function moneyIn({ amount, currency }: { readonly [member: string]: unknown }): Money | undefined {
  if (typeof amount !== 'string' || typeof currency !== 'string') return undefined;
  return { currency, minor: minorUnits(amount, currency) };
}

function ofMoney({ currency, minor }: Money, dayMinor: bigint, policy: Policy): RequiredStrength {
  const { thresholds } = policy.stepUp;
  const limits = Object.hasOwn(thresholds, currency) ? thresholds[currency] : undefined;
  if (limits === undefined) return 'latchkey:4';
  const reaches = (one: keyof StepUpThresholds, day: keyof StepUpThresholds) =>
    minor >= minorUnits(limits[one], currency) || dayMinor >= minorUnits(limits[day], currency);
  if (reaches('secondChannelFrom', 'daySecondChannelFrom')) return 'latchkey:4';
  return reaches('passkeyFrom', 'dayPasskeyFrom') ? 'latchkey:3' : 'none';
}

function strongest(all: readonly RequiredStrength[]): RequiredStrength {
  return all.reduce((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one));
}
