/**
 * The opening of a step-up on a device: from here on the text that was sent to be shown is fixed, and the challenge is its hash. Opening
 * anew in the same way answers the same text; in another way a new one takes its place, and a signature over the former is worth nothing.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Action } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { LatchkeyError } from '../domain/errors.ts';
import { CHALLENGE_LABEL, preimageText } from '../domain/step-up-preimage.ts';
import type { StepUpContext } from '../domain/step-up-preimage.ts';
import { requiredStrength } from '../domain/step-up-strength.ts';
import type { Display } from '../domain/step-up-texts.ts';
import { refusalOf, type StepUpStrength, type StepUpSubject } from '../domain/step-up.ts';
import { insertAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { openPreimage, openRequest, sealPreimage, type StepUpRequest } from './step-up-sealed.ts';
import { readStepUp, type StepUpRecord, type StepUpTools } from './step-up.ts';
import { together } from './together.ts';

export interface StepUpOpening extends StepUpSubject {
  readonly customerId: string;
  /** Of the session that opens it. */
  readonly deviceId: string;
  readonly sessionId: string;
  readonly context: StepUpContext;
  readonly locale: string;
  readonly rpId: string;
  /** The text of the tenant's template. */
  readonly render: (subject: {
    readonly action: Action;
    readonly requesterName: string;
    readonly locale: string;
  }) => Display | Promise<Display>;
}

export interface OpenedStepUp {
  readonly record: StepUpRecord;
  readonly preimage: string;
  readonly challenge: Uint8Array;
}

/** @throws LatchkeyError step_up_not_found, wrong_step (or how it ended), step_up_expired, revoked, device_not_allowed. */
export async function openStepUp(
  tx: Tx,
  tools: StepUpTools,
  opening: StepUpOpening,
): Promise<OpenedStepUp> {
  const before = await readStepUp(tx, opening, true);
  if (before?.customerId !== opening.customerId || before.isLogin)
    throw new LatchkeyError('step_up_not_found');
  const { state, nowMs } = before;
  if (state !== 'open') throw new LatchkeyError(refusalOf(before), { extra: { state } });
  if (nowMs >= before.approveByMs) throw new LatchkeyError('step_up_expired', { extra: { state } });
  const openedAs = digestOf(opening);
  const [, request] = await together([
    refuseDevice(tx, before, opening),
    openRequest(tx, tools, before),
  ]);
  if (before.challenge !== null && isSame(before.openedAs, openedAs)) {
    const preimage = await openPreimage(tx, tools, before);
    if (preimage === undefined) throw new TypeError('a challenge has its preimage');
    return { record: before, preimage, challenge: before.challenge };
  }
  return await openAnew(tx, tools, { before, opening, openedAs, request });
}

async function openAnew(
  tx: Tx,
  tools: StepUpTools,
  parts: {
    readonly before: StepUpRecord;
    readonly opening: StepUpOpening;
    readonly openedAs: Uint8Array;
    readonly request: StepUpRequest;
  },
): Promise<OpenedStepUp> {
  const { before, opening, openedAs, request } = parts;
  const { tenantId, stepUpId, customerId } = before;
  const { action, requesterName } = request;
  const { fields: _fields, ...display } = await opening.render({
    action,
    requesterName,
    locale: opening.locale,
  });
  const raised = raisedBy(before, action, opening.context);
  const preimage = preimageText({
    tenant: tenantId,
    rpId: opening.rpId,
    stepUpId,
    requester: { ...before.requester, name: requesterName },
    customer: customerId,
    action,
    context: opening.context,
    display,
    policy: String(before.policyVersion),
    epoch: before.epoch,
    iat: Math.floor(before.nowMs / 1000),
    exp: Math.floor(before.approveByMs / 1000),
    nonce: randomBytes(16).toString('base64url'),
  });
  const challenge = createHash('sha256').update(CHALLENGE_LABEL).update(preimage).digest();
  const sealed = await sealPreimage(tx, tools, before, preimage);
  const audit = insertAudit(tx, {
    tenantId,
    actor: { kind: 'customer', id: customerId },
    action: 'step_up.shown',
    subject: { kind: 'step_up', id: stepUpId },
    customerId,
    ceremonyId: stepUpId,
    detail: { deviceId: opening.deviceId, locale: display.locale, ...opening.context, ...raised },
  });
  await tx`
    with audited as (${audit})
    update step_up
    set opened_device_id = ${opening.deviceId}, opened_session_id = ${opening.sessionId}, opened_as = ${openedAs},
        opened_at = ${new Date(before.nowMs)}, sealed_preimage = ${sealed}, challenge = ${challenge},
        required = ${raised.required}, delay_seconds = ${raised.delaySeconds}
    where tenant_id = ${tenantId} and step_up_id = ${stepUpId}`;
  // As the row now says, which this transaction holds.
  const record = { ...before, ...raised, challenge, openedAs, openedDeviceId: opening.deviceId };
  return { record, preimage, challenge };
}

/** What a device reported once is not unsaid by opening anew. */
function raisedBy(
  { required, delaySeconds, atLeast, policy, spend }: StepUpRecord,
  action: Action,
  context: StepUpContext,
): { required: StepUpStrength; delaySeconds: number } {
  const now = requiredStrength({
    action,
    dayTotalMinor: spend?.dayTotalMinor ?? 0n,
    policy,
    context,
    ...(atLeast === null ? {} : { atLeast }),
  });
  return {
    required: now.required === 'latchkey:4' ? 'latchkey:4' : required,
    delaySeconds: Math.max(delaySeconds, now.delaySeconds),
  };
}

async function refuseDevice(
  tx: Tx,
  before: StepUpRecord,
  { tenantId, deviceId, customerId }: StepUpOpening,
): Promise<void> {
  if (before.deviceId !== null && before.deviceId !== deviceId)
    throw new LatchkeyError('device_not_allowed');
  const [row] = await tx<{ isTrusted: boolean; isOld: boolean }[]>`
    select d.status = 'trusted' as is_trusted, c.security_epoch <> ${before.epoch} as is_old
    from device d join customer c on c.tenant_id = d.tenant_id and c.customer_id = d.customer_id
    where d.tenant_id = ${tenantId} and d.device_id = ${deviceId} and d.customer_id = ${customerId}`;
  if (row?.isOld === true) throw new LatchkeyError('revoked');
  if (row?.isTrusted !== true) throw new LatchkeyError('device_not_allowed');
}

/** Which opening it is: the same device, context and locale are the same one. */
function digestOf({ deviceId, context, locale }: StepUpOpening): Uint8Array {
  return createHash('sha256')
    .update(canonicalJson({ deviceId, context: { ...context }, locale }))
    .digest();
}

function isSame(one: Uint8Array | null, other: Uint8Array): boolean {
  return one !== null && Buffer.compare(one, other) === 0;
}
