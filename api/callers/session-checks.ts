/**
 * Gathers the checks of an event-loop turn, and those that come while others are under way, into one statement a tenant. PostgreSQL is asked about
 * each request after it came: nothing is answered from an earlier answer, and what breaks one question never fails the others.
 */
import type { Database } from '../../db/connection.ts';
import { checkSessions } from '../../db/session-checks.ts';
import type { SessionAnswer, SessionQuestion } from '../../db/session-checks.ts';
import { LatchkeyError } from '../../domain/errors.ts';

/** A statement of so many takes a few milliseconds; more would make the first wait for the last. */
const MAX_BATCH = 64;
/** One is prepared while the other is answered. */
const MAX_UNDER_WAY = 2;

export interface SessionChecks {
  /** @throws LatchkeyError as Database.statement: the proof may then be spent. */
  check(tenantId: string, question: SessionQuestion): Promise<SessionAnswer>;
}

interface Waiting {
  readonly question: SessionQuestion;
  readonly resolve: (answer: SessionAnswer) => void;
  readonly reject: (error: unknown) => void;
}

export function createSessionChecks(database: Pick<Database, 'statement'>): SessionChecks {
  const queues = new Map<string, (waiting: Waiting) => void>();
  const queueOf = (tenantId: string) => {
    const found = queues.get(tenantId) ?? createQueue((batch) => ask(database, tenantId, batch));
    queues.set(tenantId, found);
    return found;
  };
  return {
    check: (tenantId, question) =>
      new Promise((resolve, reject) => {
        queueOf(tenantId)({ question, resolve, reject });
      }),
  };
}

/** `run` settles every member of its batch and never rejects. */
function createQueue(run: (batch: readonly Waiting[]) => Promise<void>) {
  let waiting: Waiting[] = [];
  let underWay = 0;
  let isScheduled = false;

  const drain = () => {
    isScheduled = false;
    while (waiting.length > 0 && underWay < MAX_UNDER_WAY) {
      const { batch, rest } = takeBatch(waiting);
      waiting = rest;
      underWay += 1;
      void run(batch).then(() => {
        underWay -= 1;
        drain();
      });
    }
  };
  return (one: Waiting) => {
    waiting.push(one);
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(drain);
  };
}

/** A proof that is shown twice waits for the next statement, which finds it spent. */
function takeBatch(waiting: readonly Waiting[]) {
  const batch: Waiting[] = [];
  const rest: Waiting[] = [];
  const proofs = new Set<string>();
  for (const one of waiting) {
    const { proof } = one.question;
    const id = proof === undefined ? undefined : Buffer.from(proof.jtiHash).toString('hex');
    const isTaken = batch.length < MAX_BATCH && (id === undefined || !proofs.has(id));
    if (id !== undefined) proofs.add(id);
    (isTaken ? batch : rest).push(one);
  }
  return { batch, rest };
}

async function ask(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  batch: readonly Waiting[],
): Promise<void> {
  try {
    const answers = await checkSessions(
      database,
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
    else await Promise.all(batch.map((one) => ask(database, tenantId, [one])));
  }
}
