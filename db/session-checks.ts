/**
 * The check that every request of an app goes through: many of one tenant in one statement, each spends its proof and reads its session. It takes no
 * lock on a session and remembers nothing; what a session is good for, domain/session-standing.ts judges afterwards.
 */
import type { Database } from './connection.ts';
import { proofSlot, type ProofMark } from './dpop.ts';
import { sessionColumns, sessionTables, toSessionRecord } from './sessions.ts';
import type { SessionRecord, SessionRow } from './sessions.ts';

export interface SessionQuestion {
  readonly sessionId: string;
  /** undefined: it may be used again. */
  readonly proof: ProofMark | undefined;
}

export interface SessionAnswer {
  /** false: the proof was used before, or is older than the memory of proofs. */
  readonly isFresh: boolean;
  /** undefined: there is no such session. */
  readonly session: SessionRecord | undefined;
}

type AnswerRow = { readonly place: number; readonly isFresh: boolean } & (
  | SessionRow
  | { readonly sessionId: null }
);

/** Answers in the order of the questions, in which no proof may stand twice. */
export async function checkSessions(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  questions: readonly SessionQuestion[],
): Promise<readonly SessionAnswer[]> {
  const rows = await database.statement<AnswerRow>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<AnswerRow[]>`
      with ${bound}, t as materialized (select latchkey_now() as now, latchkey_started_at() as started from bound),
      asked as materialized (
        select place, session, slot, decode(jti, 'hex') as jti_hash, to_timestamp(issued_ms / 1000.0) as issued_at
        from jsonb_to_recordset(${sql.json(asked(questions))}) as q(place integer, session text, slot smallint, jti text, issued_ms bigint)),
      proof as (
        insert into dpop_jti (tenant_id, slot, jti_hash, seen_at)
        select latchkey_tenant(), a.slot, a.jti_hash, t.now from t, asked a
        where ${isBound} and a.jti_hash is not null and a.issued_at >= t.started
        -- In one order, so that two batches with the same proofs wait for each other instead of for ever.
        order by a.slot, a.jti_hash
        on conflict do nothing returning slot, jti_hash)
      select a.place, a.jti_hash is null or p.jti_hash is not null as is_fresh, found.*
      from asked a
      left join proof p on p.slot = a.slot and p.jti_hash = a.jti_hash
      left join lateral (
        select ${sessionColumns(sql)} from t, ${sessionTables(sql)}
        where ${isBound} and s.tenant_id = ${tenantId} and s.session_id = a.session
        -- One row there is anyway: the limit keeps PostgreSQL to looking each up by its key, however many there are.
        limit 1) found on true`,
  });
  const answers = new Map(rows.map((row) => [row.place, toAnswer(row)]));
  return questions.map((_, place) => {
    const answer = answers.get(place);
    if (answer === undefined) throw new TypeError('each question has its row');
    return answer;
  });
}

function asked(questions: readonly SessionQuestion[]) {
  return questions.map(({ sessionId, proof }, place) => ({
    place,
    session: sessionId,
    ...(proof === undefined ? {} : asMark(proof)),
  }));
}

function asMark({ jtiHash, issuedAtMs }: ProofMark) {
  const jti = Buffer.from(jtiHash).toString('hex');
  return { slot: proofSlot(issuedAtMs), jti, issued_ms: issuedAtMs };
}

function toAnswer(row: AnswerRow): SessionAnswer {
  const { isFresh } = row;
  return { isFresh, session: row.sessionId === null ? undefined : toSessionRecord(row) };
}
