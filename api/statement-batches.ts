/**
 * Gathers what comes in an event-loop turn, and while others are under way, into one statement a tenant. Each is asked after it came, alone has its own
 * fate, and never stands in a statement with another of the same key: that one waits for the next.
 */
import { LatchkeyError } from '../domain/errors.ts';

/** A statement of so many takes a few milliseconds; more would make the first wait for the last. */
const MAX_BATCH = 64;
/** One is prepared while the other is answered. */
const MAX_UNDER_WAY = 2;

export interface Batching<Question, Answer> {
  /** Answers in the order of the questions, at most 64 of them; all of it or nothing is done. */
  readonly ask: (tenantId: string, questions: readonly Question[]) => Promise<readonly Answer[]>;
  /** What only one question of a statement may name. */
  readonly keysOf: (question: Question) => readonly string[];
}

interface Waiting<Question, Answer> {
  readonly question: Question;
  readonly keys: readonly string[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatches<Question, Answer>(
  batching: Batching<Question, Answer>,
): (tenantId: string, question: Question) => Promise<Answer> {
  const queues = new Map<string, (waiting: Waiting<Question, Answer>) => void>();
  const queueOf = (tenantId: string) => {
    const found =
      queues.get(tenantId) ??
      createQueue<Waiting<Question, Answer>>((batch) => run(batching, tenantId, batch));
    queues.set(tenantId, found);
    return found;
  };
  return (tenantId, question) =>
    new Promise((resolve, reject) => {
      queueOf(tenantId)({ question, keys: batching.keysOf(question), resolve, reject });
    });
}

/** `settle` settles every member of its batch and never rejects. */
function createQueue<One extends { readonly keys: readonly string[] }>(
  settle: (batch: readonly One[]) => Promise<void>,
) {
  let waiting: One[] = [];
  let underWay = 0;
  let isScheduled = false;

  const drain = () => {
    isScheduled = false;
    while (waiting.length > 0 && underWay < MAX_UNDER_WAY) {
      const { batch, rest } = takeBatch(waiting);
      waiting = rest;
      underWay += 1;
      void settle(batch).then(() => {
        underWay -= 1;
        drain();
      });
    }
  };
  return (one: One) => {
    waiting.push(one);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(drain);
  };
}

function takeBatch<One extends { readonly keys: readonly string[] }>(waiting: readonly One[]) {
  const batch: One[] = [];
  const rest: One[] = [];
  const taken = new Set<string>();
  for (const one of waiting) {
    const isTaken = batch.length < MAX_BATCH && !one.keys.some((key) => taken.has(key));
    for (const key of one.keys) taken.add(key);
    (isTaken ? batch : rest).push(one);
  }
  return { batch, rest };
}

async function run<Question, Answer>(
  batching: Batching<Question, Answer>,
  tenantId: string,
  batch: readonly Waiting<Question, Answer>[],
): Promise<void> {
  try {
    const answers = await batching.ask(
      tenantId,
      batch.map(({ question }) => question),
    );
    for (const [place, { resolve }] of batch.entries()) {
      const answer = answers[place];
      if (answer === undefined) throw new TypeError('each question has its answer');
      resolve(answer);
    }
  } catch (error) {
    const isOut = error instanceof LatchkeyError && error.code === 'database_unavailable';
    if (isOut || batch.length === 1) for (const { reject } of batch) reject(error);
    // Nothing was done: a statement is one transaction. Alone, each has its own fate.
    else await Promise.all(batch.map((one) => run(batching, tenantId, [one])));
  }
}
