/**
 * The cut-off of a customer and its release: the transactions that decide. The cut-off raises the epoch, places the hold and suspends in one
 * transaction, so that a thief cannot log in again under the new epoch (SECURITY.md section 1). What it made dead is ended as rows by
 * db/revocation.ts. Lock order is customer → device → session → ceremony.
 */
import { appendAudit, insertAudit, type Actor, type AuditEntry } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { enqueue, insertOutboxRow, type NewOutboxRow } from './outbox.ts';
import { together } from './together.ts';

export interface CutOff {
  readonly revocationId: string;
  readonly effectiveAtMs: number;
  readonly oldEpoch: number;
  readonly newEpoch: number;
  readonly devices: number;
  readonly credentials: number;
}

interface CutOffArguments {
  readonly tenantId: string;
  readonly customerId: string;
  readonly revocationId: string;
  readonly holdId: string;
  readonly reason: string;
  readonly actor: Actor;
  /** How long a service may go on trusting a token it checked by itself: token lifetime and skew. */
  readonly localTokenSeconds: number;
}

/**
 * undefined: there is no such customer. Effective at the commit; each call raises the epoch once more. `settle` keeps the outcome, and goes out
 * with the last statement.
 */
export async function cutOff(
  tx: Tx,
  args: CutOffArguments,
  settle?: (tx: Tx) => Promise<void>,
): Promise<CutOff | undefined> {
  const { tenantId, customerId, revocationId } = args;
  const [raised] = await tx<{ newEpoch: number }[]>`
    update customer set security_epoch = security_epoch + 1, epoch_raised_at = latchkey_now(), cut_off_seq = cut_off_seq + 1
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'erased'
    returning security_epoch as new_epoch`;
  if (raised === undefined) return undefined;
  const { newEpoch } = raised;
  // Under the customer's lock, so that everything is seen that was granted before it.
  const [done] = await together([
    writeCutOff(tx, args, newEpoch),
    settle?.(tx) ?? Promise.resolve(),
  ]);
  noteFact(tx, { kind: 'cut_off', reason: args.reason });
  const { effectiveAt, ...numbers } = done;
  const effectiveAtMs = effectiveAt.getTime();
  return { revocationId, effectiveAtMs, oldEpoch: newEpoch - 1, newEpoch, ...numbers };
}

interface WrittenRow {
  readonly effectiveAt: Date;
  readonly devices: number;
  readonly credentials: number;
}

/** What follows from the raise, as one statement: rows that name the revocation are held against it when the statement ends. */
async function writeCutOff(tx: Tx, args: CutOffArguments, newEpoch: number): Promise<WrittenRow> {
  const { tenantId, customerId, revocationId, reason, actor } = args;
  // How many are suspended, the statement itself finds out.
  const numbers = { oldEpoch: newEpoch - 1, newEpoch, devices: 0, credentials: 0 };
  const found = tx`(select jsonb_build_object('devices', devices, 'credentials', credentials) from suspended)`;
  const [row] = await tx<WrittenRow[]>`
    with t as materialized (select latchkey_now() as now),
    device_suspended as (
      update device set status = 'suspended', suspended_from = status, suspended_by = ${revocationId}
      where tenant_id = ${tenantId} and customer_id = ${customerId} and status in ('pending', 'untrusted', 'trusted', 'restricted')
      returning 1),
    credential_suspended as (
      update credential set status = 'suspended', suspended_by = ${revocationId}
      where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'
      returning 1),
    suspended as materialized (
      select (select count(*)::integer from device_suspended) as devices, (select count(*)::integer from credential_suspended) as credentials),
    placed as (
      insert into hold (tenant_id, hold_id, customer_id, revocation_id, status, reason, placed_by, placed_at)
      select ${tenantId}, ${args.holdId}, ${customerId}, ${revocationId}, 'active', ${reason}, ${actor.id}, t.now from t
      on conflict (tenant_id, customer_id) where status = 'active' do nothing),
    noted as (${insertAudit(tx, auditOf(args, numbers), found)}),
    driven as (${insertOutboxRow(tx, startOf(args))}),
    told as (${insertOutboxRow(tx, eventOf(args, numbers), found)})
    insert into revocation
      (tenant_id, revocation_id, customer_id, status, reason, requested_by, old_epoch, new_epoch, effective_at, last_token_dies_at,
       devices, credentials)
    select ${tenantId}, ${revocationId}, ${customerId}, 'running', ${reason}, ${actor.id}, ${newEpoch - 1}, ${newEpoch},
           t.now, t.now + make_interval(secs => ${args.localTokenSeconds}), devices, credentials
    from t, suspended
    returning effective_at, devices, credentials`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  return row;
}

type CutOffNumbers = Pick<CutOff, 'oldEpoch' | 'newEpoch' | 'devices' | 'credentials'>;

function auditOf(args: CutOffArguments, numbers: CutOffNumbers): AuditEntry {
  const { tenantId, customerId, revocationId, reason, actor } = args;
  const subject = { kind: 'revocation', id: revocationId };
  const detail = { reason, ...numbers };
  return { tenantId, actor, action: 'fraud.cut_off', subject, customerId, detail };
}

function startOf({ tenantId, revocationId }: CutOffArguments): NewOutboxRow {
  const payload = { revocationId };
  return { tenantId, topic: 'revocation.start', subject: revocationId, payload };
}

function eventOf(args: CutOffArguments, numbers: CutOffNumbers): NewOutboxRow {
  const { tenantId, customerId, revocationId, reason } = args;
  const data = { customerId, revocationId, reason, ...numbers };
  const payload = { type: 'bank.app.customer_cut_off', data } as const;
  return { tenantId, topic: 'event', subject: customerId, payload };
}

export interface Release {
  readonly holdId: string;
  readonly releasedAtMs: number;
  readonly devices: number;
  readonly credentials: number;
}

/** Lifts the active hold and reinstates what its cut-offs suspended. The epoch stays: what was cut off stays cut off. */
export async function releaseHold(
  tx: Tx,
  args: { tenantId: string; customerId: string; reason: string; actor: Actor },
): Promise<Release | undefined> {
  const { tenantId, customerId, actor } = args;
  await tx`
    update customer set cut_off_seq = cut_off_seq + 1 where tenant_id = ${tenantId} and customer_id = ${customerId}`;
  const [hold] = await tx<{ holdId: string; placedAt: Date; releasedAt: Date }[]>`
    update hold set status = 'released', released_by = ${actor.id}, released_at = latchkey_now()
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'
    returning hold_id, placed_at, released_at`;
  if (hold === undefined) return undefined;
  const devices = await tx`
    update device set status = suspended_from, suspended_from = null, suspended_by = null
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'suspended' and suspended_from is not null
      and suspended_by in (${cutOffsSince(tx, tenantId, customerId, hold.placedAt)})`;
  const credentials = await tx`
    update credential set status = 'active', suspended_by = null
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'suspended'
      and suspended_by in (${cutOffsSince(tx, tenantId, customerId, hold.placedAt)})`;
  const detail = { reason: args.reason, devices: devices.count, credentials: credentials.count };
  await appendAudit(tx, {
    tenantId,
    actor,
    action: 'fraud.released',
    subject: { kind: 'hold', id: hold.holdId },
    customerId,
    detail,
  });
  await notifyCustomer(tx, { tenantId, customerId, template: 'hold_released' });
  await enqueue(tx, {
    tenantId,
    topic: 'event',
    subject: customerId,
    payload: {
      type: 'bank.app.hold_released',
      data: { customerId, holdId: hold.holdId, ...detail },
    },
  });
  return {
    holdId: hold.holdId,
    releasedAtMs: hold.releasedAt.getTime(),
    devices: devices.count,
    credentials: credentials.count,
  };
}

/** What a release answered, again: its numbers stand in the audit row of the same transaction. */
export async function releaseOf(
  tx: Tx,
  { tenantId, holdId }: { tenantId: string; holdId: string },
): Promise<Release | undefined> {
  const [row] = await tx<(Omit<Release, 'releasedAtMs'> & { releasedAt: Date })[]>`
    select hold.hold_id, hold.released_at, (audit.detail->>'devices')::integer as devices,
      (audit.detail->>'credentials')::integer as credentials
    from hold join audit on audit.tenant_id = hold.tenant_id and audit.customer_id = hold.customer_id
      and audit.action = 'fraud.released' and audit.subject_id = hold.hold_id
    where hold.tenant_id = ${tenantId} and hold.hold_id = ${holdId}`;
  if (row === undefined) return undefined;
  const { releasedAt, ...rest } = row;
  return { ...rest, releasedAtMs: releasedAt.getTime() };
}

/** Whether the customer was ever held, for telling `hold_released` from `hold_not_found`. */
export async function wasHeld(tx: Tx, tenantId: string, customerId: string): Promise<boolean> {
  const rows = await tx`
    select 1 from hold where tenant_id = ${tenantId} and customer_id = ${customerId} limit 1`;
  return rows.length > 0;
}

function cutOffsSince(tx: Tx, tenantId: string, customerId: string, since: Date) {
  return tx`
    select revocation_id from revocation
    where tenant_id = ${tenantId} and customer_id = ${customerId} and effective_at >= ${since}`;
}
