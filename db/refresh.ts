/**
 * Every refresh but the ordinary one (db/refresh-statement.ts), as a transaction: the row is read, domain/refresh.ts decides, and one statement
 * that repeats every condition acts. It is a recallable grant (SECURITY.md section 1): joined with the customer on epoch and status, without a
 * lock on that row, under the epoch the session began with. Losing the compare-and-set means reading again. No token passes here, only hashes.
 */
import type { ErrorCode } from '../domain/errors.ts';
import { decideRefresh, troubledGenerations, type RefreshDecision } from '../domain/refresh.ts';
import { judgeSession, type SessionStanding } from '../domain/session-standing.ts';
import { appendAudit } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { touchCustomer } from './customer-lock.ts';
import { insertProof, spendProof } from './dpop.ts';
import { enqueue } from './outbox.ts';
import { activePolicy, type PolicyVersion } from './policies.ts';
import { stillStands, toNext, type NextTerms } from './refresh-statement.ts';
import type { Rotation, StandingTerms } from './refresh-statement.ts';
import { endSessions } from './session-ends.ts';
import { readSession, type SessionRecord } from './sessions.ts';

export interface Refresh extends Rotation {
  /** Whether rotateAtOnce() has spent the proof. */
  readonly isProofSpent: boolean;
  /** Hash of the shown token's successor, made again with the salt and the key that made it. */
  readonly successorOf: (salt: Uint8Array, keyId: string) => Uint8Array;
}

export type RefreshOutcome =
  | {
      readonly kind: 'granted';
      readonly because: 'rotate' | 'redeliver';
      readonly session: SessionRecord;
      /** What the session is good for now. */
      readonly standing: Exclude<SessionStanding, { refused: unknown }>;
      readonly policy: PolicyVersion;
    }
  /** What was written about it, if anything, stays: throw only after the commit. */
  | {
      readonly kind: 'refused';
      readonly code: ErrorCode;
      readonly because: RefreshDecision | 'session' | 'replay';
    };

/** Each round was lost to another refresh of the same family, which moved it: three are enough for any order of two. */
const MAX_ROUNDS = 5;

export async function refreshSession(tx: Tx, refresh: Refresh): Promise<RefreshOutcome> {
  const outcome = await decideAndAct(tx, refresh);
  noteFact(tx, { kind: 'refresh_decided', outcome: outcome.because });
  return outcome;
}

async function decideAndAct(tx: Tx, given: Refresh): Promise<RefreshOutcome> {
  const policy = await activePolicy(tx, given.tenantId);
  // What a replica remembers of the policy may be some seconds old: here it never decides.
  const refresh = { ...given, policy };
  let { isProofSpent } = given;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const session = await readSession(tx, refresh.tenantId, refresh.sessionId);
    const refusal = refuseBeforeTable(session, refresh, policy);
    if (session === undefined || refusal !== undefined) {
      if (!isProofSpent && !(await spendProof(tx, refresh.proof))) return replayed();
      return { kind: 'refused', code: refusal ?? 'session_ended', because: 'session' };
    }
    const decision = decide(session, refresh, policy);
    if (decision === 'wrong_key') return refuse(decision);
    if (decision !== 'rotate' && !isProofSpent) {
      if (!(await spendProof(tx, refresh.proof))) return replayed();
      isProofSpent = true;
    }
    if (decision !== 'rotate' && decision !== 'redeliver') {
      if (await recordRefusal(tx, session, refresh, decision)) return refuse(decision);
      continue;
    }
    const moved =
      decision === 'rotate'
        ? await rotate(tx, session, refresh, isProofSpent)
        : await redeliver(tx, session, refresh);
    if (moved === 'replayed') return replayed();
    isProofSpent = true;
    if (moved === 'moved') return await granted(tx, refresh, policy, decision);
  }
  // Never a guess: the client tries again with the same request id.
  return { kind: 'refused', code: 'conflict', because: 'session' };
}

function refuseBeforeTable(
  session: SessionRecord | undefined,
  refresh: Refresh,
  policy: PolicyVersion,
): ErrorCode | undefined {
  if (session === undefined || session.clientId !== refresh.app.clientId) return 'session_ended';
  const standing = judgeSession(session, policy.document.session);
  return 'refused' in standing ? standing.refused : undefined;
}

function decide(session: SessionRecord, refresh: Refresh, policy: PolicyVersion): RefreshDecision {
  const expected =
    refresh.generation === session.generation ? session.currentHash : session.previousHash;
  return decideRefresh(
    { ...session, isRequestNamed: session.requestHash !== null },
    {
      generation: refresh.generation,
      isKeyRight: session.jkt === refresh.jkt,
      isHashRight: isSame(expected, refresh.hash),
      isSameRequest: isSame(session.requestHash, refresh.requestHash ?? null),
    },
    policy.document.session,
  );
}

/** Hashes of what the caller showed: telling them apart in constant time protects nothing. */
function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.from(one).equals(other);
}

async function rotate(
  tx: Tx,
  session: SessionRecord,
  refresh: Refresh,
  isProofSpent: boolean,
): Promise<'moved' | 'lost' | 'replayed'> {
  const [row] = await tx<{ isFresh: boolean; isMoved: boolean }[]>`
    with t as materialized (select latchkey_now() as now),
    proof as (${isProofSpent ? tx`select 1` : insertProof(tx, refresh.proof)}),
    rotated as (
      update session s set ${toNext(tx, nextOf(refresh, troubledGenerations(session)))}
      from t, customer c
      where exists (select from proof) and s.generation = ${refresh.generation} and s.current_hash = ${refresh.hash}
        and s.redeliveries = ${session.redeliveries} and ${stillStands(tx, standingOf(refresh))}
      returning 1)
    select exists (select from proof) as is_fresh, exists (select from rotated) as is_moved`;
  if (row === undefined) throw new TypeError('a select without a table answers one row');
  if (!row.isFresh) return 'replayed';
  return row.isMoved ? 'moved' : 'lost';
}

function nextOf({ next, requestHash, policy }: Refresh, troubled: number): NextTerms {
  const { idleSeconds } = policy.document.session;
  return { ...next, requestHash: requestHash ?? null, idleSeconds, troubled };
}

function standingOf({ tenantId, sessionId, jkt, policy }: Refresh): StandingTerms {
  const { idleSeconds, absoluteSeconds } = policy.document.session;
  return { tenantId, sessionId, jkt, idleSeconds, absoluteSeconds };
}

async function redeliver(
  tx: Tx,
  session: SessionRecord,
  refresh: Refresh,
): Promise<'moved' | 'lost'> {
  const { maxRedeliveries } = refresh.policy.document.session;
  const again = refresh.successorOf(session.salt, session.keyId);
  const { count } = await tx`
    with t as materialized (select latchkey_now() as now)
    update session s set redeliveries = s.redeliveries + 1
    from t, customer c
    where s.generation = ${refresh.generation + 1} and s.previous_hash = ${refresh.hash} and s.current_hash = ${again}
      and s.request_hash is not distinct from ${refresh.requestHash ?? null} and s.redeliveries < ${maxRedeliveries}
      and ${stillStands(tx, standingOf(refresh))}`;
  return count === 1 ? 'moved' : 'lost';
}

async function granted(
  tx: Tx,
  refresh: Refresh,
  policy: PolicyVersion,
  because: 'rotate' | 'redeliver',
): Promise<RefreshOutcome> {
  const session = await readSession(tx, refresh.tenantId, refresh.sessionId);
  if (session === undefined) throw new TypeError('a session moved is there');
  const standing = judgeSession(session, policy.document.session);
  if ('refused' in standing) return { kind: 'refused', code: standing.refused, because: 'session' };
  return { kind: 'granted', because, session, standing, policy };
}

/** false: the row moved on before the family could be ended; decide again. */
async function recordRefusal(
  tx: Tx,
  session: SessionRecord,
  { tenantId, generation, app: { clientId } }: Refresh,
  decision: RefreshDecision,
): Promise<boolean> {
  const { sessionId, customerId } = session;
  const actor = { kind: 'customer', id: customerId } as const;
  if (decision === 'reused') {
    await touchCustomer(tx, tenantId, customerId);
    const ended = await endSessions(tx, {
      tenantId,
      customerId,
      sessions: { only: sessionId },
      reason: 'reuse_detected',
      actor,
    });
    if (ended.length === 0) return false;
  }
  if (decision === 'reused' || decision === 'superseded') {
    await tx`
      update session set risk = 'high' where tenant_id = ${tenantId} and session_id = ${sessionId}`;
    await enqueue(tx, {
      tenantId,
      topic: 'event',
      subject: customerId,
      payload: {
        type: decision === 'reused' ? 'bank.app.refresh_reused' : 'bank.app.refresh_superseded',
        data: { customerId, sessionId, shown: generation, current: session.generation },
      },
    });
  }
  await appendAudit(tx, {
    tenantId,
    actor,
    action: `refresh.${decision}`,
    subject: { kind: 'session', id: sessionId },
    customerId,
    detail: { shown: generation, current: session.generation, clientId },
  });
  return true;
}

function refuse(because: RefreshDecision): RefreshOutcome {
  return { kind: 'refused', code: CODES[because], because };
}

function replayed(): RefreshOutcome {
  return { kind: 'refused', code: 'dpop_proof_replayed', because: 'replay' };
}

const CODES: Readonly<Record<RefreshDecision, ErrorCode>> = {
  superseded: 'refresh_superseded',
  reused: 'refresh_reused',
  wrong_key: 'dpop_key_mismatch',
  redelivery_exhausted: 'refresh_token_invalid',
  future: 'refresh_token_invalid',
  passkey_needed: 'refresh_token_invalid',
  unknown: 'refresh_token_invalid',
  // Grants: never a refusal.
  rotate: 'internal_error',
  redeliver: 'internal_error',
};
