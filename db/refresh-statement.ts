/**
 * The ordinary refresh as one statement that commits by itself: the current token, shown for the first time, of a session that stands. It
 * repeats every condition and decides nothing else: where it does not move the row, db/refresh.ts reads, decides and acts.
 */
import type { PolicyVersion } from './policies.ts';
import type { Database, Sql } from './connection.ts';
import { insertProof, type ProofMark } from './dpop.ts';
import { sessionColumns, sessionTables, toSessionRecord } from './sessions.ts';
import type { SessionRecord, SessionRow } from './sessions.ts';

/** A token's successor as it will be at rest. */
export interface NextToken {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly keyId: string;
}

export interface Rotation {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly jkt: string;
  readonly proof: ProofMark;
  /** What the client says it is; the row of that client says whether it may. */
  readonly app: {
    readonly clientId: string;
    readonly origin: string | undefined;
    readonly nativeAppId: string | undefined;
  };
  /** Generation and hash of the token that was shown. */
  readonly generation: number;
  readonly hash: Uint8Array;
  readonly requestHash: Uint8Array | undefined;
  readonly next: NextToken;
  /** As remembered; a newer one is heeded at once, by the path that decides. */
  readonly policy: PolicyVersion;
}

export type RotationOutcome =
  | { readonly kind: 'rotated'; readonly session: SessionRecord }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'undecided'; readonly isProofSpent: boolean };

interface RotationRow extends SessionRow {
  readonly isFresh: boolean;
  readonly movedTo: Date | null;
}

/** @throws LatchkeyError as Database.statement: it may then have rotated, and a retry with the same request id gets the same token. */
export async function rotateAtOnce(
  database: Pick<Database, 'statement'>,
  rotation: Rotation,
): Promise<RotationOutcome> {
  const [row] = await database.statement<RotationRow>({
    tenantId: rotation.tenantId,
    build: ({ sql, bound, isBound }) => sql<RotationRow[]>`
      with ${bound}, t as materialized (select latchkey_now() as now from bound),
      seen as materialized (
        select ${sessionColumns(sql)} from t, ${sessionTables(sql)}
        where ${isBound} and ${isShown(sql, rotation)} and ${stillStands(sql, rotation)} and ${isCurrent(sql, rotation)}),
      proof as (${insertProof(sql, rotation.proof, sql`exists (select from seen)`)}),
      moved as (
        update session s set ${toNext(sql, rotation, 0)} from t
        where ${isBound} and exists (select from proof) and ${isShown(sql, rotation)} and s.status = 'live'
        returning s.idle_deadline)
      select seen.*, exists (select from proof) as is_fresh, (select idle_deadline from moved) as moved_to from seen`,
    tell: ([seen]) => {
      const outcome = seen === undefined ? undefined : outcomeOf(seen);
      return outcome === undefined ? [] : [{ kind: 'refresh_decided', outcome }];
    },
  });
  if (row === undefined) return { kind: 'undecided', isProofSpent: false };
  if (!row.isFresh) return { kind: 'replayed' };
  const { isFresh: _fresh, movedTo, ...seen } = row;
  if (movedTo === null) return { kind: 'undecided', isProofSpent: true };
  return { kind: 'rotated', session: rotated(toSessionRecord(seen), movedTo, rotation) };
}

function outcomeOf({ isFresh, movedTo }: RotationRow): 'replay' | 'rotate' | undefined {
  if (!isFresh) return 'replay';
  return movedTo === null ? undefined : 'rotate';
}

/** The row as it was read, with what the statement made of it. */
function rotated(
  session: SessionRecord,
  idleDeadline: Date,
  { generation, hash, requestHash, next }: Rotation,
): SessionRecord {
  return {
    ...session,
    generation: generation + 1,
    previousHash: hash,
    currentHash: next.hash,
    salt: next.salt,
    keyId: next.keyId,
    requestHash: requestHash ?? null,
    troubled: 0,
    lastSeenAtMs: session.nowMs,
    idleDeadlineMs: idleDeadline.getTime(),
  };
}

/** The current token, never delivered twice: then no generation is troubled, and no passkey is asked for. */
function isShown(sql: Sql, { tenantId, sessionId, generation, hash }: Rotation) {
  return sql`
    s.tenant_id = ${tenantId} and s.session_id = ${sessionId} and s.generation = ${generation} and s.current_hash = ${hash}
    and s.redeliveries = 0`;
}

/** What a rotation sets, of a session `s` at the time `t`. `troubled`: by domain/refresh.ts. */
export function toNext(
  sql: Sql,
  { next, requestHash, policy }: Pick<Rotation, 'next' | 'requestHash' | 'policy'>,
  troubled: number,
) {
  return sql`
    generation = s.generation + 1, previous_hash = s.current_hash, current_hash = ${next.hash}, salt = ${next.salt},
    key_id = ${next.keyId}, request_hash = ${requestHash ?? null}, redeliveries = 0, troubled = ${troubled}, last_seen_at = t.now,
    idle_deadline = least(t.now + make_interval(secs => ${policy.document.session.idleSeconds}), s.absolute_deadline)`;
}

/**
 * What every recallable grant joins: session, customer's epoch and status, device, credential, hold, and the stricter limits. Each row is looked up by
 * its key, as a scalar: an EXISTS may be planned as a scan of all devices of the tenant, while statistics say that there are few.
 */
export function stillStands(
  sql: Sql,
  { tenantId, sessionId, jkt, policy }: Pick<Rotation, 'tenantId' | 'sessionId' | 'jkt' | 'policy'>,
) {
  const { idleSeconds, absoluteSeconds } = policy.document.session;
  return sql`
    s.tenant_id = ${tenantId} and s.session_id = ${sessionId} and s.jkt = ${jkt} and s.status = 'live'
    and c.tenant_id = s.tenant_id and c.customer_id = s.customer_id and c.security_epoch = s.epoch and c.status = 'active'
    and (select h.status from hold h where h.tenant_id = s.tenant_id and h.customer_id = s.customer_id and h.status = 'active') is null
    and (select k.status from credential k where k.tenant_id = s.tenant_id and k.credential_id = s.credential_id) = 'active'
    and (s.device_id is null or (select d.status from device d where d.tenant_id = s.tenant_id and d.device_id = s.device_id)
      in ('trusted', 'untrusted', 'restricted'))
    and t.now < s.idle_deadline and t.now < s.absolute_deadline
    and t.now < s.last_seen_at + make_interval(secs => ${idleSeconds})
    and t.now < s.started_at + make_interval(secs => ${absoluteSeconds})`;
}

/** The app may still call, from where it calls, and no newer policy has been activated. */
function isCurrent(sql: Sql, { app, policy }: Rotation) {
  const { clientId, origin = null, nativeAppId = null } = app;
  return sql`
    s.client_id = ${clientId}
    and exists (select from client a where a.tenant_id = s.tenant_id and a.client_id = s.client_id and a.kind = 'app' and a.status = 'active'
      and (${origin}::text is null or ${origin}::text = any (a.allowed_origins))
      and (${nativeAppId}::text is null or ${nativeAppId}::text = any (a.native_app_ids)))
    and (select p.version from policy p where p.tenant_id = s.tenant_id order by p.version desc limit 1) = ${policy.version}`;
}
