/**
 * The requester's side of step-ups as the demo bank's payments service calls it: ask, wait, use once, cancel. A call whose answer was lost goes again
 * under its first key, so that nothing is asked for or used twice. It must never decide that something was approved.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isRecord } from './local-http.ts';
import type { MachineClient } from './machine-client.ts';

const ATTEMPTS = 6;
const PAUSE_MS = 500;
const WAIT_SECONDS = 20;
const WAIT_TIMEOUT_MS = 30_000;
/** Still to be answered by the customer. */
const UNANSWERED: ReadonlySet<string> = new Set(['pending', 'second_factor']);

type Members = Readonly<Record<string, unknown>>;

/** Status and members of an answer of the API, a refusal's too. */
export interface RequesterAnswer {
  readonly status: number;
  readonly body: Members;
  readonly retryAfterSeconds?: number;
}

export interface StepUpRequest {
  readonly customerId: string;
  readonly sessionId: string;
  readonly deviceId?: string;
  readonly action: Members;
  readonly reference: string;
  readonly locale: string;
}

export interface Requester {
  ask(request: StepUpRequest, key: string): Promise<RequesterAnswer>;
  /** Waits until the customer has answered or it has ended; undefined when `signal` came first. */
  answered(stepUpId: string, signal: AbortSignal): Promise<RequesterAnswer | undefined>;
  consume(stepUpId: string, action: Members, key: string): Promise<RequesterAnswer>;
  cancel(stepUpId: string): Promise<RequesterAnswer>;
}

export function createRequester(client: Pick<MachineClient, 'call'>): Requester {
  const post = (path: string, body: Members, idempotencyKey: string) =>
    untilAnswered(() => client.call({ method: 'POST', path, body, idempotencyKey }));
  return {
    ask: (request, key) => post('/step-ups', { ...request }, key),
    answered: async (stepUpId, signal) => {
      while (!signal.aborted) {
        const answer = await untilAnswered(() =>
          client.call({
            method: 'GET',
            path: `/step-ups/${stepUpId}`,
            query: new URLSearchParams({ wait: String(WAIT_SECONDS) }),
            signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_TIMEOUT_MS)]),
          }),
        ).catch((error: unknown) => {
          if (!signal.aborted) throw error;
          return undefined;
        });
        if (answer === undefined) return undefined;
        if (answer.status !== 200 || !UNANSWERED.has(String(answer.body['status']))) return answer;
      }
      return undefined;
    },
    consume: (stepUpId, action, key) => post(`/step-ups/${stepUpId}/consume`, { action }, key),
    cancel: (stepUpId) => post(`/step-ups/${stepUpId}/cancel`, {}, `cancel-${stepUpId}`),
  };
}

/** Neither a lost answer nor a part that is down decides anything. */
async function untilAnswered(call: () => Promise<Response>): Promise<RequesterAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === ATTEMPTS;
    const answer = await call().catch((error: unknown) => {
      if (isLast) throw error;
      return undefined;
    });
    if (answer !== undefined && (isLast || answer.status < 500)) return await read(answer);
    await answer?.body?.cancel();
    await pause(PAUSE_MS * attempt);
  }
}

async function read(answer: Response): Promise<RequesterAnswer> {
  const body: unknown = await answer.json().catch(() => undefined);
  const seconds = answer.headers.get('retry-after');
  return {
    status: answer.status,
    body: isRecord(body) ? body : {},
    ...(seconds === null ? {} : { retryAfterSeconds: Number(seconds) }),
  };
}
