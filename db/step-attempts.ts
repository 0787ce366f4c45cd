/**
 * Tries at a step: codes that were sent (the code is derived from the attempt's id, never stored) and vendor checks. Guesses are counted and
 * matched each in one statement that repeats every condition, so that guesses in parallel can never exceed the limit.
 */
import type { CodeStep } from '../domain/enrollment.ts';
import type { Tx } from './connection.ts';

export interface CodeAttempt {
  readonly attemptId: string;
  readonly contactId: string | null;
  readonly status: 'open' | 'matched' | 'superseded' | 'exhausted' | 'failed';
  readonly wrongCount: number;
  readonly expiresAtMs: number;
  readonly resendAfterMs: number;
}

export interface CodeLimits {
  readonly digits: number;
  readonly ttlSeconds: number;
  readonly maxWrong: number;
  readonly maxSends: number;
  readonly resendCoolDownSeconds: number;
}

interface StepKey {
  readonly tenantId: string;
  readonly ceremonyId: string;
  readonly step: CodeStep | 'step_up';
}

/** The newest try and how many were sent for the step in the whole ceremony. */
export async function latestAttempt(
  tx: Tx,
  { tenantId, ceremonyId, step }: StepKey,
): Promise<{ attempt: CodeAttempt | undefined; sends: number }> {
  const rows = await tx<AttemptRow[]>`
    select attempt_id, contact_id, status, wrong_count, expires_at, resend_after, count(*) over () as sends
    from step_attempt where tenant_id = ${tenantId} and ceremony_id = ${ceremonyId} and step = ${step}
    order by created_at desc, attempt_id desc limit 1`;
  const row = rows[0];
  if (row === undefined) return { attempt: undefined, sends: 0 };
  return {
    attempt: {
      attemptId: row.attemptId,
      contactId: row.contactId,
      status: row.status,
      wrongCount: row.wrongCount,
      expiresAtMs: row.expiresAt.getTime(),
      resendAfterMs: row.resendAfter?.getTime() ?? 0,
    },
    sends: row.sends,
  };
}

interface AttemptRow extends Omit<CodeAttempt, 'expiresAtMs' | 'resendAfterMs'> {
  readonly expiresAt: Date;
  readonly resendAfter: Date | null;
  readonly sends: number;
}

/** Opens a new code and supersedes the one before it. It lives no longer than `lastMomentMs`. */
export async function openCodeAttempt(
  tx: Tx,
  args: StepKey & {
    attemptId: string;
    contactId: string;
    limits: CodeLimits;
    lastMomentMs: number;
  },
): Promise<void> {
  const { tenantId, ceremonyId, step, limits } = args;
  await supersedeAttempts(tx, { tenantId, ceremonyId, step });
  await tx`
    insert into step_attempt (tenant_id, attempt_id, ceremony_id, step, method, status, contact_id, created_at, expires_at, resend_after)
    select ${tenantId}, ${args.attemptId}, ${ceremonyId}, ${step}, ${step === 'email_code' ? 'email_otp' : 'sms_otp'}, 'open', ${args.contactId},
           t.now, least(t.now + make_interval(secs => ${limits.ttlSeconds}), ${new Date(args.lastMomentMs)}),
           t.now + make_interval(secs => ${limits.resendCoolDownSeconds})
    from (select latchkey_now() as now offset 0) t`;
}

export async function supersedeAttempts(
  tx: Tx,
  { tenantId, ceremonyId, step }: { tenantId: string; ceremonyId: string; step?: string },
): Promise<void> {
  await tx`
    update step_attempt set status = 'superseded'
    where tenant_id = ${tenantId} and ceremony_id = ${ceremonyId} and status = 'open'
      and (${step ?? null}::text is null or step = ${step ?? null})`;
}

export type Guess =
  | { readonly result: 'matched' }
  | { readonly result: 'wrong'; readonly attemptsLeft: number }
  | { readonly result: 'exhausted' }
  | { readonly result: 'expired' };

/** Judges one guess. Each outcome is one statement with all conditions in it. */
export async function judgeGuess(
  tx: Tx,
  args: { tenantId: string; attemptId: string; isRight: boolean; maxWrong: number },
): Promise<Guess> {
  const { tenantId, attemptId, maxWrong } = args;
  const rows = args.isRight
    ? await tx<{ status: string; wrongCount: number }[]>`
        update step_attempt set status = 'matched'
        where tenant_id = ${tenantId} and attempt_id = ${attemptId} and status = 'open' and wrong_count < ${maxWrong}
          and expires_at > latchkey_now()
        returning status, wrong_count`
    : await tx<{ status: string; wrongCount: number }[]>`
        update step_attempt
        set wrong_count = wrong_count + 1, status = case when wrong_count + 1 >= ${maxWrong} then 'exhausted' else 'open' end
        where tenant_id = ${tenantId} and attempt_id = ${attemptId} and status = 'open' and wrong_count < ${maxWrong}
          and expires_at > latchkey_now()
        returning status, wrong_count`;
  const judged = rows[0];
  if (judged === undefined) return await whyNot(tx, tenantId, attemptId);
  if (judged.status === 'matched') return { result: 'matched' };
  if (judged.status === 'exhausted') return { result: 'exhausted' };
  return { result: 'wrong', attemptsLeft: maxWrong - judged.wrongCount };
}

async function whyNot(tx: Tx, tenantId: string, attemptId: string): Promise<Guess> {
  const [row] = await tx<{ status: string }[]>`
    select status from step_attempt where tenant_id = ${tenantId} and attempt_id = ${attemptId}`;
  return row?.status === 'exhausted' ? { result: 'exhausted' } : { result: 'expired' };
}

/** The vendor's check of one ceremony, with the proofed details still sealed. */
export interface IdentityAttempt {
  readonly attemptId: string;
  readonly status: string;
  readonly verdict: string | null;
  readonly evidenceId: string | null;
  readonly sealedDetail: Uint8Array | null;
}

export async function latestIdentityAttempt(
  tx: Tx,
  tenantId: string,
  ceremonyId: string,
): Promise<IdentityAttempt | undefined> {
  const [row] = await tx<IdentityAttempt[]>`
    select attempt_id, status, verdict, evidence_id, sealed_detail from step_attempt
    where tenant_id = ${tenantId} and ceremony_id = ${ceremonyId} and method = 'identity_vendor'
    order by created_at desc limit 1`;
  return row;
}

export async function openIdentityAttempt(
  tx: Tx,
  args: {
    tenantId: string;
    ceremonyId: string;
    attemptId: string;
    sealedDetail: Uint8Array;
    lastMomentMs: number;
  },
): Promise<void> {
  await tx`
    insert into step_attempt (tenant_id, attempt_id, ceremony_id, step, method, status, created_at, expires_at, sealed_detail)
    values (${args.tenantId}, ${args.attemptId}, ${args.ceremonyId}, 'identity_check', 'identity_vendor', 'open', latchkey_now(),
            ${new Date(args.lastMomentMs)}, ${args.sealedDetail})`;
}

export async function recordVendorReference(
  tx: Tx,
  args: { tenantId: string; attemptId: string; vendorReference: string },
): Promise<void> {
  await tx`
    update step_attempt set vendor_reference = coalesce(vendor_reference, ${args.vendorReference})
    where tenant_id = ${args.tenantId} and attempt_id = ${args.attemptId}`;
}

/**
 * Writes the vendor's verdict once. `recorded`: it stands now; `late`: there was one already or nobody waits for it any more;
 * undefined: no check has that reference.
 */
export async function recordVerdict(
  tx: Tx,
  args: {
    tenantId: string;
    attemptId: string;
    vendorReference: string;
    verdict: 'verified' | 'refused';
    evidenceId: string;
  },
): Promise<
  { result: 'recorded'; ceremonyId: string; customerId: string } | { result: 'late' } | undefined
> {
  const { tenantId, attemptId } = args;
  const [recorded] = await tx<{ ceremonyId: string; customerId: string }[]>`
    update step_attempt a
    set verdict = ${args.verdict}, evidence_id = ${args.evidenceId}, vendor_reference = ${args.vendorReference},
        status = ${args.verdict === 'verified' ? 'matched' : 'failed'}
    from ceremony c
    where a.tenant_id = ${tenantId} and a.attempt_id = ${attemptId} and a.method = 'identity_vendor' and a.status = 'open'
      and a.verdict is null and (a.vendor_reference is null or a.vendor_reference = ${args.vendorReference})
      and c.tenant_id = a.tenant_id and c.ceremony_id = a.ceremony_id
    returning a.ceremony_id, c.customer_id`;
  if (recorded !== undefined) return { result: 'recorded', ...recorded };
  const known = await tx`
    select 1 from step_attempt
    where tenant_id = ${tenantId} and attempt_id = ${attemptId} and method = 'identity_vendor'
      and (vendor_reference is null or vendor_reference = ${args.vendorReference})`;
  return known.length === 0 ? undefined : { result: 'late' };
}
