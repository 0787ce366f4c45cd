/**
 * Whether a session still carries anything, and how much: judged from what one statement read of session, customer, device,
 * credential and hold. Gateway, API and refresh all ask this; none has a rule of its own. Any doubt is a refusal.
 */
import type { Acr, AttestationLevel, DeviceStatus } from './auth-strength.ts';
import { loginStrength } from './auth-strength.ts';
import type { ErrorCode } from './errors.ts';
import { FROZEN_SCOPES } from './freeze.ts';
import { effectiveDeadlines } from './refresh.ts';

export interface SessionFacts {
  readonly status: 'live' | 'ended';
  /** The epoch it began under. */
  readonly epoch: number;
  readonly acr: Acr;
  readonly scopes: readonly string[];
  readonly startedAtMs: number;
  readonly lastSeenAtMs: number;
  readonly idleDeadlineMs: number;
  readonly absoluteDeadlineMs: number;
  readonly customerStatus: 'prospect' | 'active' | 'erased';
  readonly customerEpoch: number;
  readonly isHeld: boolean;
  /** Of the customer's row: null or past when he is not frozen. */
  readonly frozenUntilMs: number | null;
  /** undefined: a key that belongs to no device. */
  readonly device:
    | { readonly status: DeviceStatus; readonly attestationLevel: AttestationLevel }
    | undefined;
  readonly credentialStatus: 'active' | 'suspended' | 'revoked';
  /** The database's time at the reading. */
  readonly nowMs: number;
}

export type SessionStanding =
  | {
      readonly acr: Acr;
      readonly scopes: readonly string[];
      /** What it would carry too, were the customer not frozen. */
      readonly withheld: readonly string[];
      readonly idleMs: number;
      readonly absoluteMs: number;
    }
  | {
      readonly refused: Extract<
        ErrorCode,
        'session_ended' | 'customer_on_hold' | 'device_not_allowed'
      >;
    };

/** A session is good for no more than its device is good for now: a restricted one only reads. A freeze withholds what moves money or protects. */
export function judgeSession(
  facts: SessionFacts,
  policy: { readonly idleSeconds: number; readonly absoluteSeconds: number },
): SessionStanding {
  if (facts.isHeld) return { refused: 'customer_on_hold' };
  if (facts.status !== 'live' || facts.customerStatus !== 'active')
    return { refused: 'session_ended' };
  if (facts.epoch !== facts.customerEpoch) return { refused: 'session_ended' };
  const { idleMs, absoluteMs } = effectiveDeadlines(facts, policy);
  if (facts.nowMs >= idleMs) return { refused: 'session_ended' };
  const strength = loginStrength(facts.device);
  if (strength === undefined || facts.credentialStatus !== 'active')
    return { refused: 'device_not_allowed' };
  const carried = facts.scopes.filter((scope) => strength.scopes.includes(scope));
  const isFrozen = facts.frozenUntilMs !== null && facts.frozenUntilMs > facts.nowMs;
  const isWithheld = (scope: string) => isFrozen && FROZEN_SCOPES.includes(scope);
  return {
    acr: facts.acr < strength.acr ? facts.acr : strength.acr,
    scopes: carried.filter((scope) => !isWithheld(scope)),
    withheld: carried.filter(isWithheld),
    idleMs,
    absoluteMs,
  };
}
