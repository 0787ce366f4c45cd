/**
 * A freeze placed and lifted: each one transaction that touches the customer's row first, so that it conflicts with every final grant (SECURITY.md
 * section 1), and writes row, audit, event and notice. It ends no session, raises no epoch and suspends nothing.
 */
import { LatchkeyError } from '../domain/errors.ts';
import { judgeFreeze, type FreezeHow } from '../domain/freeze.ts';
import type { FreezePolicy } from '../domain/freeze-policy.ts';
import { appendAudit, type Actor } from './audit.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { enqueue } from './outbox.ts';

interface Subject {
  readonly tenantId: string;
  readonly customerId: string;
}

type Person = Actor & { readonly kind: 'customer' | 'staff' };

export interface FreezeRequest extends Subject {
  readonly freezeId: string;
  readonly how: FreezeHow;
  readonly by: Person;
  /** A passkey on a trusted phone that is not reported, or a person of the bank. */
  readonly isProved: boolean;
  /** Picked, of staff alone. */
  readonly reason?: string | undefined;
  /** The notice, of a link alone. */
  readonly messageId?: string | undefined;
  readonly policy: FreezePolicy;
}

export interface Frozen {
  readonly frozenUntilMs: number;
  /** false: he was frozen for long enough already; it lasts no longer, and nobody is told. */
  readonly isNew: boolean;
}

/** @throws LatchkeyError not_found: no active customer; freeze_limit_reached, freeze_link_used. */
export async function placeFreeze(tx: Tx, request: FreezeRequest): Promise<Frozen> {
  const { tenantId, customerId, messageId, policy } = request;
  const [customer] = await tx<{ frozenUntil: Date | null }[]>`
    update customer set cut_off_seq = cut_off_seq + 1
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'
    returning frozen_until`;
  if (customer === undefined) throw new LatchkeyError('not_found');
  const frozenUntilMs = customer.frozenUntil?.getTime() ?? null;
  // Under the customer's lock, so that two freezes at once are counted one after the other.
  const { now, unprovedSeconds, isLinkUsed } = await historyOf(tx, request);
  const nowMs = now.getTime();
  if (messageId !== undefined && isLinkUsed) {
    if (frozenUntilMs === null || frozenUntilMs <= nowMs)
      throw new LatchkeyError('freeze_link_used');
    return { frozenUntilMs, isNew: false };
  }
  const facts = { isProved: request.isProved, nowMs, frozenUntilMs, unprovedSeconds };
  const judged = judgeFreeze(facts, policy);
  if ('refused' in judged) throw new LatchkeyError(judged.refused);
  if ('staysUntilMs' in judged) {
    const { staysUntilMs } = judged;
    if (await undoesLogins(tx, request))
      await writeFreeze(tx, request, { now, until: new Date(staysUntilMs), addedSeconds: 0 });
    return { frozenUntilMs: staysUntilMs, isNew: false };
  }
  const { untilMs, addedSeconds } = judged;
  const until = new Date(untilMs);
  await writeFreeze(tx, request, { now, until, addedSeconds });
  await startFreeze(tx, request, { now, until });
  await notifyCustomer(tx, { tenantId, customerId, template: 'customer_frozen' });
  return { frozenUntilMs: untilMs, isNew: true };
}

/**
 * Whoever freezes again says that logins since the last freeze may be the thief's, so that only one from afterwards ends it. Once a login, so that
 * nobody writes rows by pressing; and not from a session that only reads, which could say so after each: a link and a code are spent by it, and a
 * trusted phone's session can be ended.
 */
async function undoesLogins(tx: Tx, request: FreezeRequest): Promise<boolean> {
  const { tenantId, customerId, how, isProved } = request;
  if (!isProved && how === 'app') return false;
  const sinceMs = await frozenSinceMs(tx, request);
  const rows = await tx`
    select 1 from session
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'live'
      and auth_time > ${sinceMs === undefined ? null : new Date(sinceMs)}
    limit 1`;
  return rows.length > 0;
}

interface History {
  readonly now: Date;
  readonly unprovedSeconds: number;
  readonly isLinkUsed: boolean;
}

async function historyOf(
  tx: Tx,
  { tenantId, customerId, messageId, policy }: FreezeRequest,
): Promise<History> {
  const [row] = await tx<History[]>`
    with t as materialized (select latchkey_now() as now)
    select t.now,
      (select coalesce(sum(f.added_seconds), 0)::integer from customer_freeze f
        where f.tenant_id = ${tenantId} and f.customer_id = ${customerId} and not f.is_proved
          and f.placed_at > t.now - make_interval(secs => ${policy.unprovedWindowSeconds})) as unproved_seconds,
      exists (select from customer_freeze f where f.tenant_id = ${tenantId} and f.message_id = ${messageId ?? null}) as is_link_used
    from t`;
  if (row === undefined) throw new TypeError('an aggregate answers one row');
  return row;
}

async function writeFreeze(
  tx: Tx,
  request: FreezeRequest,
  { now, until, addedSeconds }: { now: Date; until: Date; addedSeconds: number },
): Promise<void> {
  const { tenantId, customerId, freezeId, how, by, isProved } = request;
  const { reason = null, messageId = null } = request;
  await tx`
    insert into customer_freeze (tenant_id, freeze_id, customer_id, how, is_proved, placed_by_kind, placed_by, reason, message_id,
      placed_at, frozen_until, added_seconds)
    values (${tenantId}, ${freezeId}, ${customerId}, ${how}, ${isProved}, ${by.kind}, ${by.id}, ${reason}, ${messageId},
      ${now}, ${until}, ${addedSeconds})`;
  await appendAudit(tx, {
    tenantId,
    actor: by,
    action: 'customer.frozen',
    subject: { kind: 'freeze', id: freezeId },
    customerId,
    detail: { how, isProved, addedSeconds, ...(reason === null ? {} : { because: reason }) },
  });
}

/** What stands on the customer's row, and what others hear of it. */
async function startFreeze(
  tx: Tx,
  { tenantId, customerId, freezeId, how }: FreezeRequest,
  { now, until }: { now: Date; until: Date },
): Promise<void> {
  await tx`
    update customer set frozen_until = ${until} where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.customer_frozen',
      data: {
        customerId,
        freezeId,
        how,
        forSeconds: Math.ceil((until.getTime() - now.getTime()) / 1000),
      },
    },
  });
}

/**
 * Ends what stands of every freeze, if any does. Who may, the caller has judged under the lock of touchCustomer().
 * @throws LatchkeyError not_found: no such customer.
 */
export async function liftFreeze(
  tx: Tx,
  args: Subject & { readonly by: Person; readonly reason?: string | undefined },
): Promise<{ readonly wasFrozen: boolean }> {
  const { tenantId, customerId, by, reason } = args;
  const [customer] = await tx<{ wasFrozen: boolean }[]>`
    with before as materialized (
      select customer_id, frozen_until from customer
      where tenant_id = ${tenantId} and customer_id = ${customerId} for no key update)
    update customer c set cut_off_seq = c.cut_off_seq + 1, frozen_until = null
    from before where c.tenant_id = ${tenantId} and c.customer_id = before.customer_id
    returning coalesce(before.frozen_until > latchkey_now(), false) as was_frozen`;
  if (customer === undefined) throw new LatchkeyError('not_found');
  if (!customer.wasFrozen) return { wasFrozen: false };
  const released = await tx<{ freezeId: string }[]>`
    update customer_freeze
    set released_at = latchkey_now(), released_by_kind = ${by.kind}, released_by = ${by.id}, release_reason = ${reason ?? null}
    where tenant_id = ${tenantId} and customer_id = ${customerId} and released_at is null and frozen_until > latchkey_now()
    returning freeze_id`;
  await appendAudit(tx, {
    tenantId,
    actor: by,
    action: 'customer.freeze_lifted',
    subject: { kind: 'customer', id: customerId },
    customerId,
    detail: { freezes: released.length, ...(reason === undefined ? {} : { because: reason }) },
  });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: { type: 'bank.app.freeze_lifted', data: { customerId, by: by.kind } },
  });
  await notifyCustomer(tx, { tenantId, customerId, template: 'freeze_lifted' });
  return { wasFrozen: true };
}

/** When the youngest of the freezes that stand was placed, also one that added no time; undefined: he is not frozen. */
export async function frozenSinceMs(
  tx: Tx,
  { tenantId, customerId }: Subject,
): Promise<number | undefined> {
  const [row] = await tx<{ placedAt: Date | null }[]>`
    select max(f.placed_at) as placed_at from customer_freeze f join customer c using (tenant_id, customer_id)
    where f.tenant_id = ${tenantId} and f.customer_id = ${customerId} and f.released_at is null
      and f.frozen_until > latchkey_now() and c.frozen_until > latchkey_now()`;
  return row?.placedAt?.getTime();
}
