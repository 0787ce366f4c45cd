/**
 * Idempotency-Keys as rows: a digest of the request and a reference to its outcome, never an answer. A row is claimed before the work
 * and settled in the work's own transaction; a claim that nobody settled for 30 s may be taken over, because its process is gone.
 */
import type { Database, Tx } from './connection.ts';

/** A request takes 10 s at most and its statements 5 s: after this nobody works on the claim. */
export const ABANDONED_AFTER = '30 seconds';

export interface IdempotencyKey {
  readonly tenantId: string;
  /** Kind and session, key or client id of the caller. */
  readonly caller: string;
  readonly operation: string;
  readonly keyHash: Uint8Array;
}

export type IdempotencyClaim =
  /** Work now; `claimedAt` proves that the claim is still ours. */
  | { readonly kind: 'claimed'; readonly claimedAt: string }
  | { readonly kind: 'settled'; readonly reference: string }
  | { readonly kind: 'in_progress' }
  | { readonly kind: 'other_request' };

/** Claims the key, or says what became of it. A concurrent claimer is waited for. A claim that was given up on is taken over after a while. */
export async function claimIdempotencyKey(
  database: Pick<Database, 'statement' | 'tenant'>,
  key: IdempotencyKey,
  args: { readonly bodyHash: Uint8Array; readonly keptSeconds: number },
): Promise<IdempotencyClaim> {
  const [claimed] = await database.statement<{ claimedAt: string }>({
    tenantId: key.tenantId,
    build: ({ sql, bound, isBound }) => sql<{ claimedAt: string }[]>`
      with ${bound}, t as materialized (select latchkey_now() as now from bound)
      insert into idempotency as i (tenant_id, caller, operation, key_hash, body_hash, created_at, expires_at)
      select ${key.tenantId}, ${key.caller}, ${key.operation}, ${key.keyHash}, ${args.bodyHash}, t.now,
        t.now + make_interval(secs => ${args.keptSeconds}) from t where ${isBound}
      on conflict (tenant_id, caller, operation, key_hash) do update
        set created_at = excluded.created_at, status = null, body_hash = excluded.body_hash, expires_at = excluded.expires_at,
          reference = null
        where i.expires_at <= excluded.created_at
          or (i.body_hash = excluded.body_hash and i.reference is null
            and (i.status is not null or i.created_at <= excluded.created_at - ${ABANDONED_AFTER}::interval))
      returning created_at::text as claimed_at`,
  });
  if (claimed !== undefined) return { kind: 'claimed', claimedAt: claimed.claimedAt };
  return await database.tenant(key.tenantId, (tx) => whatBecame(tx, key, args.bodyHash));
}

async function whatBecame(
  tx: Tx,
  key: IdempotencyKey,
  bodyHash: Uint8Array,
): Promise<IdempotencyClaim> {
  const [row] = await tx<{ isSame: boolean; reference: string | null }[]>`
    select body_hash = ${bodyHash} as is_same, reference from idempotency where ${matches(tx, key)}`;
  // It was swept between the two statements: the next try claims it.
  if (row === undefined) return { kind: 'in_progress' };
  if (!row.isSame) return { kind: 'other_request' };
  return row.reference === null
    ? { kind: 'in_progress' }
    : { kind: 'settled', reference: row.reference };
}

/** In the transaction of the work. false: somebody took the claim over; the work must not commit. */
export async function settleIdempotencyKey(
  tx: Tx,
  key: IdempotencyKey,
  { claimedAt, reference, status }: { claimedAt: string; reference: string; status: number },
): Promise<boolean> {
  const { count } = await tx`
    update idempotency set reference = ${reference}, status = ${status}
    where ${matches(tx, key)} and created_at = ${claimedAt}::text::timestamptz and reference is null and status is null`;
  return count === 1;
}

/** After a refusal: nothing came of it, and the same request may try again at once. */
export async function releaseIdempotencyKey(
  tx: Tx,
  key: IdempotencyKey,
  { claimedAt, status }: { claimedAt: string; status: number },
): Promise<void> {
  await tx`update idempotency set status = ${status}
    where ${matches(tx, key)} and created_at = ${claimedAt}::text::timestamptz and reference is null`;
}

function matches(tx: Tx, { tenantId, caller, operation, keyHash }: IdempotencyKey) {
  return tx`tenant_id = ${tenantId} and caller = ${caller} and operation = ${operation} and key_hash = ${keyHash}`;
}
