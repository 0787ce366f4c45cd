/** What the API and the workflow answer in a life, as the specification reads it: a body, a refusal by its code, or that nobody heard. */
import { LatchkeyError } from '../../../../domain/errors.ts';
import type { Answer } from '../../callers.ts';
import type { Refused } from './calls.ts';

/** Nobody heard what came of it. */
const UNHEARD: ReadonlySet<string> = new Set([
  'conflict',
  'database_unavailable',
  'outcome_pending',
  'temporal_unavailable',
]);

/** So often a request is sent again under its key until somebody hears what came of it. */
const MOST_TRIES = 40;

class Problem extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** @throws Problem with its code */
export function bodyOf({ status, body }: Answer): Answer['body'] {
  if (status < 300) return body;
  const { code } = body as { readonly code?: string };
  if (code === undefined || code === 'internal_error')
    throw new Error(`nothing may be answered so: ${String(status)} ${JSON.stringify(body)}`);
  throw new Problem(code);
}

/** What a request that has a key came to. */
export async function heardOut(send: () => Promise<Answer>): Promise<Answer['body']> {
  for (let tries = 1; ; tries += 1) {
    const answer = await send();
    if (!UNHEARD.has(String(answer.body?.code)) || tries >= MOST_TRIES) return bodyOf(answer);
  }
}

export function heard(error: unknown): Refused | undefined {
  if (!(error instanceof LatchkeyError || error instanceof Problem)) throw error;
  if (UNHEARD.has(error.code)) return undefined;
  return { refused: error.code === 'ceremony_ended' ? 'closed' : error.code };
}
