/**
 * Step-up challenges, RFC 9470: where an operation or a gateway asks for a stronger or a more recent login than the caller's. Scopes say what a
 * session may do; this says how sure one must be that it is the customer.
 */
import type { Acr } from '../../domain/auth-strength.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import type { CustomerCaller } from '../types.ts';

export interface StrengthAsked {
  /** At least this. */
  readonly acr?: Acr;
  /** The passkey was used no longer ago. */
  readonly maxAgeSeconds?: number;
}

/** @throws LatchkeyError insufficient_user_authentication, with everything that is asked: one new login shall be enough. */
export function requireStrength(
  { acr, maxAgeSeconds }: StrengthAsked,
  caller: Pick<CustomerCaller, 'acr' | 'claims'>,
  nowMs: number,
): void {
  const isStrong = acr === undefined || caller.acr >= acr;
  const ageSeconds = nowMs / 1000 - (caller.claims.auth_time ?? 0);
  const isRecent = maxAgeSeconds === undefined || ageSeconds <= maxAgeSeconds;
  if (isStrong && isRecent) return;
  throw new LatchkeyError('insufficient_user_authentication', {
    extra: {
      ...(acr === undefined ? {} : { acr_values: acr }),
      ...(maxAgeSeconds === undefined ? {} : { max_age: maxAgeSeconds }),
    },
  });
}
