/**
 * A call of one of the bank's services with the customer's token and its proof; the gateway in front judges both. The token must go
 * to services of the bank only: its proof names the address, so elsewhere it is worth nothing.
 */
import type { Dpop } from './dpop.ts';
import { phoneProblem, problemOf } from './problem.ts';
import type { LatchkeyProblem } from './problem.ts';

export interface ServiceCall {
  /** Stands in what observers are told. */
  readonly operation: string;
  readonly url: string;
  readonly accessToken: string;
  /** Sent as JSON by POST, and signed by the session key; without one it is a GET. */
  readonly signedJson?: unknown;
  readonly onProblem: (operation: string, problem: LatchkeyProblem) => void;
  readonly onAnswer: (operation: string) => void;
}

/** The service's JSON. @throws LatchkeyProblem when the gateway or the service refuses. */
export async function callService(dpop: Dpop, call: ServiceCall): Promise<unknown> {
  const { operation, url, accessToken, onProblem, onAnswer } = call;
  const sent =
    call.signedJson === undefined
      ? ({ method: 'GET' } as const)
      : ({
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(call.signedJson),
          isSigned: true,
        } as const);
  const response = await dpop.send({ ...sent, url, accessToken }).catch((cause: unknown) => {
    throw phoneProblem('network_lost', 'Nothing was answered.', cause);
  });
  if (response.ok) {
    onAnswer(operation);
    return response.json();
  }
  const problem = await problemOf(response);
  onProblem(operation, problem);
  throw problem;
}
