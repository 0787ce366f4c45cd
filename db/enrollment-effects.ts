/**
 * What a move of an enrollment causes besides the row: codes and reminders through the outbox, the vendor's check, the erasure of a prospect.
 * Each runs inside the move's transaction and calls nobody.
 */
import type { CodeStep, EnrollmentMove } from '../domain/enrollment.ts';
import { LatchkeyError } from '../domain/errors.ts';
import type { IdKind } from '../domain/ids.ts';
import { appendAudit } from './audit.ts';
import type { Tx } from './connection.ts';
import { insertContact, type EnrollmentRecord } from './enrollment.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';
import {
  latestAttempt,
  openCodeAttempt,
  openIdentityAttempt,
  supersedeAttempts,
} from './step-attempts.ts';
import { openSubmission, type Submission } from './step-submissions.ts';

export interface EnrollmentTools {
  readonly personalData: PersonalData;
  readonly newId: (kind: IdKind) => string;
}

/** As sealed on the vendor's attempt. The document's number stays only until the person is known by its blind index. */
export interface IdentityDetails {
  readonly givenName: string;
  readonly familyName: string;
  readonly birthDate: string;
  readonly documentNumber?: string;
}

/** Of domain/texts. */
const TEMPLATES = { phone: 'enrollment_code', email_code: 'email_code' } as const;

export const IDENTITY_PURPOSE = 'step_attempt.identity';

/**
 * Opens a new code and sends it.
 * @throws LatchkeyError resend_too_soon, resends_exhausted.
 */
export async function sendCode(
  tx: Tx,
  tools: EnrollmentTools,
  enrollment: EnrollmentRecord,
  to: { step: CodeStep; contactId: string; move?: EnrollmentMove },
): Promise<void> {
  const { tenantId, enrollmentId, customerId, policy, locale } = enrollment;
  const { step, contactId } = to;
  const { attempt, sends } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step });
  if (sends >= policy.otp.maxSends) throw new LatchkeyError('resends_exhausted');
  if (attempt !== undefined && attempt.resendAfterMs > enrollment.nowMs) {
    const retryAfterSeconds = Math.ceil((attempt.resendAfterMs - enrollment.nowMs) / 1000);
    throw new LatchkeyError('resend_too_soon', { retryAfterSeconds, extra: { retryAfterSeconds } });
  }
  const attemptId = tools.newId('attempt');
  const stepDeadlineMs = to.move === undefined ? enrollment.stepDeadlineMs : to.move.stepDeadlineMs;
  await openCodeAttempt(tx, {
    tenantId,
    ceremonyId: enrollmentId,
    step,
    attemptId,
    contactId,
    limits: policy.otp,
    lastMomentMs: Math.min(enrollment.deadlineMs, stepDeadlineMs ?? Infinity),
  });
  await enqueue(tx, {
    tenantId,
    topic: step === 'phone' ? 'message.sms' : 'message.email',
    subject: contactId,
    payload: { customerId, contactId, template: TEMPLATES[step], attemptId, locale },
  });
}

export async function phoneContact(tx: Tx, enrollment: EnrollmentRecord): Promise<string> {
  const [row] = await tx<{ contactId: string }[]>`
    select contact_id from contact
    where tenant_id = ${enrollment.tenantId} and customer_id = ${enrollment.customerId} and kind = 'phone'
    order by created_at desc limit 1`;
  if (row === undefined) throw new TypeError('an open enrollment has its phone number');
  return row.contactId;
}

export async function sendEmailCode(
  tx: Tx,
  tools: EnrollmentTools,
  enrollment: EnrollmentRecord,
  move: EnrollmentMove,
  submission: Submission | undefined,
): Promise<void> {
  if (submission === undefined) throw new TypeError('an e-mail address comes by a submission');
  const { tenantId, customerId } = enrollment;
  const { email } = await openSubmission<{ email: string }>(
    tx,
    tools.personalData,
    tenantId,
    submission,
  );
  // A corrected address replaces the one before it; neither has been proved.
  await tx`
    delete from contact where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'email' and status = 'unproved'`;
  const contactId = tools.newId('contact');
  await insertContact(tx, tools.personalData, {
    tenantId,
    customerId,
    contactId,
    kind: 'email',
    value: email,
  });
  await sendCode(tx, tools, enrollment, { step: 'email_code', contactId, move });
}

export async function openIdentityCheck(
  tx: Tx,
  tools: EnrollmentTools,
  enrollment: EnrollmentRecord,
  move: EnrollmentMove,
  submission: Submission | undefined,
): Promise<void> {
  if (submission === undefined) throw new TypeError('an identity comes by a submission');
  const { tenantId, enrollmentId, customerId } = enrollment;
  const details = await openSubmission<IdentityDetails>(
    tx,
    tools.personalData,
    tenantId,
    submission,
  );
  await openIdentityAttempt(tx, {
    tenantId,
    ceremonyId: enrollmentId,
    attemptId: tools.newId('attempt'),
    sealedDetail: await tools.personalData.seal(
      tx,
      { tenantId, customerId, purpose: IDENTITY_PURPOSE },
      JSON.stringify(details),
    ),
    lastMomentMs: move.stepDeadlineMs ?? enrollment.deadlineMs,
  });
}

/** To the newest contact of that kind. */
export async function sendMessage(
  tx: Tx,
  enrollment: EnrollmentRecord,
  notice: { kind: 'phone' | 'email'; template: string },
): Promise<void> {
  const { tenantId, customerId, locale } = enrollment;
  const contacts = await tx<{ contactId: string }[]>`
    select contact_id from contact where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = ${notice.kind}
    order by created_at desc limit 1`;
  for (const { contactId } of contacts) {
    await enqueue(tx, {
      tenantId,
      topic: notice.kind === 'phone' ? 'message.sms' : 'message.email',
      subject: contactId,
      payload: { customerId, contactId, template: notice.template, locale },
    });
  }
}

/** Nothing of him stays but pseudonymous facts: key destroyed, contacts with their blind indexes gone, every sealed value emptied. */
export async function eraseProspect(
  tx: Tx,
  tools: Pick<EnrollmentTools, 'personalData'>,
  {
    tenantId,
    enrollmentId,
    customerId,
  }: Pick<EnrollmentRecord, 'tenantId' | 'enrollmentId' | 'customerId'>,
): Promise<void> {
  const erased = await tx`
    update customer set status = 'erased', person_id = null
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'prospect'`;
  // Only a prospect: an enrollment that ends can never erase a customer.
  if (erased.count === 0) return;
  await supersedeAttempts(tx, { tenantId, ceremonyId: enrollmentId });
  await tx`
    update step_attempt set sealed_detail = null where tenant_id = ${tenantId} and ceremony_id = ${enrollmentId}`;
  await tx`
    update step_submission set sealed_payload = null where tenant_id = ${tenantId} and ceremony_id = ${enrollmentId}`;
  await tools.personalData.eraseKey(tx, tenantId, customerId);
  await appendAudit(tx, {
    tenantId,
    actor: { kind: 'system', id: enrollmentId },
    action: 'customer.erased',
    subject: { kind: 'customer', id: customerId },
    customerId,
    ceremonyId: enrollmentId,
  });
}
