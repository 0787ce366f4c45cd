/**
 * Ends and stops of a case that are calls of their own: the owner objects, whoever asked takes it back, a cut-off reaches it, it never began.
 * Each counts without Temporal. An objection after the end is heard too: then it is a signal of fraud.
 */
import { LatchkeyError } from '../domain/errors.ts';
import type { RecoverySubject } from '../domain/recovery.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { lockCustomer } from './customer-lock.ts';
import { cutOff, type CutOff } from './cut-off.ts';
import { pendingRecoveryFact } from './recovery-facts.ts';
import { lockRecovery, moveRecovery } from './recovery-moves.ts';
import {
  customerOfRecovery,
  readRecovery,
  type RecoveryRecord,
  type RecoveryTools,
} from './recovery.ts';

export interface Objection {
  readonly subject: RecoverySubject;
  /** Whose it must be. */
  readonly customerId: string;
  /** The phone that objects with passkey and key; left out: by a mailbox or number alone. */
  readonly deviceId?: string | undefined;
  /** The passkey was used too long ago, or lives on a phone that was reported: as good as a mailbox. */
  readonly isDoubted?: boolean | undefined;
}

export type Objected =
  /** noted: as good as a mailbox's word, after somebody of the bank has looked at one: written down, and nothing stops for it. */
  | { readonly result: 'vetoed' | 'held' | 'noted' }
  /** It had completed: everything was stopped. */
  | { readonly result: 'cut_off'; readonly cutOff: CutOff };

/**
 * "That was not me." From a trusted phone that nobody reported it ends the case; from anywhere else it holds it for a supervisor, once by contacts and
 * once by phones: a link that held a case again after each release would keep its owner out.
 * @throws LatchkeyError recovery_not_found, ceremony_ended: it had ended otherwise, or too long ago.
 */
export async function objectToRecovery(
  tx: Tx,
  tools: RecoveryTools,
  { subject, customerId, deviceId, isDoubted = false }: Objection,
): Promise<Objected> {
  const record = await lockRecovery(tx, subject);
  if (record === undefined || record.customerId !== customerId)
    throw new LatchkeyError('recovery_not_found');
  const actor = { kind: 'customer', id: customerId } as const;
  const isProved =
    deviceId !== undefined && !isDoubted && (await isUnreported(tx, record, deviceId));
  const because = deviceId === undefined ? 'contact' : 'phone';
  if (record.state === 'ended')
    return await objectAfterwards(tx, tools, record, { isProved, because });
  // While it is held a doubted objection adds nothing to what a supervisor sees already.
  if (!isProved && record.state === 'held') return { result: 'held' };
  if (!isProved && (await wasLookedAt(tx, subject, because)))
    return await noteObjection(tx, record, because);
  // Not yet begun, it has no place to be looked at in: it is held as fraud holds it.
  const doubted = record.state === 'starting' ? 'fraud_signalled' : 'veto_doubted';
  await moveRecovery(tx, {
    subject,
    event: isProved ? 'vetoed' : doubted,
    actor,
    because,
  });
  return { result: isProved ? 'vetoed' : 'held' };
}

/** Of a phone that was lost or stolen, while nobody knows which one it was, any may be it. The very one is not believed either, whatever its row says. */
async function isUnreported(
  tx: Tx,
  { tenantId, customerId, report, reportedDeviceId }: RecoveryRecord,
  deviceId: string,
): Promise<boolean> {
  const isLost = report === 'lost' || report === 'stolen';
  if (isLost && (reportedDeviceId === null || reportedDeviceId === deviceId)) return false;
  const rows = await tx`
    select 1 from device
    where tenant_id = ${tenantId} and customer_id = ${customerId} and device_id = ${deviceId} and status = 'trusted' and reported_at is null`;
  return rows.length > 0;
}

type Because = 'contact' | 'phone';

/** One like it held the case, and a supervisor has released it since. */
async function wasLookedAt(
  tx: Tx,
  { tenantId, recoveryId }: RecoverySubject,
  because: Because,
): Promise<boolean> {
  const rows = await tx`
    select 1 from audit a
    where a.tenant_id = ${tenantId} and a.ceremony_id = ${recoveryId} and a.detail ->> 'because' = ${because}
      and a.detail ->> 'event' in ('veto_doubted', 'fraud_signalled')
      and exists (
        select 1 from audit l
        where l.tenant_id = a.tenant_id and l.ceremony_id = a.ceremony_id and l.position > a.position and l.detail ->> 'event' = 'released')
    limit 1`;
  return rows.length > 0;
}

async function noteObjection(
  tx: Tx,
  { tenantId, recoveryId, customerId }: RecoveryRecord,
  because: Because,
): Promise<Objected> {
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'recovery.objection_noted',
    subject: { kind: 'recovery', id: recoveryId },
    customerId,
    ceremonyId: recoveryId,
    detail: { because },
  });
  return { result: 'noted' };
}

async function objectAfterwards(
  tx: Tx,
  { newId }: RecoveryTools,
  record: RecoveryRecord,
  { isProved, because }: { readonly isProved: boolean; readonly because: Because },
): Promise<Objected> {
  const { tenantId, customerId, outcome, endedAtMs, nowMs, policy } = record;
  const heardUntilMs = (endedAtMs ?? 0) + policy.recovery.objectionSeconds * 1000;
  if (outcome !== 'completed' || nowMs >= heardUntilMs) throw new LatchkeyError('ceremony_ended');
  if (!isProved && (await wasDisputed(tx, record))) return await noteObjection(tx, record, because);
  const cut = await cutOff(tx, {
    tenantId,
    customerId,
    revocationId: newId('revocation'),
    holdId: newId('hold'),
    reason: 'recovery_disputed',
    actor: { kind: 'customer', id: customerId },
    localTokenSeconds: policy.session.accessTokenSeconds + policy.dpop.skewSeconds,
  });
  if (cut === undefined) throw new LatchkeyError('recovery_not_found');
  return { result: 'cut_off', cutOff: cut };
}

/** An objection has cut the account off since the end: whoever looks at that, or has released it, knows. */
async function wasDisputed(
  tx: Tx,
  { tenantId, customerId, endedAtMs }: RecoveryRecord,
): Promise<boolean> {
  const rows = await tx`
    select 1 from revocation
    where tenant_id = ${tenantId} and customer_id = ${customerId} and reason = 'recovery_disputed'
      and effective_at >= ${new Date(endedAtMs ?? 0)} limit 1`;
  return rows.length > 0;
}

/** By the owner, on a trusted phone that nobody reported, with passkey and approval key. @throws LatchkeyError device_not_allowed, cooling_off, wrong_step */
export async function shortenCooling(
  tx: Tx,
  { subject, customerId, deviceId }: Objection & { readonly deviceId: string },
): Promise<void> {
  const record = await lockRecovery(tx, subject);
  if (record === undefined || record.customerId !== customerId)
    throw new LatchkeyError('recovery_not_found');
  if (!(await isUnreported(tx, record, deviceId))) throw new LatchkeyError('device_not_allowed');
  // Sent back, and its workflow has not heard of it: there is nothing to shorten any more.
  if ((await pendingRecoveryFact(tx, record)) === 'sent_back')
    throw new LatchkeyError('wrong_step', { extra: { state: record.state } });
  const actor = { kind: 'customer', id: customerId } as const;
  await moveRecovery(tx, { subject, event: 'cooling_shortened', actor });
}

/** By the phone that the case is for. @throws LatchkeyError recovery_not_found, recovery_held, or how it ended */
export async function cancelRecovery(
  tx: Tx,
  { subject, jkt }: { readonly subject: RecoverySubject; readonly jkt: string },
): Promise<RecoveryRecord> {
  const record = await lockRecovery(tx, subject);
  if (record === undefined || record.jkt !== jkt) throw new LatchkeyError('recovery_not_found');
  const actor = { kind: 'customer', id: record.customerId } as const;
  return await moveRecovery(tx, { subject, event: 'cancelled', actor });
}

/** What a cut-off finds open: held, not ended, so that the owner has a way in. Under the customer's lock. Answers how many. */
export async function holdRecoveries(
  tx: Tx,
  args: {
    readonly tenantId: string;
    readonly customerId: string;
    readonly newEpoch: number;
    readonly revocationId: string;
  },
): Promise<number> {
  const { tenantId, customerId, newEpoch, revocationId } = args;
  const open = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony
    where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'recovery' and outcome is null and state <> 'held'
      and epoch < ${newEpoch}`;
  for (const { ceremonyId: recoveryId } of open)
    await moveRecovery(tx, {
      subject: { tenantId, recoveryId },
      event: 'fraud_signalled',
      actor: { kind: 'system', id: revocationId },
      because: revocationId,
    });
  return open.length;
}

/** Longer than any outage of Temporal that people let last: a case stands without it. */
const NEVER_STARTED_HOURS = 24;

/** Those that no workflow ever opened. Answers how many. */
export async function expireStartingRecoveries(
  tx: Tx,
  { tenantId, limit }: { readonly tenantId: string; readonly limit: number },
): Promise<number> {
  const due = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony
    where tenant_id = ${tenantId} and kind = 'recovery' and state = 'starting'
      and created_at <= latchkey_now() - make_interval(hours => ${NEVER_STARTED_HOURS})
    order by customer_id limit ${limit}`;
  let ended = 0;
  for (const { ceremonyId: recoveryId } of due) {
    const subject = { tenantId, recoveryId };
    const customerId = await customerOfRecovery(tx, subject);
    if (customerId === undefined) continue;
    await lockCustomer(tx, tenantId, customerId);
    const record = await readRecovery(tx, subject, true);
    if (record?.state !== 'starting') continue;
    const actor = { kind: 'system', id: 'sweeper' } as const;
    await moveRecovery(tx, { subject, event: 'start_expired', actor });
    ended += 1;
  }
  return ended;
}
