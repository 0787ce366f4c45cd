/**
 * Calls of the API by the contract: JSON in and out, one Idempotency-Key a logical operation, kept until its outcome is known, so that
 * a retry joins and never repeats. It must never retry what was answered with a decision.
 */
import type { Dpop } from './dpop.ts';
import { LatchkeyProblem, phoneProblem, problemOf } from './problem.ts';

/** 0.4, 0.8, 1.6 s: long enough for a lift or a tunnel's end, short enough that the customer still looks at the screen. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;

const WORTH_REPEATING: ReadonlySet<string> = new Set([
  'network_lost',
  'outcome_pending',
  'idempotency_in_progress',
  'shutting_down',
  // Also of a proof made just before a database came back: its memory of proofs is gone, so they are refused (SECURITY.md section 3).
  'dpop_proof_replayed',
]);

export interface Call {
  /** The operationId of the contract; stands in what observers are told. */
  readonly operation: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the issuer, such as `/auth/me`. */
  readonly path: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly accessToken?: string;
  /** Only for a key that was chosen and stored earlier; otherwise one is made for everything that changes something by JSON. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface HttpOptions {
  readonly issuer: string;
  readonly dpop: Dpop;
  readonly pause: (ms: number) => Promise<void>;
  /** Hears every refusal, also those that a retry mends. */
  readonly onProblem: (operation: string, problem: LatchkeyProblem) => void;
  /** Hears every success. */
  readonly onAnswer: (operation: string) => void;
}

export interface Http {
  /** `Answer` is the contract's word for it; the server validates what it sends. @throws LatchkeyProblem */
  call<Answer>(call: Call): Promise<Answer>;
}

export function createHttp(options: HttpOptions): Http {
  const keys = new Map<string, string>();

  const attempt = async (call: Call, idempotencyKey: string | undefined): Promise<unknown> => {
    const response = await send(options, call, idempotencyKey);
    if (!response.ok) throw await problemOf(response);
    return response.status === 204 ? undefined : readAnswer(response);
  };

  const repeat = async (call: Call, key: string | undefined): Promise<unknown> => {
    for (let round = 1; ; round += 1) {
      try {
        return await attempt(call, key);
      } catch (error) {
        if (!(error instanceof LatchkeyProblem)) throw error;
        options.onProblem(call.operation, error);
        const isWorthIt = WORTH_REPEATING.has(error.code) && call.signal?.aborted !== true;
        if (!isWorthIt || round >= ATTEMPTS) throw error;
        await options.pause(pauseMs(error, round));
      }
    }
  };

  return {
    call: async <Answer>(call: Call): Promise<Answer> => {
      const operation = `${call.method} ${call.path} ${JSON.stringify(call.json)}`;
      const needsKey = call.method !== 'GET' && call.form === undefined;
      const key = needsKey ? (call.idempotencyKey ?? keys.get(operation) ?? newKey()) : undefined;
      if (key !== undefined) keys.set(operation, key);
      try {
        const answer = await repeat(call, key);
        keys.delete(operation);
        options.onAnswer(call.operation);
        // The schemas of the contract say what a 2xx of this operation holds; test/unit/sdk-types.test.ts compares them.
        return answer as Answer;
      } catch (error) {
        if (error instanceof LatchkeyProblem && !error.isUndecided) keys.delete(operation);
        throw error;
      }
    },
  };
}

/** Random, opaque, visible ASCII. */
export function newKey(): string {
  return crypto.randomUUID();
}

async function send(
  { issuer, dpop }: HttpOptions,
  call: Call,
  idempotencyKey: string | undefined,
): Promise<Response> {
  const body =
    call.form === undefined ? JSON.stringify(call.json) : new URLSearchParams(call.form).toString();
  const type = call.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded';
  const hasBody = call.method === 'POST' || call.method === 'PUT';
  try {
    return await dpop.send({
      method: call.method,
      url: `${issuer}${call.path}`,
      headers: {
        accept: 'application/json',
        ...(hasBody ? { 'content-type': type } : {}),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(hasBody ? { body } : {}),
      ...(call.accessToken === undefined ? {} : { accessToken: call.accessToken }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
  } catch (cause) {
    if (call.signal?.aborted === true) throw cause;
    throw phoneProblem('network_lost', 'Nothing was answered.', cause);
  }
}

async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text().catch((cause: unknown) => {
    throw phoneProblem('network_lost', 'The answer broke off.', cause);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw phoneProblem('answer_unreadable', 'The answer is not JSON.', cause);
  }
}

function pauseMs({ retryAfterSeconds }: LatchkeyProblem, round: number): number {
  const ownMs = FIRST_PAUSE_MS * 2 ** (round - 1);
  return Math.min(LONGEST_PAUSE_MS, Math.max(ownMs, (retryAfterSeconds ?? 0) * 1_000));
}
