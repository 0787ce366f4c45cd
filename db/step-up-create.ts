/**
 * The transaction that asks a customer: under which epoch, how strongly (with the day's total, which this request raises), whether one is
 * waited for already, whether this requester was refused, or went unanswered, too often. Requests for one customer queue here, so that none overtakes another.
 */
import { canonicalAction, type Action } from '../domain/action.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { isStoppedByFreeze } from '../domain/freeze.ts';
import { minorUnits } from '../domain/money.ts';
import type { Risk } from '../domain/ports.ts';
import { requiredStrength } from '../domain/step-up-strength.ts';
import {
  dueEvent,
  PENDING_STATES,
  type StepUpRequester,
  type StepUpStrength,
  type StepUpSubject,
} from '../domain/step-up.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { customerStops, shareCustomer } from './customer-lock.ts';
import { activePolicy } from './policies.ts';
import { limitedUntilMs } from './recovery-view.ts';
import { actorOf } from './step-up-consume.ts';
import { expireStepUp, supersedeStepUp } from './step-up-ends.ts';
import { auditOfRequest, insertStepUp } from './step-up-insert.ts';
import { refusePaused } from './step-up-pauses.ts';
import { nameOf } from './step-up-requester.ts';
import { addSpend } from './step-up-spend.ts';
import { sealRequest } from './step-up-sealed.ts';
import { readStepUp, type StepUpRecord, type StepUpSpend, type StepUpTools } from './step-up.ts';
import { together } from './together.ts';

export interface NewStepUp extends StepUpSubject {
  readonly requester: StepUpRequester;
  /** As the customer is shown it. */
  readonly requesterName: string;
  readonly customerId: string;
  /** What it belongs to, when the requester knows. */
  readonly sessionId?: string | undefined;
  /** The only device that may answer. */
  readonly deviceId?: string | undefined;
  /** Of a login: the passkey it showed, and the app and key it came by. */
  readonly credentialId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly jkt?: string | undefined;
  readonly action: Action;
  /** A newer request for the same one supersedes. */
  readonly reference: string;
  readonly atLeast?: StepUpStrength | undefined;
  readonly risk?: Risk | undefined;
  /** The customer's own when left out. */
  readonly locale?: string | undefined;
  /** The id says which request it is, and no Idempotency-Key does: what needed no approval the first time needs none again. */
  readonly mayRepeat?: boolean;
}

export type StepUpCreated =
  | { readonly stepUp: StepUpRecord; readonly notRequired?: undefined }
  /** Below every threshold: nothing to approve, and nothing was written but the day's total and the audit. */
  | { readonly notRequired: { readonly required: 'none' }; readonly stepUp?: undefined };

/**
 * In the state `starting`: nobody is told before its workflow runs.
 * @throws LatchkeyError not_found, customer_on_hold, customer_frozen, device_not_allowed, session_ended, step_up_pending, step_ups_paused, too_many_requests.
 */
export async function createStepUp(
  tx: Tx,
  tools: StepUpTools,
  request: NewStepUp,
): Promise<StepUpCreated> {
  const { tenantId, customerId, requester, action } = request;
  const customer = await shareCustomer(tx, tenantId, customerId);
  if (customer?.status !== 'active') throw new LatchkeyError('not_found');
  // Sent together, judged in their order: nothing was written before.
  const isMoney = isStoppedByFreeze(action.type);
  const [stops, , former, limitedUntil, { version, document: policy }] = await together([
    customerStops(tx, tenantId, customerId),
    oneRequestAtATime(tx, tenantId, customerId),
    lockFormer(tx, request),
    isMoney ? limitedUntilMs(tx, tenantId, customerId) : Promise.resolve(undefined),
    activePolicy(tx, tenantId),
  ]);
  if (stops.isHeld) throw new LatchkeyError('customer_on_hold');
  if (stops.isFrozen && isMoney) throw new LatchkeyError('customer_frozen');
  if (request.mayRepeat === true && (await wasNotRequired(tx, request)))
    return { notRequired: { required: 'none' } };
  await refuseForeign(tx, request, customer.epoch);
  const referenceIndex = tools.personalData.blindIndex(
    tenantId,
    'step_up_reference',
    request.reference,
  );
  const waiting = await endFormer(tx, request, { former, referenceIndex });
  const spend = await spendOf(tx, request);
  // Whoever has just recovered an account, or stolen one so, is asked for all there is.
  const risk = limitedUntil === undefined ? request.risk : 'high';
  const { required, delaySeconds } = requiredStrength({
    action,
    dayTotalMinor: spend?.dayTotalMinor ?? 0n,
    policy,
    ...(request.atLeast === undefined ? {} : { atLeast: request.atLeast }),
    ...(risk === undefined ? {} : { risk }),
  });
  if (required === 'none') {
    await appendAudit(
      tx,
      auditOfRequest(request, 'step_up.not_required', { actionType: action.type }),
    );
    return { notRequired: { required } };
  }
  if (waiting !== undefined)
    throw new LatchkeyError('step_up_pending', { extra: { stepUpId: waiting } });
  const [, sealed] = await together([
    refusePaused(tx, { tenantId, customerId, requester, policy }),
    seal(tx, tools, request),
  ]);
  const inserted = await insertStepUp(tx, request, {
    sealed,
    epoch: customer.epoch,
    policyVersion: version,
    policy,
    required,
    delaySeconds,
    spend,
    referenceIndex,
  });
  return { stepUp: inserted };
}

async function oneRequestAtATime(tx: Tx, tenantId: string, customerId: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`step_up/${tenantId}/${customerId}`}, 0))`;
}

/** Counted already, within a day. Such a request has no row: its audit, of the same transaction as the count, is what there is. */
async function wasNotRequired(tx: Tx, { tenantId, stepUpId }: NewStepUp): Promise<boolean> {
  const rows = await tx`
    select 1 from audit
    where tenant_id = ${tenantId} and ceremony_id = ${stepUpId} and action = 'step_up.not_required'
      and at > latchkey_now() - make_interval(days => 1) limit 1`;
  return rows.length > 0;
}

async function refuseForeign(
  tx: Tx,
  { tenantId, customerId, sessionId, deviceId }: NewStepUp,
  epoch: number,
): Promise<void> {
  if (deviceId !== undefined) {
    const rows = await tx`
      select 1 from device
      where tenant_id = ${tenantId} and device_id = ${deviceId} and customer_id = ${customerId} and status in ('trusted', 'untrusted', 'restricted')`;
    if (rows.length === 0) throw new LatchkeyError('device_not_allowed');
  }
  if (sessionId !== undefined) {
    const rows = await tx`
      select 1 from session
      where tenant_id = ${tenantId} and session_id = ${sessionId} and customer_id = ${customerId} and status = 'live' and epoch = ${epoch}`;
    if (rows.length === 0) throw new LatchkeyError('session_ended');
  }
}

/** This requester's former ones that are open. Their locks come before that of the day's total. */
async function lockFormer(
  tx: Tx,
  { tenantId, customerId, requester }: NewStepUp,
): Promise<readonly string[]> {
  const open = await tx<{ ceremonyId: string }[]>`
    select ceremony_id from ceremony
    where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'step_up' and requester = ${nameOf(requester)}
      and outcome is null
    order by ceremony_id for update`;
  return open.map(({ ceremonyId }) => ceremonyId);
}

/** Ends those that have run out or were for the same reference; answers the id of one that is still waited for. */
async function endFormer(
  tx: Tx,
  request: NewStepUp,
  { former: ids, referenceIndex }: { former: readonly string[]; referenceIndex: Uint8Array },
): Promise<string | undefined> {
  const { tenantId } = request;
  let waiting: string | undefined;
  for (const stepUpId of ids) {
    const former = await readStepUp(tx, { tenantId, stepUpId });
    if (former === undefined) continue;
    if (dueEvent(former, former.nowMs) !== undefined) {
      await expireStepUp(tx, former, stepUpId);
    } else if (await isForReference(tx, former, referenceIndex)) {
      await supersedeStepUp(tx, former, actorOf(request));
    } else if (PENDING_STATES.some((state) => state === former.state)) {
      waiting = stepUpId;
    }
  }
  return waiting;
}

async function isForReference(
  tx: Tx,
  { tenantId, stepUpId }: StepUpRecord,
  referenceIndex: Uint8Array,
): Promise<boolean> {
  const rows = await tx`
    select 1 from step_up
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId} and reference_index = ${referenceIndex}`;
  return rows.length > 0;
}

/** What moves money counts, whether or not it will need an approval. */
async function spendOf(
  tx: Tx,
  { tenantId, customerId, action }: NewStepUp,
): Promise<StepUpSpend | undefined> {
  const amount = amountOf(action);
  if (amount === undefined) return undefined;
  const { day, totalMinor } = await addSpend(tx, { tenantId, customerId, ...amount });
  return { ...amount, day, dayTotalMinor: totalMinor };
}

function amountOf(action: Action): { currency: string; minor: bigint } | undefined {
  const { amount, currency } = action;
  if (typeof amount !== 'string' || typeof currency !== 'string') return undefined;
  return { currency, minor: minorUnits(amount, currency) };
}

async function seal(tx: Tx, tools: StepUpTools, request: NewStepUp): Promise<Uint8Array> {
  const { action, reference, requesterName } = request;
  const canonical = canonicalAction(action);
  return await sealRequest(tx, tools, request, { action, canonical, reference, requesterName });
}
