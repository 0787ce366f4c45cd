/**
 * What anybody may send about a number or an address: a request that names no customer and restricts nothing. The same statements run whether or
 * not somebody has that contact; it is looked up when the message is sent, and when a code or link was shown. A request proves once.
 */
import { timingSafeEqual } from 'node:crypto';
import { LatchkeyError } from '../domain/errors.ts';
import type { OtpCodes, Risk } from '../domain/ports.ts';
import type { RecoveryReport } from '../domain/recovery.ts';
import type { Tx } from './connection.ts';
import { takeStart } from './number-limit.ts';
import { enqueue } from './outbox.ts';
import type { PersonalData } from './personal-data.ts';
import { activePolicy } from './policies.ts';
import { insertFactor, isReachedByReported, phoneOfNumber } from './recovery-ledger.ts';
import { openRecovery } from './recovery-open.ts';
import { readRecovery, ringRecovery, type RecoveryTools } from './recovery.ts';

export interface RequestTools extends RecoveryTools {
  readonly otpCodes: OtpCodes;
}

export interface NewRecoveryRequest {
  readonly tenantId: string;
  readonly requestId: string;
  readonly clientId: string;
  /** Of the new phone. */
  readonly jkt: string;
  /** E.164, or a lower-case address. */
  readonly contact: { readonly kind: 'phone' | 'email'; readonly value: string };
  readonly report: RecoveryReport;
  readonly locale: string;
}

const CHECK_DIGITS = 4;

/**
 * Supersedes what the same phone asked before about the same contact.
 * @throws LatchkeyError too_many_requests: the contact was used too often lately, by whomever.
 */
export async function createRecoveryRequest(
  tx: Tx,
  { personalData, otpCodes }: RequestTools,
  args: NewRecoveryRequest,
): Promise<{ readonly expiresAtMs: number; readonly checkNumber: string }> {
  const { tenantId, requestId, clientId, jkt, contact, report, locale } = args;
  const { document: policy } = await activePolicy(tx, tenantId);
  const waitSeconds = await takeStart(tx, {
    tenantId,
    numberIndex: personalData.blindIndex(tenantId, 'number_limit', `recovery:${contact.value}`),
    starts: policy.recovery.requestsPerContact,
    intervalSeconds: policy.recovery.requestIntervalSeconds,
  });
  if (waitSeconds > 0)
    throw new LatchkeyError('too_many_requests', { retryAfterSeconds: waitSeconds });
  const index = personalData.blindIndex(tenantId, contact.kind, contact.value);
  await tx`
    update recovery_request set status = 'superseded'
    where tenant_id = ${tenantId} and contact_kind = ${contact.kind} and blind_index = ${index} and jkt = ${jkt} and status = 'sent'`;
  const [row] = await tx<{ expiresAt: Date }[]>`
    insert into recovery_request (tenant_id, request_id, client_id, jkt, contact_kind, blind_index, locale, report, status, created_at, expires_at)
    select ${tenantId}, ${requestId}, ${clientId}, ${jkt}, ${contact.kind}, ${index}, ${locale}, ${report}, 'sent', t.now,
      t.now + make_interval(secs => ${policy.recovery.linkSeconds})
    from (select latchkey_now() as now offset 0) t
    returning expires_at`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  await enqueue(tx, {
    tenantId,
    topic: 'recovery.request',
    subject: requestId,
    payload: { requestId },
  });
  return { expiresAtMs: row.expiresAt.getTime(), checkNumber: checkNumberOf(otpCodes, requestId) };
}

/** What the asking phone shows and the message never holds. */
export function checkNumberOf(otpCodes: OtpCodes, requestId: string): string {
  return otpCodes.codeFor(`check/${requestId}`, 6).slice(-CHECK_DIGITS);
}

export interface RequestMessage {
  readonly customerId: string;
  readonly contactId: string;
  readonly kind: 'phone' | 'email';
  /** The address itself. */
  readonly to: string;
  readonly bank: string;
  readonly slug: string;
  readonly locale: string;
  readonly minutes: number;
  readonly digits: number;
}

/** For the relay. undefined: nobody has that contact, or the request is over: nothing is sent. */
export async function requestMessage(
  tx: Tx,
  personalData: PersonalData,
  { tenantId, requestId }: { readonly tenantId: string; readonly requestId: string },
): Promise<RequestMessage | undefined> {
  const [row] = await tx<
    (Omit<RequestMessage, 'digits' | 'to'> & { readonly sealedValue: Uint8Array })[]
  >`
    select c.customer_id, c.contact_id, c.kind, c.sealed_value, tenant.name as bank, tenant.slug, r.locale,
      ceil(extract(epoch from r.expires_at - latchkey_now()) / 60)::integer as minutes
    from recovery_request r join tenant using (tenant_id)
    join contact c on c.tenant_id = r.tenant_id and c.kind = r.contact_kind and c.blind_index = r.blind_index and c.status = 'proved'
    join customer on customer.tenant_id = c.tenant_id and customer.customer_id = c.customer_id and customer.status = 'active'
    where r.tenant_id = ${tenantId} and r.request_id = ${requestId} and r.status = 'sent' and r.expires_at > latchkey_now()`;
  if (row === undefined) return undefined;
  const { document: policy } = await activePolicy(tx, tenantId);
  const { sealedValue, ...message } = row;
  const { customerId, kind } = message;
  const target = { tenantId, customerId, purpose: `contact.${kind}` };
  const to = await personalData.open(tx, target, sealedValue);
  return { ...message, to, digits: policy.otp.digits };
}

export type RequestProof =
  | {
      readonly result: 'proved';
      readonly recoveryId: string;
      readonly joined: boolean;
      readonly isItsPhone: boolean;
    }
  | { readonly result: 'wrong'; readonly attemptsLeft: number }
  | { readonly result: 'exhausted' | 'expired' | 'used' };

interface Shown {
  readonly tenantId: string;
  readonly requestId: string;
  /** Of the risk engine, for the customer whom requestOwner() named; `not_evaluated` where nobody is. */
  readonly risk: Risk;
}

/**
 * The code, typed into the phone that asked. A wrong one is counted, so commit what is answered.
 * @throws LatchkeyError recovery_request_not_found: also for another key.
 */
export async function proveRequestByCode(
  tx: Tx,
  tools: RequestTools,
  shown: Shown & { readonly jkt: string; readonly code: string },
): Promise<RequestProof> {
  const request = await readRequest(tx, shown);
  if (request === undefined || request.jkt !== shown.jkt)
    throw new LatchkeyError('recovery_request_not_found');
  const { document: policy } = await activePolicy(tx, shown.tenantId);
  const right = tools.otpCodes.codeFor(shown.requestId, policy.otp.digits);
  return await prove(tx, tools, shown, request, {
    by: 'code',
    isRight: isSame(shown.code, right),
    maxWrong: policy.otp.maxWrong,
  });
}

/**
 * The number on the asking phone, typed into the page that the link opened, wherever that is. The token is read by recovery-links.ts.
 * @throws LatchkeyError recovery_request_not_found
 */
export async function proveRequestByLink(
  tx: Tx,
  tools: RequestTools,
  shown: Shown & { readonly checkNumber: string },
): Promise<RequestProof> {
  const request = await readRequest(tx, shown);
  if (request === undefined) throw new LatchkeyError('recovery_request_not_found');
  const { document: policy } = await activePolicy(tx, shown.tenantId);
  const right = checkNumberOf(tools.otpCodes, shown.requestId);
  return await prove(tx, tools, shown, request, {
    by: 'link',
    isRight: isSame(shown.checkNumber, right),
    maxWrong: policy.otp.maxWrong,
  });
}

interface RequestRow {
  readonly clientId: string;
  readonly jkt: string;
  readonly contactKind: 'phone' | 'email';
  readonly report: RecoveryReport;
  /** null: nobody's. */
  readonly contactId: string | null;
  readonly customerId: string | null;
}

async function readRequest(
  tx: Tx,
  { tenantId, requestId }: Pick<Shown, 'tenantId' | 'requestId'>,
): Promise<RequestRow | undefined> {
  const [row] = await tx<RequestRow[]>`
    select r.client_id, r.jkt, r.contact_kind, r.report, c.contact_id, c.customer_id
    from recovery_request r
    left join (contact c join customer on customer.tenant_id = c.tenant_id and customer.customer_id = c.customer_id and customer.status = 'active')
      on c.tenant_id = r.tenant_id and c.kind = r.contact_kind and c.blind_index = r.blind_index and c.status = 'proved'
    where r.tenant_id = ${tenantId} and r.request_id = ${requestId}`;
  return row;
}

/** Whose contact it is, for the risk engine; undefined: nobody's. Never to be told to who asks. */
export async function requestOwner(
  tx: Tx,
  request: { readonly tenantId: string; readonly requestId: string },
): Promise<string | undefined> {
  return (await readRequest(tx, request))?.customerId ?? undefined;
}

interface Guess {
  readonly by: 'code' | 'link';
  readonly isRight: boolean;
  readonly maxWrong: number;
}

async function prove(
  tx: Tx,
  tools: RequestTools,
  shown: Shown,
  request: RequestRow,
  guess: Guess,
): Promise<RequestProof> {
  const { tenantId, requestId, risk } = shown;
  const { contactId, customerId, contactKind, report, clientId, jkt } = request;
  // An unknown contact was sent no code: a guess for it is judged, and counted, as a wrong one.
  if (!guess.isRight || contactId === null || customerId === null)
    return await countWrong(tx, shown, guess);
  // Customer and case first: the lock order. Should the request turn out to be spent, all of it is taken back.
  const opened = await openRecovery(tx, tools, {
    tenantId,
    customerId,
    by: { kind: 'customer', id: contactId },
    phone: { clientId, jkt },
    report,
    risk,
  });
  const { recoveryId } = opened;
  const { count } = await tx`
    update recovery_request set status = 'proved', proved_at = latchkey_now(), recovery_id = ${recoveryId}
    where tenant_id = ${tenantId} and request_id = ${requestId} and status = 'sent' and expires_at > latchkey_now()
      and wrong_codes < ${guess.maxWrong} and wrong_checks < ${guess.maxWrong}`;
  if (count === 0) throw new LatchkeyError('code_expired');
  const record = await readRecovery(tx, { tenantId, recoveryId }, true);
  if (record === undefined) throw new TypeError('a case that was just opened');
  // A contact that answered another phone than the case's says nothing of the case's.
  const mayCount =
    opened.isItsPhone && ['starting', 'contact', 'identity', 'review'].includes(record.state);
  if (mayCount) {
    const method = METHODS[contactKind][guess.by];
    const phone = contactKind === 'phone' ? await phoneOfNumber(tx, record) : null;
    const handset = phone ?? contactId;
    await insertFactor(tx, tools, record, {
      method,
      evidenceId: requestId,
      handset,
      isOnReportedHandset: isReachedByReported(record, method, handset),
      by: { kind: 'customer', id: contactId },
    });
  }
  await ringRecovery(tx, { tenantId, recoveryId });
  return { result: 'proved', ...opened };
}

const METHODS = {
  email: { code: 'email_code', link: 'email_link' },
  phone: { code: 'sms_code', link: 'sms_link' },
} as const;

/** One statement with every condition in it, so that guesses in parallel never exceed the limit. */
async function countWrong(
  tx: Tx,
  { tenantId, requestId }: Shown,
  { by, maxWrong }: Guess,
): Promise<RequestProof> {
  const column = by === 'code' ? tx`wrong_codes` : tx`wrong_checks`;
  const [row] = await tx<{ wrong: number }[]>`
    update recovery_request
    set ${column} = ${column} + 1, status = case when ${column} + 1 >= ${maxWrong} then 'exhausted' else 'sent' end
    where tenant_id = ${tenantId} and request_id = ${requestId} and status = 'sent' and ${column} < ${maxWrong}
      and expires_at > latchkey_now()
    returning ${column} as wrong`;
  if (row === undefined) return await whyNot(tx, tenantId, requestId);
  if (row.wrong >= maxWrong) return { result: 'exhausted' };
  return { result: 'wrong', attemptsLeft: maxWrong - row.wrong };
}

async function whyNot(tx: Tx, tenantId: string, requestId: string): Promise<RequestProof> {
  const [row] = await tx<{ status: string }[]>`
    select status from recovery_request where tenant_id = ${tenantId} and request_id = ${requestId}`;
  if (row?.status === 'exhausted') return { result: 'exhausted' };
  return { result: row?.status === 'proved' ? 'used' : 'expired' };
}

/**
 * Forgets requests that are over: after a day those that opened nothing, after a quarter those that did, whose proof stands in the ledger without
 * the contact's index. Answers how many rows went.
 */
export async function sweepRecoveryRequests(tx: Tx, limit: number): Promise<number> {
  const { count } = await tx`
    delete from recovery_request where tenant_id = latchkey_tenant() and request_id in (
      select request_id from recovery_request
      where tenant_id = latchkey_tenant()
        and expires_at < latchkey_now() - case when status = 'proved' then interval '90 days' else interval '1 day' end
      limit ${limit} for update skip locked)`;
  return count;
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
