/**
 * An enrollment as its own key may see it: the row, the code that was sent and where to. Everything the API answers comes from here, never
 * from a query to the workflow; a number that is known reads like any other until its code was right.
 */
import type { CodeStep, EnrollmentSubject } from '../domain/enrollment.ts';
import type { Tx } from './connection.ts';
import { readEnrollment, type EnrollmentRecord } from './enrollment.ts';
import type { PersonalData } from './personal-data.ts';
import { latestAttempt, type CodeAttempt } from './step-attempts.ts';

export interface SentCode {
  readonly kind: 'phone' | 'email';
  /** Unmasked: the caller masks it. */
  readonly to: string;
  readonly attempt: CodeAttempt;
  readonly sends: number;
}

export interface EnrollmentStanding {
  readonly record: EnrollmentRecord;
  readonly code: SentCode | undefined;
}

/** undefined for another key, exactly as for an id that never was. */
export async function enrollmentOfKey(
  tx: Tx,
  { jkt, ...subject }: EnrollmentSubject & { readonly jkt: string },
): Promise<EnrollmentRecord | undefined> {
  const record = await readEnrollment(tx, subject);
  return record?.jkt === jkt ? record : undefined;
}

export async function standingOf(
  tx: Tx,
  personalData: PersonalData,
  record: EnrollmentRecord,
): Promise<EnrollmentStanding> {
  const { state } = record;
  if (state !== 'phone' && state !== 'email_code') return { record, code: undefined };
  return { record, code: await sentCode(tx, personalData, record, state) };
}

async function sentCode(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, enrollmentId, customerId }: EnrollmentRecord,
  step: CodeStep,
): Promise<SentCode | undefined> {
  const { attempt, sends } = await latestAttempt(tx, { tenantId, ceremonyId: enrollmentId, step });
  if (attempt === undefined || attempt.contactId === null) return undefined;
  const kind = step === 'phone' ? 'phone' : 'email';
  const to = await contactValue(tx, personalData, {
    tenantId,
    customerId,
    contactId: attempt.contactId,
    kind,
  });
  return to === undefined ? undefined : { kind, to, attempt, sends };
}

async function contactValue(
  tx: Tx,
  personalData: PersonalData,
  args: { tenantId: string; customerId: string; contactId: string; kind: 'phone' | 'email' },
): Promise<string | undefined> {
  const { tenantId, customerId, contactId, kind } = args;
  const [row] = await tx<{ sealedValue: Uint8Array }[]>`
    select sealed_value from contact where tenant_id = ${tenantId} and contact_id = ${contactId}`;
  if (row === undefined) return undefined;
  return await personalData.open(
    tx,
    { tenantId, customerId, purpose: `contact.${kind}` },
    row.sealedValue,
  );
}

/** For naming a passkey: the address whose code was right. */
export async function enrollmentEmail(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, customerId }: EnrollmentRecord,
): Promise<string | undefined> {
  const [row] = await tx<{ contactId: string }[]>`
    select contact_id from contact where tenant_id = ${tenantId} and customer_id = ${customerId} and kind = 'email'
    order by created_at desc limit 1`;
  if (row === undefined) return undefined;
  return await contactValue(tx, personalData, {
    tenantId,
    customerId,
    contactId: row.contactId,
    kind: 'email',
  });
}
