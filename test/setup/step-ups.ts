/**
 * Step-ups written by the stores alone, for tests of their rules: a customer with a trusted device, a live session and a proved number, and
 * one hand for each who takes part. No signature is made here: what the API verifies is not what these tests are about.
 */
import { createEmbeddedKms } from '../../adapters/kms/embedded.ts';
import { createOtpCodes } from '../../adapters/kms/otp-codes.ts';
import { newId } from '../../adapters/random.ts';
import type { Tx } from '../../db/connection.ts';
import { createPersonalData } from '../../db/personal-data.ts';
import type { VerifiedApproval } from '../../db/step-up-approval.ts';
import { judgeStepUpCode } from '../../db/step-up-codes.ts';
import type { StepUpCodeJudgement } from '../../db/step-up-codes.ts';
import { createStepUp } from '../../db/step-up-create.ts';
import type { NewStepUp, StepUpCreated } from '../../db/step-up-create.ts';
import { advanceStepUp } from '../../db/step-up-moves.ts';
import type { DrivenStepUpEvent, StepUpAdvanced } from '../../db/step-up-moves.ts';
import { openStepUp } from '../../db/step-up-open.ts';
import type { OpenedStepUp } from '../../db/step-up-open.ts';
import { readStepUp } from '../../db/step-up.ts';
import type { StepUpRecord } from '../../db/step-up.ts';
import { latestAttempt } from '../../db/step-attempts.ts';
import { insertSubmission } from '../../db/step-submissions.ts';
import type { StepUpSubmissionStep } from '../../db/step-submissions.ts';
import type { Action } from '../../domain/action.ts';
import { displayOf } from '../../domain/step-up-texts.ts';
import { transition } from '../../domain/step-up.ts';
import type { StepUpEvent } from '../../domain/step-up.ts';
import type { StepUpContext } from '../../domain/step-up-preimage.ts';
import { insertCustomer, insertLiveSession, insertProvedPhone } from './customer.ts';
import type { SeededCustomer } from './customer.ts';

const kms = createEmbeddedKms([{ kid: 'k1', key: new Uint8Array(32).fill(7) }]);
const otpCodes = createOtpCodes(kms);
export const STEP_UP_TOOLS = { personalData: createPersonalData(kms), newId, otpCodes };

export const PAYMENTS = { kind: 'client', id: 'demo-payments' } as const;
export const CARDS = { kind: 'client', id: 'demo-cards' } as const;

export interface StepUpCustomer extends SeededCustomer {
  readonly sessionId: string;
}

/** Who can be asked and can answer. */
export async function insertStepUpCustomer(tx: Tx, tenantId: string): Promise<StepUpCustomer> {
  const customer = await insertCustomer(tx, tenantId);
  await STEP_UP_TOOLS.personalData.createKey(tx, tenantId, customer.customerId);
  await insertProvedPhone(tx, customer);
  return { ...customer, sessionId: await insertLiveSession(tx, customer) };
}

/** Of a payment: 400 needs passkey and key by the default policy, 40000 a code too, 40 nothing. */
export function payment(amount: string, currency = 'NZD'): Action {
  return {
    type: 'payment',
    amount,
    currency,
    payee: { name: 'Mere Kahu', account: '12-3456-7890123-00' },
    reference: 'Invoice 7',
  };
}

export async function ask(
  tx: Tx,
  { tenantId, customerId }: StepUpCustomer,
  request: Partial<NewStepUp> = {},
): Promise<StepUpCreated> {
  return await createStepUp(tx, STEP_UP_TOOLS, {
    tenantId,
    stepUpId: newId('ceremony'),
    requester: PAYMENTS,
    requesterName: 'Payments',
    customerId,
    action: payment('400.00'),
    reference: newId('request'),
    ...request,
  });
}

/** One that must be answered, by its id. */
export async function asked(
  tx: Tx,
  customer: StepUpCustomer,
  request: Partial<NewStepUp> = {},
): Promise<string> {
  const { stepUp } = await ask(tx, customer, request);
  if (stepUp === undefined) throw new Error('this needs an approval');
  return stepUp.stepUpId;
}

const NOTHING_ELSE: StepUpContext = {
  onCall: false,
  screenShared: false,
  accessibilityService: false,
};

export async function show(
  tx: Tx,
  { tenantId, customerId, deviceId, sessionId }: StepUpCustomer,
  stepUpId: string,
  changes: { readonly context?: StepUpContext; readonly locale?: string } = {},
): Promise<OpenedStepUp> {
  return await openStepUp(tx, STEP_UP_TOOLS, {
    tenantId,
    stepUpId,
    customerId,
    deviceId,
    sessionId,
    context: NOTHING_ELSE,
    locale: 'en',
    rpId: 'localhost',
    render: ({ action, locale, requesterName }) => displayOf(action, locale, requesterName),
    ...changes,
  });
}

/** What the API would have verified over that challenge. */
export function approvalOf(
  { credentialId, deviceId, sessionId }: StepUpCustomer,
  {
    record,
    challenge,
  }: { readonly record: Pick<StepUpRecord, 'stepUpId'>; readonly challenge: Uint8Array },
  changes: Partial<VerifiedApproval> = {},
): VerifiedApproval {
  const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = Buffer.from(challenge).toString('base64url');
  const client = { type: 'webauthn.get', challenge: signed, origin: 'http://localhost' };
  const { stepUpId } = record;
  return {
    kind: 'approval',
    credentialId,
    signCount: 0,
    isBackedUp: false,
    assertion: { id: credentialId, response: { clientDataJSON: text(client) } },
    approvalSignature: `${text({ alg: 'ES256' })}.${text({ challenge: signed, stepUpId })}.signature`,
    deviceId,
    sessionId,
    ...changes,
  };
}

/** Answers the submission's id. */
export async function submit(
  tx: Tx,
  { tenantId, customerId }: StepUpCustomer,
  stepUpId: string,
  submission: { readonly step: StepUpSubmissionStep; readonly payload: object },
): Promise<string> {
  const submissionId = newId('submission');
  await insertSubmission(tx, STEP_UP_TOOLS.personalData, {
    tenantId,
    ceremonyId: stepUpId,
    customerId,
    submissionId,
    ...submission,
    notAfterSeconds: 30,
  });
  return submissionId;
}

/** As the workflow's activity does after it has read the row. */
export async function drive(
  tx: Tx,
  { tenantId }: StepUpCustomer,
  stepUpId: string,
  move: { readonly event: DrivenStepUpEvent; readonly submissionId?: string },
): Promise<StepUpAdvanced | { readonly fact: StepUpEvent }> {
  const row = await read(tx, tenantId, stepUpId);
  const next = transition(row, move.event, row.nowMs);
  return await advanceStepUp(tx, STEP_UP_TOOLS, {
    tenantId,
    stepUpId,
    from: { state: row.state, seq: row.seq },
    event: move.event,
    to: 'move' in next ? next.move.state : row.state,
    submissionId: move.submissionId ?? null,
  });
}

export async function read(tx: Tx, tenantId: string, stepUpId: string): Promise<StepUpRecord> {
  const record = await readStepUp(tx, { tenantId, stepUpId });
  if (record === undefined) throw new Error('the step-up is there');
  return record;
}

/** Keys good over what was shown last; a step-up that needs no code is approved by it. */
export async function proveKeys(
  tx: Tx,
  customer: StepUpCustomer,
  stepUpId: string,
  opened: OpenedStepUp,
): Promise<StepUpAdvanced | { readonly fact: StepUpEvent }> {
  const payload = approvalOf(customer, opened);
  const submissionId = await submit(tx, customer, stepUpId, { step: 'step_up_approval', payload });
  return await drive(tx, customer, stepUpId, { event: 'keys_proved', submissionId });
}

/** The code that was sent last; empty before one was. */
export async function sentCode(
  tx: Tx,
  { tenantId }: StepUpCustomer,
  stepUpId: string,
): Promise<string> {
  const key = { tenantId, ceremonyId: stepUpId, step: 'step_up' } as const;
  const { attempt } = await latestAttempt(tx, key);
  return attempt === undefined ? '' : otpCodes.codeFor(attempt.attemptId, 6);
}

export async function guess(
  tx: Tx,
  customer: StepUpCustomer,
  stepUpId: string,
  code: string,
): Promise<StepUpCodeJudgement> {
  const { tenantId } = customer;
  const payload = { code };
  const submissionId = await submit(tx, customer, stepUpId, { step: 'step_up', payload });
  return await judgeStepUpCode(tx, STEP_UP_TOOLS, { tenantId, stepUpId, submissionId });
}

/** All the way to the approval, each step a call of its own where `run` opens a transaction. */
export async function approved(
  run: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  customer: StepUpCustomer,
  request: Partial<NewStepUp> = {},
): Promise<string> {
  const stepUpId = await run((tx) => asked(tx, customer, request));
  await run((tx) => drive(tx, customer, stepUpId, { event: 'opened' }));
  const opened = await run((tx) => show(tx, customer, stepUpId));
  await run((tx) => proveKeys(tx, customer, stepUpId, opened));
  return stepUpId;
}
