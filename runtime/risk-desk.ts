/**
 * The demo's risk engine: answers signed questions with what the stage has set, for logins and for everything else apart. It must never hang:
 * an engine that is down closes the line.
 */
import type { Clock } from '../domain/clock.ts';
import { readObject } from './local-http.ts';
import type { LocalAnswer, LocalRequest } from './local-http.ts';
import { isSignedBody, SIGNATURE_HEADER } from './vendor-signature.ts';

export const DEMO_RISKS = ['low', 'medium', 'high', 'silent'] as const;
/** silent: the engine is down. */
export type DemoRisk = (typeof DEMO_RISKS)[number];

/** How risky the next logins and the next approvals are. */
export interface DemoRisks {
  readonly logins: DemoRisk;
  readonly approvals: DemoRisk;
}

const CALM: DemoRisks = { logins: 'low', approvals: 'low' };

export interface RiskDesk {
  risks(): DemoRisks;
  /** Members left out stay. undefined: refused, for a word that is none. */
  set(body: string): DemoRisks | undefined;
  calm(): void;
  /** undefined: it has closed the line. */
  answer(request: LocalRequest): LocalAnswer | undefined;
}

export function createRiskDesk({
  secret,
  clock,
}: {
  readonly secret: string;
  readonly clock: Clock;
}): RiskDesk {
  let risks = CALM;
  return {
    risks: () => risks,
    set: (body) => {
      const wanted = { ...risks, ...readObject(body) };
      const logins = DEMO_RISKS.find((known) => known === wanted.logins);
      const approvals = DEMO_RISKS.find((known) => known === wanted.approvals);
      if (logins === undefined || approvals === undefined) return undefined;
      risks = { logins, approvals };
      return risks;
    },
    calm: () => {
      risks = CALM;
    },
    answer: ({ method, url, headers, body, response }) => {
      const header = headers[SIGNATURE_HEADER];
      const signature = typeof header === 'string' ? header : undefined;
      if (!isSignedBody(signature, { secret, body }, clock.nowMs()))
        return { status: 401, body: { error: 'wrong_signature' } };
      if (method !== 'POST' || url.pathname !== '/risk/evaluations')
        return { status: 404, body: { error: 'not_found' } };
      const risk = readObject(body)?.['action'] === 'log_in' ? risks.logins : risks.approvals;
      if (risk !== 'silent') return { status: 200, body: { risk } };
      response.destroy();
      return undefined;
    },
  };
}
