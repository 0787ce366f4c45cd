/** What the new phone is shown of its case: who has to act, what counts so far, when the next step is due. No contact, no figure, no code. */
import type { FastifyRequest } from 'fastify';
import type { Tx } from '../../db/connection.ts';
import { livenessAttempts } from '../../db/recovery-facts.ts';
import { latestLiveness, type LivenessStanding } from '../../db/recovery-liveness.ts';
import { readRecovery, type RecoveryRecord } from '../../db/recovery.ts';
import { LatchkeyError } from '../../domain/errors.ts';
import { coolingOverMs, nextDueMs, refusalOf, type RecoveryState } from '../../domain/recovery.ts';
import type { AppDependencies } from '../dependencies.ts';
import { isoTime } from '../iso-time.ts';
import type { RecoveryView } from '../schemas/recoveries.ts';
import { callerOf } from '../types.ts';

/** Of the asking key; for any other it does not exist. @throws LatchkeyError recovery_not_found */
export async function phonesRecovery(
  tx: Tx,
  request: FastifyRequest,
  recoveryId: string,
): Promise<RecoveryRecord> {
  const { jkt } = callerOf(request, 'key');
  const record = await readRecovery(tx, { tenantId: request.tenant.tenantId, recoveryId });
  if (record?.jkt !== jkt) throw new LatchkeyError('recovery_not_found');
  return record;
}

/** Why no step is possible any more, or why not this one. */
export function recoveryRefusal(record: RecoveryRecord): LatchkeyError {
  const { state, outcome } = record;
  return new LatchkeyError(refusalOf(record), {
    extra: { state, ...(outcome === null ? {} : { outcome }) },
  });
}

export async function answerRecovery(
  tx: Tx,
  tools: Pick<AppDependencies, 'personalData'>,
  record: RecoveryRecord,
): Promise<RecoveryView> {
  const { state, outcome, reason, missing, ledger, stepDeadlineMs, limitedUntilMs } = record;
  const { begun } = await livenessAttempts(tx, record);
  const liveness = await latestLiveness(tx, tools, record);
  const { maxLivenessAttempts } = record.policy.recovery;
  const nextMs = nextDueMs(record);
  const isCooling = state === 'cooling';
  return {
    recoveryId: record.recoveryId,
    state,
    ...(outcome === null ? {} : { outcome }),
    ...(reason === null ? {} : { reason }),
    actor: ACTORS[state],
    missing: [...missing],
    factors: ledger
      .filter(({ isVoid, isOnReportedHandset }) => !isVoid && !isOnReportedHandset)
      .map(({ method, recordedAtMs }) => ({ method, provedAt: isoTime(recordedAtMs) })),
    createdAt: isoTime(record.createdAtMs),
    expiresAt: isoTime(record.deadlineMs),
    ...(stepDeadlineMs === null ? {} : { stepExpiresAt: isoTime(stepDeadlineMs) }),
    ...(Number.isFinite(nextMs) ? { nextAt: isoTime(nextMs) } : {}),
    ...(isCooling ? { objectUntil: isoTime(coolingOverMs(record)) } : {}),
    livenessAttemptsLeft: Math.max(0, maxLivenessAttempts - begun),
    ...(liveness === undefined ? {} : { liveness: livenessView(liveness) }),
    ...(limitedUntilMs === null ? {} : { limitedUntil: isoTime(limitedUntilMs) }),
    ...boundOf(record),
  };
}

const ACTORS: Readonly<Record<RecoveryState, RecoveryView['actor']>> = {
  starting: 'nobody',
  contact: 'customer',
  identity: 'customer',
  review: 'bank',
  cooling: 'nobody',
  rebind: 'customer',
  held: 'bank',
  ended: 'nobody',
};

/** What the app logs in with next. */
function boundOf({
  outcome,
  customerId,
  newDeviceId,
}: RecoveryRecord): Pick<RecoveryView, 'customerId' | 'deviceId'> {
  return outcome === 'completed' && newDeviceId !== null
    ? { customerId, deviceId: newDeviceId }
    : {};
}

function livenessView(standing: LivenessStanding): NonNullable<RecoveryView['liveness']> {
  const { attemptId, verdict, vendorExpiresAtMs, clientParameters } = standing;
  return {
    attemptId,
    status: livenessStatus(standing),
    ...(verdict === null ? {} : { verdict }),
    ...(vendorExpiresAtMs === null ? {} : { expiresAt: isoTime(vendorExpiresAtMs) }),
    ...(clientParameters === null ? {} : { clientParameters: { ...clientParameters } }),
  };
}

function livenessStatus({
  status,
  clientParameters,
}: LivenessStanding): NonNullable<RecoveryView['liveness']>['status'] {
  if (status === 'open') return clientParameters === null ? 'starting' : 'ready';
  if (status === 'matched') return 'passed';
  return status === 'failed' ? 'failed' : 'superseded';
}
