/**
 * Risk through any engine that takes the generic signed call: POST <url>/evaluations with customer, action and device as ids, answered by
 * {risk}. Somebody waits meanwhile, so it has less time than other suppliers. It must never make a risk of an answer that is none.
 */
import { LatchkeyError } from '../../domain/errors.ts';
import type { Risk, RiskEngine } from '../../domain/ports.ts';
import { postSigned } from '../signed-http.ts';
import type { SignedCallOptions } from '../signed-http.ts';

const TIMEOUT_MS = 800;
const RISKS: readonly Risk[] = ['not_evaluated', 'low', 'medium', 'high'];

export function createHttpRiskEngine({
  url,
  ...options
}: SignedCallOptions & { readonly url: string }): RiskEngine {
  const evaluationsUrl = `${url.replace(/\/+$/, '')}/evaluations`;
  return {
    evaluate: async ({ customerId, action, deviceId }) => {
      const content = { customerId, action, ...(deviceId === undefined ? {} : { deviceId }) };
      return riskOf(
        await postSigned(evaluationsUrl, content, { timeoutMs: TIMEOUT_MS, ...options }),
      );
    },
  };
}

function riskOf(answer: unknown): Risk {
  const found =
    typeof answer === 'object' && answer !== null && 'risk' in answer ? answer.risk : undefined;
  const risk = RISKS.find((known) => known === found);
  if (risk !== undefined) return risk;
  throw new LatchkeyError('vendor_refused', { cause: new Error('the answer has no risk') });
}
