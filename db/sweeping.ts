/**
 * What the sweeper removes or ends, each in one bounded statement: starts that nobody repeated, sessions past a shortened limit, memories that
 * can protect nothing any more. Safe to run twice, beside anything else.
 */
import { appendAudit } from './audit.ts';
import { sweepSpentChallenges } from './challenges.ts';
import { noteFact } from './committed-facts.ts';
import type { Database, Tx } from './connection.ts';
import { eraseProspect } from './enrollment-effects.ts';
import { sweepFreezeRequests } from './freeze-requests.ts';
import { sweepCutOffs } from './cut-off-feed.ts';
import { sweepLimitCounters } from './limit-counters.ts';
import { sweepNumberLimits } from './number-limit.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';
import { requestMissingReceipts } from './receipts.ts';
import { expireStartingRecoveries } from './recovery-ends.ts';
import { sweepRecoveryRecords } from './recovery-retention.ts';
import { sweepRecoveryRequests } from './recovery-requests.ts';
import { expireOverdueSessions } from './session-lifecycle.ts';
import { expireStaffSessions } from './staff.ts';
import { expireStepUps } from './step-up-ends.ts';
import { sweepSpends } from './step-up-spend.ts';

const BATCH = 500;
/** Sessions looked at in one pass, of which few have to end: after a change of the policy it is the turn of all. */
const LOOK_BATCH = 5_000;

export interface SweepLimits {
  /** A ceremony that is still `starting` after this was never started: its caller gave up. */
  readonly startingMinutes: number;
  /** Sessions whose own workflow should have expired them by now. */
  readonly sessionGraceSeconds: number;
  /** Step-ups whose own workflow should have ended them by now, or never began. */
  readonly stepUpGraceSeconds: number;
  /** Approvals whose receipt should have been asked for by now. */
  readonly receiptGraceSeconds: number;
  readonly deliveredOutboxDays: number;
  /** Longer than any policy keeps an Idempotency-Key, so that no repeated request looks for one. */
  readonly unusedSubmissionDays: number;
  /** Longer than a proof can be valid. */
  readonly dpopMinutes: number;
}

export const SWEEP_LIMITS: SweepLimits = {
  startingMinutes: 10,
  sessionGraceSeconds: 60,
  stepUpGraceSeconds: 60,
  receiptGraceSeconds: 60,
  deliveredOutboxDays: 7,
  unusedSubmissionDays: 8,
  dpopMinutes: 3,
};

export interface SweepPort {
  tenantIds(): Promise<readonly string[]>;
  /** Every sweep, whatever happens to the others. Answers how many rows it ended or removed. @throws AggregateError once all were tried */
  sweepTenant(tenantId: string): Promise<number>;
  emptyDpopSlots(): Promise<number>;
}

export function createSweepPort(
  database: Database,
  personalData: PersonalData,
  limits: SweepLimits = SWEEP_LIMITS,
): SweepPort {
  const tenantIds = async () => (await database.tenants()).map(({ tenantId }) => tenantId);
  return {
    tenantIds,
    async sweepTenant(tenantId) {
      let swept = 0;
      const faults: unknown[] = [];
      // One transaction each: a fault in one sweep must not keep the others from their rows.
      for (const sweep of [
        (tx: Tx) => retireStarting(tx, personalData, tenantId, limits.startingMinutes),
        (tx: Tx) => expireOverdue(tx, tenantId, limits.sessionGraceSeconds),
        (tx: Tx) =>
          expireStepUps(tx, { tenantId, limit: BATCH, graceSeconds: limits.stepUpGraceSeconds }),
        (tx: Tx) =>
          requestMissingReceipts(tx, {
            tenantId,
            limit: BATCH,
            graceSeconds: limits.receiptGraceSeconds,
          }),
        (tx: Tx) => expireStartingRecoveries(tx, { tenantId, limit: BATCH }),
        (tx: Tx) => sweepRecoveryRequests(tx, BATCH),
        (tx: Tx) => sweepRecoveryRecords(tx, BATCH),
        (tx: Tx) => sweepSpends(tx, BATCH),
        (tx: Tx) => sweepSpentChallenges(tx, BATCH),
        (tx: Tx) => sweepNumberLimits(tx, BATCH),
        (tx: Tx) => sweepFreezeRequests(tx, BATCH),
        (tx: Tx) => sweepLimitCounters(tx, BATCH),
        (tx: Tx) => sweepCutOffs(tx, tenantId),
        (tx: Tx) => expireStaffSessions(tx, tenantId, BATCH),
        (tx: Tx) => removeIdempotency(tx, tenantId),
        (tx: Tx) => removeDelivered(tx, tenantId, limits.deliveredOutboxDays),
        (tx: Tx) => removeUnusedSubmissions(tx, tenantId, limits.unusedSubmissionDays),
      ]) {
        try {
          swept += await database.tenant(tenantId, sweep);
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length > 0) throw new AggregateError(faults, 'some sweeps failed');
      return swept;
    },
    async emptyDpopSlots() {
      // The ring is shared by all tenants; any transaction may ask for it.
      const [first] = await tenantIds();
      if (first === undefined) return 0;
      return await database.tenant(first, async (tx) => {
        const [row] = await tx<{ emptied: number }[]>`
          select latchkey_empty_dpop_slots(${limits.dpopMinutes}::integer) as emptied`;
        return row?.emptied ?? 0;
      });
    },
  };
}

/** Customers are locked first (the lock order), then compare-and-set on `starting`: a first activity that comes later finds a retired row and refuses. The prospect is erased with it. */
async function retireStarting(
  tx: Tx,
  personalData: PersonalData,
  tenantId: string,
  minutes: number,
): Promise<number> {
  const given = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony join customer using (tenant_id, customer_id)
    where tenant_id = ${tenantId} and kind = 'enrollment' and state = 'starting'
      and ceremony.created_at <= latchkey_now() - make_interval(mins => ${minutes})
    order by customer_id limit ${BATCH} for update of customer skip locked`;
  if (given.length === 0) return 0;
  const retired = await tx<{ ceremonyId: string; customerId: string }[]>`
    update ceremony set state = 'ended', outcome = 'expired', reason = 'never_started', seq = seq + 1, step_deadline = null,
      ended_at = latchkey_now(), workflow_closed_at = latchkey_now()
    where tenant_id = ${tenantId} and state = 'starting' and ceremony_id = any(${given.map(({ ceremonyId }) => ceremonyId)})
    returning ceremony_id, customer_id`;
  for (const { ceremonyId, customerId } of retired) {
    noteFact(tx, {
      kind: 'ceremony_moved',
      ceremony: 'enrollment',
      from: 'starting',
      to: 'ended',
      outcome: 'expired',
      reason: 'never_started',
    });
    await eraseProspect(tx, { personalData }, { tenantId, enrollmentId: ceremonyId, customerId });
    await appendAudit(tx, {
      tenantId,
      actor: { kind: 'system', id: 'sweeper' },
      action: 'enrollment.ended',
      subject: { kind: 'enrollment', id: ceremonyId },
      customerId,
      ceremonyId,
      detail: { outcome: 'expired', reason: 'never_started' },
    });
  }
  return retired.length;
}

/** Its workflow may sleep for weeks towards a limit that a policy has shortened since: it is woken to close. */
async function expireOverdue(tx: Tx, tenantId: string, graceSeconds: number): Promise<number> {
  const expired = await expireOverdueSessions(tx, { tenantId, limit: LOOK_BATCH, graceSeconds });
  for (const { sessionId } of expired) {
    await enqueue(tx, {
      tenantId,
      topic: 'session.wake',
      subject: sessionId,
      payload: { sessionId },
    });
  }
  return expired.length;
}

async function removeIdempotency(tx: Tx, tenantId: string): Promise<number> {
  const { count } = await tx`
    delete from idempotency where ctid in (
      select ctid from idempotency where tenant_id = ${tenantId} and expires_at < latchkey_now() limit ${BATCH})`;
  return count;
}

async function removeDelivered(tx: Tx, tenantId: string, days: number): Promise<number> {
  const { count } = await tx`
    delete from outbox where tenant_id = ${tenantId} and outbox_id in (
      select outbox_id from outbox
      where tenant_id = ${tenantId} and status = 'delivered' and delivered_at < latchkey_now() - make_interval(days => ${days})
        and not exists (
          select 1 from event_delivery d
          where d.tenant_id = outbox.tenant_id and d.outbox_id = outbox.outbox_id and d.status <> 'delivered')
      limit ${BATCH})`;
  return count;
}

/** What was handed in and never judged is of no use, and holds somebody's data. */
async function removeUnusedSubmissions(tx: Tx, tenantId: string, days: number): Promise<number> {
  const { count } = await tx`
    delete from step_submission where tenant_id = ${tenantId} and submission_id in (
      select submission_id from step_submission
      where tenant_id = ${tenantId} and used_at is null and not_after < latchkey_now() - make_interval(days => ${days})
      limit ${BATCH})`;
  return count;
}
