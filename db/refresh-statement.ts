/**
 * Ordinary refreshes of one tenant as one statement that commits by itself: the current token, shown for the first time, of a session that stands. It
 * repeats every condition and decides nothing else: where it does not move a row, db/refresh.ts reads, decides and acts.
 */
import type postgres from 'postgres';
import type { PolicyVersion } from './policies.ts';
import type { Database, Sql } from './connection.ts';
import { proofSlot, type ProofMark } from './dpop.ts';
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
  readonly place: number;
  readonly isFresh: boolean;
  readonly movedTo: Date | null;
}

/**
 * Outcomes in the order of the rotations, all of one tenant, in which no session and no proof may stand twice. None waits for a row that somebody
 * else holds: it is undecided then, with its proof spent, and moves no neighbour's fate.
 * @throws LatchkeyError as Database.statement: they may then have rotated, and a retry with the same request id gets the same token.
 */
export async function rotateAtOnce(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  rotations: readonly Rotation[],
): Promise<readonly RotationOutcome[]> {
  const rows = await database.statement<RotationRow>({
    tenantId,
    build: ({ sql, bound, isBound }) => sql<RotationRow[]>`
      with ${bound}, t as materialized (select latchkey_now() as now, latchkey_started_at() as started from bound),
      asked as materialized (${askedRows(sql, rotations)}),
      seen as materialized (
        select a.place, found.* from asked a cross join lateral (
          select ${sessionColumns(sql)} from t, ${sessionTables(sql)}
          where ${isBound} and ${isShown(sql, tenantId)} and ${stillStands(sql, termsOfRow(sql, tenantId))} and ${isCurrent(sql)}
          -- One row there is anyway: the limit keeps PostgreSQL to looking each up by its key, however many there are.
          limit 1) found),
      proof as (
        insert into dpop_jti (tenant_id, slot, jti_hash, seen_at)
        select latchkey_tenant(), a.slot, a.jti_hash, t.now from t, asked a
        where ${isBound} and a.place in (select place from seen) and a.issued_at >= t.started
        -- In one order, so that two batches with the same proofs wait for each other instead of for ever.
        order by a.slot, a.jti_hash
        on conflict do nothing returning slot, jti_hash),
      -- Sorted, so that every proof is spent before the first row is locked: whoever waits for a proof holds no session.
      fresh as materialized (
        select a.* from asked a join proof p on p.slot = a.slot and p.jti_hash = a.jti_hash order by a.session),
      -- Judged again under its lock, which the update then has already.
      held as materialized (
        select a.* from fresh a cross join lateral (
          select s.session_id from session s where ${isBound} and ${isShown(sql, tenantId)} and s.status = 'live'
          limit 1 for no key update skip locked) mine),
      moved as (
        update session s set ${toNext(sql, nextOfRow(sql))} from t, held a
        where ${isBound} and s.tenant_id = ${tenantId} and s.session_id = a.session
        returning a.place, s.idle_deadline)
      select seen.*, f.place is not null as is_fresh, m.idle_deadline as moved_to
      from seen left join fresh f on f.place = seen.place left join moved m on m.place = seen.place`,
    tell: (seen) =>
      seen.flatMap((row) => {
        const outcome = outcomeOf(row);
        return outcome === undefined ? [] : [{ kind: 'refresh_decided', outcome }];
      }),
  });
  const found = new Map(rows.map((row) => [row.place, row]));
  return rotations.map((rotation, place) => answer(found.get(place), rotation));
}

function answer(row: RotationRow | undefined, rotation: Rotation): RotationOutcome {
  if (row === undefined) return { kind: 'undecided', isProofSpent: false };
  if (!row.isFresh) return { kind: 'replayed' };
  const { movedTo } = row;
  if (movedTo === null) return { kind: 'undecided', isProofSpent: true };
  return { kind: 'rotated', session: rotated(toSessionRecord(row), movedTo, rotation) };
}

function askedRows(sql: Sql, rotations: readonly Rotation[]) {
  return sql`
    select place, session, key, generation, decode(hash, 'hex') as hash, slot, decode(jti, 'hex') as jti_hash,
      to_timestamp(issued_ms / 1000.0) as issued_at, client, origin, native_app, decode(request, 'hex') as request_hash,
      decode(next_hash, 'hex') as next_hash, decode(next_salt, 'hex') as next_salt, next_key, policy, idle_seconds, absolute_seconds
    from jsonb_to_recordset(${sql.json(rotations.map(asRow))}) as q(place integer, session text, key text, generation integer, hash text,
      slot smallint, jti text, issued_ms bigint, client text, origin text, native_app text, request text, next_hash text, next_salt text,
      next_key text, policy integer, idle_seconds double precision, absolute_seconds double precision)
    limit 64`;
}

function asRow(rotation: Rotation, place: number) {
  const { proof, app, next, policy, requestHash } = rotation;
  const { idleSeconds, absoluteSeconds } = policy.document.session;
  return {
    place,
    session: rotation.sessionId,
    key: rotation.jkt,
    generation: rotation.generation,
    hash: toHex(rotation.hash),
    slot: proofSlot(proof.issuedAtMs),
    jti: toHex(proof.jtiHash),
    issued_ms: proof.issuedAtMs,
    client: app.clientId,
    origin: app.origin ?? null,
    native_app: app.nativeAppId ?? null,
    request: requestHash === undefined ? null : toHex(requestHash),
    next_hash: toHex(next.hash),
    next_salt: toHex(next.salt),
    next_key: next.keyId,
    policy: policy.version,
    idle_seconds: idleSeconds,
    absolute_seconds: absoluteSeconds,
  };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
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

/** The current token, never delivered twice: then no generation is troubled, and no passkey is asked for. Of a row `a` that was asked. */
function isShown(sql: Sql, tenantId: string) {
  return sql`
    s.tenant_id = ${tenantId} and s.session_id = a.session and s.generation = a.generation and s.current_hash = a.hash
    and s.redeliveries = 0`;
}

type Value<T> = T | postgres.Fragment;

/** What a rotation writes: values, or columns of a row that was asked. */
export interface NextTerms {
  readonly hash: Value<Uint8Array>;
  readonly salt: Value<Uint8Array>;
  readonly keyId: Value<string>;
  readonly requestHash: Value<Uint8Array | null>;
  readonly idleSeconds: Value<number>;
  /** By domain/refresh.ts. */
  readonly troubled: number;
}

function nextOfRow(sql: Sql): NextTerms {
  return {
    hash: sql`a.next_hash`,
    salt: sql`a.next_salt`,
    keyId: sql`a.next_key`,
    requestHash: sql`a.request_hash`,
    idleSeconds: sql`a.idle_seconds`,
    troubled: 0,
  };
}

/** What a rotation sets, of a session `s` at the time `t`. */
export function toNext(
  sql: Sql,
  { hash, salt, keyId, requestHash, idleSeconds, troubled }: NextTerms,
) {
  return sql`
    generation = s.generation + 1, previous_hash = s.current_hash, current_hash = ${hash}, salt = ${salt},
    key_id = ${keyId}, request_hash = ${requestHash}, redeliveries = 0, troubled = ${troubled}, last_seen_at = t.now,
    idle_deadline = least(t.now + make_interval(secs => ${idleSeconds}), s.absolute_deadline)`;
}

export interface StandingTerms {
  readonly tenantId: string;
  readonly sessionId: Value<string>;
  readonly jkt: Value<string>;
  readonly idleSeconds: Value<number>;
  readonly absoluteSeconds: Value<number>;
}

function termsOfRow(sql: Sql, tenantId: string): StandingTerms {
  return {
    tenantId,
    sessionId: sql`a.session`,
    jkt: sql`a.key`,
    idleSeconds: sql`a.idle_seconds`,
    absoluteSeconds: sql`a.absolute_seconds`,
  };
}

/**
 * What every recallable grant joins: session, customer's epoch and status, device, credential, hold, and the stricter limits. Each row is looked up by
 * its key, as a scalar: an EXISTS may be planned as a scan of all devices of the tenant, while statistics say that there are few.
 */
export function stillStands(
  sql: Sql,
  { tenantId, sessionId, jkt, idleSeconds, absoluteSeconds }: StandingTerms,
) {
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
function isCurrent(sql: Sql) {
  return sql`
    s.client_id = a.client
    and exists (select from client e where e.tenant_id = s.tenant_id and e.client_id = s.client_id and e.kind = 'app' and e.status = 'active'
      and (a.origin is null or a.origin = any (e.allowed_origins))
      and (a.native_app is null or a.native_app = any (e.native_app_ids)))
    and (select p.version from policy p where p.tenant_id = s.tenant_id order by p.version desc limit 1) = a.policy`;
}
