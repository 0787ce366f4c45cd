/**
 * A freeze asked for from a phone that nobody knows: a code goes to the number if it is a customer's. Known or not, the same statements run, the
 * same row is written and the same guesses count, so that neither answer nor time tells. The code is derived from the request's id, never stored.
 */
import { timingSafeEqual } from 'node:crypto';
import { LatchkeyError } from '../domain/errors.ts';
import type { OtpCodes } from '../domain/ports.ts';
import type { Policy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';
import { placeFreeze } from './freeze.ts';
import { takeStart } from './number-limit.ts';
import type { PersonalData } from './personal-data.ts';

export interface NewFreezeRequest {
  readonly tenantId: string;
  readonly requestId: string;
  /** Of the phone that asks. */
  readonly jkt: string;
  /** E.164. */
  readonly phone: string;
  readonly policy: Policy;
}

/** Answers until when the code is good. @throws LatchkeyError too_many_requests */
export async function requestFreeze(
  tx: Tx,
  personalData: Pick<PersonalData, 'blindIndex'>,
  { tenantId, requestId, jkt, phone, policy }: NewFreezeRequest,
): Promise<number> {
  const { freeze, otp } = policy;
  const waitSeconds = await takeStart(tx, {
    tenantId,
    // Apart from the enrollments of that number: neither uses up the other.
    numberIndex: personalData.blindIndex(tenantId, 'number_limit', `freeze ${phone}`),
    starts: freeze.requestsPerNumber,
    intervalSeconds: freeze.requestIntervalSeconds,
  });
  if (waitSeconds > 0)
    throw new LatchkeyError('too_many_requests', { retryAfterSeconds: waitSeconds });
  const phoneIndex = personalData.blindIndex(tenantId, 'phone', phone);
  const [row] = await tx<{ expiresAt: Date }[]>`
    with t as materialized (select latchkey_now() as now),
    found as materialized (
      select customer.customer_id, contact.contact_id, customer.locale
      from contact join customer using (tenant_id, customer_id)
      where tenant_id = ${tenantId} and contact.kind = 'phone' and contact.blind_index = ${phoneIndex} and contact.status = 'proved'
        and customer.status = 'active' limit 1),
    told as (
      insert into outbox (tenant_id, topic, subject, payload)
      select ${tenantId}, 'message.sms', contact_id, jsonb_build_object('customerId', customer_id, 'contactId', contact_id,
        'template', 'freeze_code', 'freezeRequestId', ${requestId}::text, 'locale', locale)
      from found)
    insert into freeze_request (tenant_id, request_id, jkt, customer_id, contact_id, status, created_at, expires_at)
    select ${tenantId}, ${requestId}, ${jkt}, (select customer_id from found), (select contact_id from found), 'sent', t.now,
      t.now + make_interval(secs => ${otp.ttlSeconds})
    from t returning expires_at`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  return row.expiresAt.getTime();
}

export async function freezeRequestExpiryMs(
  tx: Tx,
  { tenantId, requestId }: Pick<NewFreezeRequest, 'tenantId' | 'requestId'>,
): Promise<number | undefined> {
  const [row] = await tx<{ expiresAt: Date }[]>`
    select expires_at from freeze_request where tenant_id = ${tenantId} and request_id = ${requestId}`;
  return row?.expiresAt.getTime();
}

export interface FreezeCode {
  readonly tenantId: string;
  readonly requestId: string;
  readonly jkt: string;
  readonly code: string;
  readonly freezeId: string;
  readonly policy: Policy;
}

interface RequestRow {
  readonly customerId: string | null;
  readonly status: 'sent' | 'matched' | 'exhausted';
  readonly wrongCount: number;
  readonly frozenUntil: Date | null;
  readonly isExpired: boolean;
}

/**
 * Freezes when the code is right. A refusal that is answered, not thrown, has counted a guess: commit it.
 * @throws LatchkeyError freeze_request_not_found, code_expired, attempts_exhausted, freeze_limit_reached
 */
export async function judgeFreezeCode(
  tx: Tx,
  { otpCodes }: { readonly otpCodes: OtpCodes },
  { tenantId, requestId, jkt, code, freezeId, policy }: FreezeCode,
): Promise<
  | { readonly frozenUntilMs: number }
  | { readonly refused: 'wrong_code' | 'attempts_exhausted'; readonly attemptsLeft: number }
> {
  const [row] = await tx<RequestRow[]>`
    select customer_id, status, wrong_count, frozen_until, expires_at <= latchkey_now() as is_expired from freeze_request
    where tenant_id = ${tenantId} and request_id = ${requestId} and jkt = ${jkt} for update`;
  if (row === undefined) throw new LatchkeyError('freeze_request_not_found');
  const { customerId, status, wrongCount, frozenUntil, isExpired } = row;
  if (frozenUntil !== null) return { frozenUntilMs: frozenUntil.getTime() };
  if (status === 'exhausted') throw new LatchkeyError('attempts_exhausted');
  if (isExpired) throw new LatchkeyError('code_expired');
  const isRight = isSame(code, otpCodes.codeFor(requestId, policy.otp.digits));
  if (!isRight || customerId === null) {
    const attemptsLeft = Math.max(0, policy.otp.maxWrong - wrongCount - 1);
    await tx`
      update freeze_request set wrong_count = wrong_count + 1, status = ${attemptsLeft === 0 ? 'exhausted' : 'sent'}
      where tenant_id = ${tenantId} and request_id = ${requestId}`;
    return { refused: attemptsLeft === 0 ? 'attempts_exhausted' : 'wrong_code', attemptsLeft };
  }
  const { frozenUntilMs } = await placeFreeze(tx, {
    tenantId,
    customerId,
    freezeId,
    how: 'phone_code',
    by: { kind: 'customer', id: customerId },
    isProved: false,
    policy: policy.freeze,
  });
  await tx`
    update freeze_request set status = 'matched', frozen_until = ${new Date(frozenUntilMs)}
    where tenant_id = ${tenantId} and request_id = ${requestId}`;
  return { frozenUntilMs };
}

/** What a message needs of a request that still waits for its code; undefined: nothing is to be sent any more. */
export async function openFreezeRequest(
  tx: Tx,
  { tenantId, requestId }: Pick<NewFreezeRequest, 'tenantId' | 'requestId'>,
): Promise<{ readonly minutes: number } | undefined> {
  const [row] = await tx<{ minutes: number }[]>`
    select ceil(extract(epoch from expires_at - created_at) / 60)::integer as minutes from freeze_request
    where tenant_id = ${tenantId} and request_id = ${requestId} and status = 'sent' and expires_at > latchkey_now()`;
  return row;
}

/** A day after its end a request is of no use to anybody. */
export async function sweepFreezeRequests(tx: Tx, limit: number): Promise<number> {
  const { count } = await tx`
    delete from freeze_request where (tenant_id, request_id) in (
      select tenant_id, request_id from freeze_request
      where tenant_id = latchkey_tenant() and expires_at < latchkey_now() - make_interval(days => 1) limit ${limit})`;
  return count;
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
