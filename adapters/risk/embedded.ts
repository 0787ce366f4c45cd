/** The embedded risk engine has no opinion and says so: policy treats `not_evaluated` as medium, never as low. */
import type { RiskEngine } from '../../domain/ports.ts';

export const embeddedRiskEngine: RiskEngine = { evaluate: () => Promise.resolve('not_evaluated') };
