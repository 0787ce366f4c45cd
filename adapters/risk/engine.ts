/** The risk engine of this process: the one that the configuration names, else the one without an opinion. */
import type { RiskEngine } from '../../domain/ports.ts';
import type { SignedCallOptions } from '../signed-http.ts';
import { embeddedRiskEngine } from './embedded.ts';
import { createHttpRiskEngine } from './signed-http.ts';

export function createRiskEngine(
  configured: { readonly url: string; readonly secret: string } | undefined,
  { clock }: Pick<SignedCallOptions, 'clock'>,
): RiskEngine {
  return configured === undefined
    ? embeddedRiskEngine
    : createHttpRiskEngine({ ...configured, clock });
}
