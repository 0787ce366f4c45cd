/**
 * The freeze as a rule: what it stops, and how long it lasts when somebody asks for one. What nobody proved is bounded in all, so that a freeze
 * protects its customer and locks nobody out. Pure.
 */
import type { FreezePolicy } from './freeze-policy.ts';

/** app: a session on an enrolled phone · link: of a notice · phone_code: a code to the enrolled number · staff: a person of the bank. */
export const FREEZE_WAYS = ['app', 'link', 'phone_code', 'staff'] as const;
export type FreezeHow = (typeof FREEZE_WAYS)[number];

/** Scopes that move money or change what protects the account: withheld from every session while the customer is frozen. */
export const FROZEN_SCOPES: readonly string[] = ['payments:write', 'profile:write'];

/** Logging in and proving oneself to the bank stay possible: they are how a freeze ends. Everything else that asks for a step-up waits. */
const ALLOWED_ACTIONS: ReadonlySet<string> = new Set(['log_in', 'verified_call']);

export function isStoppedByFreeze(actionType: string): boolean {
  return !ALLOWED_ACTIONS.has(actionType);
}

/** A freeze that would add less than this part of a whole one adds nothing: no row, no notice. */
const WORTHWHILE_PART = 24;

export interface FreezeFacts {
  /** A passkey on a trusted phone that is not reported, or a person of the bank. */
  readonly isProved: boolean;
  readonly nowMs: number;
  /** Of the customer's row; long ago or null: not frozen. */
  readonly frozenUntilMs: number | null;
  /** What unproved freezes of the window have added already, lifted or not. */
  readonly unprovedSeconds: number;
}

export type FreezeJudgement =
  | { readonly untilMs: number; readonly addedSeconds: number }
  /** Frozen long enough already. */
  | { readonly staysUntilMs: number }
  | { readonly refused: 'freeze_limit_reached' };

export function judgeFreeze(facts: FreezeFacts, policy: FreezePolicy): FreezeJudgement {
  const { isProved, nowMs } = facts;
  const isFrozen = facts.frozenUntilMs !== null && facts.frozenUntilMs > nowMs;
  const fromMs = isFrozen && facts.frozenUntilMs !== null ? facts.frozenUntilMs : nowMs;
  const wantedSeconds = Math.floor((nowMs - fromMs) / 1000) + policy.seconds;
  const leftSeconds = policy.longestUnprovedSeconds - facts.unprovedSeconds;
  const addedSeconds = isProved ? wantedSeconds : Math.min(wantedSeconds, leftSeconds);
  if (addedSeconds >= policy.seconds / WORTHWHILE_PART)
    return { untilMs: fromMs + addedSeconds * 1000, addedSeconds };
  return isFrozen ? { staysUntilMs: fromMs } : { refused: 'freeze_limit_reached' };
}
