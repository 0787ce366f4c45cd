/**
 * The cut-off of a customer and its release: the transactions that decide. The cut-off raises the epoch, places the hold and suspends in one
 * transaction, so that a thief cannot log in again under the new epoch (SECURITY.md section 1). What it made dead is ended as rows by
 * db/revocation.ts. Lock order is customer → device → session → ceremony.
 */
import { appendAudit, type Actor } from './audit.ts';
import { noteFact } from './committed-facts.ts';
import type { Tx } from './connection.ts';
import { notifyCustomer } from './contacts.ts';
import { enqueue } from './outbox.ts';
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

/** undefined: there is no such customer. Effective at the commit; each call raises the epoch once more. */
export async function cutOff(tx: Tx, args: CutOffArguments): Promise<CutOff | undefined> {
  const { tenantId, customerId, revocationId } = args;
  const [raised] = await tx<{ newEpoch: number }[]>`
    update customer set security_epoch = security_epoch + 1, epoch_raised_at = latchkey_now(), cut_off_seq = cut_off_seq + 1
    where tenant_id = ${tenantId} and customer_id = ${customerId} and status <> 'erased'
    returning security_epoch as new_epoch`;
  if (raised === undefined) return undefined;
  const { newEpoch } = raised;
  // The rows that name the revocation come after it, whatever waits for what.
  const [effectiveAt, suspended] = await together([
    insertRevocation(tx, args, newEpoch),
    suspend(tx, args),
  ]);
  const answer = { oldEpoch: newEpoch - 1, newEpoch, ...suspended };
  await together([
    placeHold(tx, args, effectiveAt),
    countInRevocation(tx, args, suspended),
    announceCutOff(tx, args, answer),
  ]);
  noteFact(tx, { kind: 'cut_off', reason: args.reason });
  return { revocationId, effectiveAtMs: effectiveAt.getTime(), ...answer };
}

async function placeHold(tx: Tx, args: CutOffArguments, placedAt: Date): Promise<void> {
  const { tenantId, customerId, revocationId } = args;
  await tx`
    insert into hold (tenant_id, hold_id, customer_id, revocation_id, status, reason, placed_by, placed_at)
    values (${tenantId}, ${args.holdId}, ${customerId}, ${revocationId}, 'active', ${args.reason}, ${args.actor.id}, ${placedAt})
    on conflict (tenant_id, customer_id) where status = 'active' do nothing`;
}

// Before the rows that name it, so still without their numbers. Its time is read under the customer's lock.
async function insertRevocation(tx: Tx, args: CutOffArguments, newEpoch: number): Promise<Date> {
  const { tenantId, customerId, revocationId, reason, actor } = args;
  const [row] = await tx<{ effectiveAt: Date }[]>`
    with t as materialized (select latchkey_now() as now)
    insert into revocation
      (tenant_id, revocation_id, customer_id, status, reason, requested_by, old_epoch, new_epoch, effective_at, last_token_dies_at,
       devices, credentials)
    select ${tenantId}, ${revocationId}, ${customerId}, 'running', ${reason}, ${actor.id}, ${newEpoch - 1}, ${newEpoch},
           t.now, t.now + make_interval(secs => ${args.localTokenSeconds}), 0, 0
    from t
    returning effective_at`;
  if (row === undefined) throw new TypeError('an insert answers its row');
  return row.effectiveAt;
}

async function suspend(
  tx: Tx,
  { tenantId, customerId, revocationId }: CutOffArguments,
): Promise<{ devices: number; credentials: number }> {
  const [devices, credentials] = await together([
    tx`
      update device set status = 'suspended', suspended_from = status, suspended_by = ${revocationId}
      where tenant_id = ${tenantId} and customer_id = ${customerId} and status in ('pending', 'untrusted', 'trusted', 'restricted')`,
    tx`
      update credential set status = 'suspended', suspended_by = ${revocationId}
      where tenant_id = ${tenantId} and customer_id = ${customerId} and status = 'active'`,
  ]);
  return { devices: devices.count, credentials: credentials.count };
}

async function countInRevocation(
  tx: Tx,
  { tenantId, revocationId }: CutOffArguments,
  { devices, credentials }: { readonly devices: number; readonly credentials: number },
): Promise<void> {
  await tx`
    update revocation set devices = ${devices}, credentials = ${credentials}
    where tenant_id = ${tenantId} and revocation_id = ${revocationId}`;
}

async function announceCutOff(
  tx: Tx,
  { tenantId, customerId, revocationId, reason, actor }: CutOffArguments,
  numbers: { oldEpoch: number; newEpoch: number; devices: number; credentials: number },
): Promise<void> {
  const detail = { reason, ...numbers };
  await together([
    appendAudit(tx, {
      tenantId,
      actor,
      action: 'fraud.cut_off',
      subject: { kind: 'revocation', id: revocationId },
      customerId,
      detail,
    }),
    enqueue(tx, {
      tenantId,
      topic: 'revocation.start',
      subject: revocationId,
      payload: { revocationId },
    }),
    enqueue(tx, {
      tenantId,
      topic: 'event',
      subject: customerId,
      payload: { type: 'bank.app.customer_cut_off', data: { customerId, revocationId, ...detail } },
    }),
  ]);
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
