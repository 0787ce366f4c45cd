/**
 * Checks of the person at a liveness vendor as rows: one open at a time, bound to the case and to the key of the new phone. A verdict of another
 * reference, session, case or key is not found; one that nobody waits for is written down and moves nothing. No picture is ever kept here.
 */
import { LatchkeyError } from '../domain/errors.ts';
import {
  judgeLiveness,
  type LivenessClientParameters,
  type LivenessOutcome,
} from '../domain/liveness.ts';
import { refusalOf, type RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { livenessAttempts } from './recovery-facts.ts';
import { insertFactor } from './recovery-ledger.ts';
import { lockRecovery } from './recovery-moves.ts';
import { readRecovery, ringRecovery, type RecoveryRecord, type RecoveryTools } from './recovery.ts';
import { supersedeAttempts } from './step-attempts.ts';

export const LIVENESS_STEP = 'identity';

export interface LivenessSubject extends RecoverySubject {
  readonly attemptId: string;
}

export interface OpenedLiveness {
  readonly attemptId: string;
  /** After this one. */
  readonly attemptsLeft: number;
}

/**
 * A new attempt supersedes the former. `jkt`: of the key that asks, which must be the new phone's.
 * @throws LatchkeyError recovery_not_found, wrong_step (or how it stands), ceremony_expired, attempts_exhausted.
 */
export async function openLivenessAttempt(
  tx: Tx,
  { newId }: RecoveryTools,
  args: RecoverySubject & { readonly jkt: string },
): Promise<OpenedLiveness> {
  const { tenantId, recoveryId, jkt } = args;
  const record = await lockRecovery(tx, args);
  if (record === undefined || record.jkt !== jkt) throw new LatchkeyError('recovery_not_found');
  const { state, stepDeadlineMs, deadlineMs, nowMs, policy } = record;
  if (state !== 'identity') throw new LatchkeyError(refusalOf(record), { extra: { state } });
  const lastMomentMs = Math.min(deadlineMs, stepDeadlineMs ?? Infinity);
  if (nowMs >= lastMomentMs) throw new LatchkeyError('ceremony_expired', { extra: { state } });
  const { begun } = await livenessAttempts(tx, record);
  const attemptsLeft = policy.recovery.maxLivenessAttempts - begun - 1;
  if (attemptsLeft < 0) throw new LatchkeyError('attempts_exhausted');
  await supersedeAttempts(tx, { tenantId, ceremonyId: recoveryId, step: LIVENESS_STEP });
  const attemptId = newId('attempt');
  await tx`
    insert into step_attempt (tenant_id, attempt_id, ceremony_id, step, method, status, created_at, expires_at, jkt)
    values (${tenantId}, ${attemptId}, ${recoveryId}, ${LIVENESS_STEP}, 'liveness_vendor', 'open', latchkey_now(),
            ${new Date(lastMomentMs)}, ${jkt})`;
  await audit(tx, record, { action: 'recovery.liveness_begun', attemptId, attemptsLeft });
  await ringRecovery(tx, args);
  return { attemptId, attemptsLeft };
}

/** What the vendor is asked. */
export interface LivenessQuestion {
  readonly caseId: string;
  readonly newJkt: string;
  /** Of the identity that was proofed at enrollment; null when nobody was. */
  readonly referenceImageId: string | null;
  readonly vendorSession: string | null;
  readonly expiresAtMs: number | null;
}

/** undefined: nobody waits for an answer any more. */
export async function livenessQuestion(
  tx: Tx,
  { tenantId, recoveryId, attemptId }: LivenessSubject,
): Promise<LivenessQuestion | undefined> {
  const [row] = await tx<
    {
      newJkt: string;
      referenceImageId: string | null;
      vendorSession: string | null;
      expiresAt: Date | null;
    }[]
  >`
    select a.jkt as new_jkt, p.evidence_id as reference_image_id, a.vendor_reference as vendor_session, a.vendor_expires_at as expires_at
    from step_attempt a join ceremony c using (tenant_id, ceremony_id)
    join customer using (tenant_id, customer_id) left join person p on p.tenant_id = customer.tenant_id and p.person_id = customer.person_id
    where a.tenant_id = ${tenantId} and a.ceremony_id = ${recoveryId} and a.attempt_id = ${attemptId} and a.method = 'liveness_vendor'
      and a.status = 'open' and a.expires_at > latchkey_now() and c.kind = 'recovery' and c.state = 'identity'`;
  if (row === undefined) return undefined;
  const { expiresAt, ...question } = row;
  return { ...question, caseId: recoveryId, expiresAtMs: expiresAt?.getTime() ?? null };
}

export interface LivenessSession extends LivenessSubject {
  readonly vendorSession: string;
  readonly expiresAtMs: number;
  /** For the vendor's own part of the app: sealed, since it may open the session to whoever has it. */
  readonly clientParameters: LivenessClientParameters;
}

const CLIENT_PURPOSE = 'step_attempt.liveness';

/** The vendor's session of an open attempt; the first stays, so that a repeated start finds the same. */
export async function recordLivenessSession(
  tx: Tx,
  { personalData }: RecoveryTools,
  session: LivenessSession,
): Promise<void> {
  const { tenantId, recoveryId, attemptId, clientParameters } = session;
  const record = await readRecovery(tx, session);
  if (record === undefined) return;
  const target = { tenantId, customerId: record.customerId, purpose: CLIENT_PURPOSE };
  await tx`
    update step_attempt
    set vendor_reference = ${session.vendorSession}, vendor_expires_at = ${new Date(session.expiresAtMs)},
        sealed_detail = ${await personalData.seal(tx, target, JSON.stringify(clientParameters))}
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and attempt_id = ${attemptId}
      and method = 'liveness_vendor' and status = 'open' and vendor_reference is null`;
}

/** As the vendor signed it, or was asked for it. */
export interface LivenessVerdict {
  readonly tenantId: string;
  /** What the attempt was started under. */
  readonly attemptId: string;
  readonly vendorSession: string;
  readonly caseId: string;
  readonly newJkt: string;
  readonly outcome: LivenessOutcome;
  /** Of a hundred. */
  readonly livenessConfidence: number;
  readonly matchConfidence: number | null;
  readonly evidenceId: string;
  readonly vendorId: string;
}

/**
 * `late`: there was one already, or nobody waits for it any more; undefined: there is no such check. Whether it passed is judged by the
 * policy that the case pinned. Safe to repeat.
 */
export async function recordLivenessVerdict(
  tx: Tx,
  tools: RecoveryTools,
  verdict: LivenessVerdict,
): Promise<
  | { readonly result: 'recorded'; readonly isPassed: boolean }
  | { readonly result: 'late' }
  | undefined
> {
  const { tenantId, attemptId, caseId, newJkt, vendorSession, evidenceId } = verdict;
  const record = await lockRecovery(tx, { tenantId, recoveryId: caseId });
  if (record === undefined) return undefined;
  // Under the case's lock: nobody else writes its attempts.
  const [attempt] = await tx<{ status: string; verdict: string | null; isInTime: boolean }[]>`
    select status, verdict, expires_at > latchkey_now() as is_in_time from step_attempt
    where tenant_id = ${tenantId} and attempt_id = ${attemptId} and ceremony_id = ${caseId} and method = 'liveness_vendor'
      and jkt = ${newJkt} and vendor_reference = ${vendorSession}`;
  if (attempt === undefined) return undefined;
  if (attempt.verdict !== null) return { result: 'late' };
  const isWaitedFor =
    attempt.status === 'open' &&
    attempt.isInTime &&
    record.state === 'identity' &&
    record.jkt === newJkt;
  const judged = judge(verdict, record);
  const isPassed = judged === 'passed';
  const status = isPassed ? 'matched' : 'failed';
  await tx`
    update step_attempt
    set verdict = ${judged}, evidence_id = ${evidenceId}, liveness_confidence = ${verdict.livenessConfidence},
        match_confidence = ${verdict.matchConfidence}, status = ${isWaitedFor ? status : attempt.status}
    where tenant_id = ${tenantId} and attempt_id = ${attemptId}`;
  const action = isWaitedFor ? 'recovery.liveness_judged' : 'recovery.liveness_late';
  await audit(tx, record, { action, attemptId, verdict: judged });
  if (!isWaitedFor) return { result: 'late' };
  if (isPassed)
    await insertFactor(tx, tools, record, {
      method: 'liveness',
      evidenceId,
      handset: null,
      isOnReportedHandset: false,
      by: { kind: 'vendor', id: verdict.vendorId },
    });
  await ringRecovery(tx, { tenantId, recoveryId: caseId });
  return { result: 'recorded', isPassed };
}

/** What the vendor calls passed has to reach the case's own figures; in doubt it did not pass. */
function judge(verdict: LivenessVerdict, { policy }: RecoveryRecord): LivenessOutcome {
  const isMatched = judgeLiveness(verdict, policy.recovery) === 'matched';
  return verdict.outcome === 'passed' && !isMatched ? 'low_confidence' : verdict.outcome;
}

/** The vendor's session is over without a verdict: counted as one that ran out of time. false: it was over already. */
export async function closeLivenessAttempt(
  tx: Tx,
  { tenantId, recoveryId, attemptId }: LivenessSubject,
): Promise<boolean> {
  const record = await lockRecovery(tx, { tenantId, recoveryId });
  if (record === undefined) return false;
  const { count } = await tx`
    update step_attempt set status = 'failed', verdict = 'timed_out'
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and attempt_id = ${attemptId} and method = 'liveness_vendor'
      and status = 'open' and verdict is null`;
  if (count === 0) return false;
  await audit(tx, record, { action: 'recovery.liveness_judged', attemptId, verdict: 'timed_out' });
  await ringRecovery(tx, record);
  return true;
}

export interface LivenessStanding {
  readonly attemptId: string;
  readonly status: string;
  readonly verdict: LivenessOutcome | null;
  readonly vendorSession: string | null;
  readonly vendorExpiresAtMs: number | null;
  /** Only while the vendor waits: they may open the session to whoever has them. */
  readonly clientParameters: LivenessClientParameters | null;
  readonly attemptsLeft: number;
}

/** How the newest check stands, for whoever waits for it. */
export async function latestLiveness(
  tx: Tx,
  { personalData }: Pick<RecoveryTools, 'personalData'>,
  subject: RecoverySubject,
): Promise<LivenessStanding | undefined> {
  const record = await readRecovery(tx, subject);
  if (record === undefined) return undefined;
  const { tenantId, recoveryId, customerId, policy } = record;
  const [row] = await tx<
    (Omit<LivenessStanding, 'clientParameters' | 'attemptsLeft' | 'vendorExpiresAtMs'> & {
      readonly vendorExpiresAt: Date | null;
      readonly sealedDetail: Uint8Array | null;
    })[]
  >`
    select attempt_id, status, verdict, vendor_reference as vendor_session, vendor_expires_at, sealed_detail from step_attempt
    where tenant_id = ${tenantId} and ceremony_id = ${recoveryId} and method = 'liveness_vendor'
    order by created_at desc, attempt_id desc limit 1`;
  if (row === undefined) return undefined;
  const { vendorExpiresAt, sealedDetail, ...standing } = row;
  const { begun } = await livenessAttempts(tx, record);
  const target = { tenantId, customerId, purpose: CLIENT_PURPOSE };
  const isWaiting = standing.status === 'open' && sealedDetail !== null;
  return {
    ...standing,
    vendorExpiresAtMs: vendorExpiresAt?.getTime() ?? null,
    clientParameters: isWaiting
      ? // As recordLivenessSession() sealed it.
        (JSON.parse(await personalData.open(tx, target, sealedDetail)) as LivenessClientParameters)
      : null,
    attemptsLeft: Math.max(0, policy.recovery.maxLivenessAttempts - begun),
  };
}

async function audit(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  {
    action,
    ...detail
  }: { action: string; attemptId: string; attemptsLeft?: number; verdict?: string },
): Promise<void> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: recoveryId },
    action,
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail,
  });
}
