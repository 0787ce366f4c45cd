/**
 * The checks of sessions, gathered into statements. PostgreSQL is asked about each request after it came: nothing is answered from an earlier answer,
 * and what breaks one question never fails the others.
 */
import type { Database } from '../../db/connection.ts';
import { checkSessions } from '../../db/session-checks.ts';
import type { SessionAnswer, SessionQuestion } from '../../db/session-checks.ts';
import { createBatches } from '../statement-batches.ts';

export interface SessionChecks {
  /** @throws LatchkeyError as Database.statement: the proof may then be spent. */
  check(tenantId: string, question: SessionQuestion): Promise<SessionAnswer>;
}

export function createSessionChecks(database: Pick<Database, 'statement'>): SessionChecks {
  return {
    check: createBatches<SessionQuestion, SessionAnswer>({
      ask: (tenantId, questions) => checkSessions(database, tenantId, questions),
      // A proof that is shown twice waits for the next statement, which finds it spent.
      keysOf: ({ proof }) =>
        proof === undefined ? [] : [Buffer.from(proof.jtiHash).toString('hex')],
    }),
  };
}
