/** Whether a login needs one more proof than its passkey: the tenant's policy names the risk from which it does. */
import type { Policy } from './policy.ts';
import type { Risk } from './ports.ts';

/** `not_evaluated` is an engine without an opinion or without an answer: medium, never low. */
const RANKS = { low: 1, not_evaluated: 2, medium: 2, high: 3 } as const satisfies Record<
  Risk,
  number
>;

export function needsFactor(
  risk: Risk,
  { secondFactorFromRisk }: Pick<Policy['login'], 'secondFactorFromRisk'>,
): boolean {
  return RANKS[risk] >= secondFactorFromRisk;
}
