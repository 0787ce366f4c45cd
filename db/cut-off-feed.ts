/**
 * Who was cut off, for services that check tokens by themselves. The rows come from triggers (012.do.cut-off-feed.sql); here they are read
 * so that none can be missed, and forgotten when no token can be alive that they speak of. It must never be what a grant is judged by.
 */
import { LONGEST_ACCESS_TOKEN_SECONDS } from '../domain/policy.ts';
import type { Tx } from './connection.ts';

/** Beyond the longest token: a token may be signed some seconds after the statement that granted it, by a clock that runs ahead. */
const MARGIN_SECONDS = 300;
/** A statement takes 5 s at most and a request 10 s: by then nobody signs what was granted before the cut-off. */
const STRAGGLER_SECONDS = 15;
const SWEPT_AT_ONCE = 10_000;

export const CUT_OFFS_KEPT_SECONDS = LONGEST_ACCESS_TOKEN_SECONDS + MARGIN_SECONDS;

export const CUT_OFF_KINDS = ['customer', 'session', 'device', 'client', 'signing_key'] as const;

/** Refused are tokens of the customer below the epoch; of the session or key; of the device or client up to that issuing time. */
export type FeedCutOff = { readonly id: string; readonly atMs: number } & (
  | { readonly kind: 'customer'; readonly minimumEpoch: number }
  | { readonly kind: 'session' | 'signing_key' }
  | { readonly kind: 'device' | 'client'; readonly issuedUpTo: number }
);

export interface PlacedCutOff {
  readonly position: number;
  readonly cutOff: FeedCutOff;
}

export interface FeedPage {
  readonly entries: readonly PlacedCutOff[];
  /** Where to read on. What was not committed at this reading comes after it, whatever its number is. */
  readonly next: string;
  /** Every cut-off committed before this time of the database was told. undefined: there is more to read. */
  readonly asOfMs: number | undefined;
}

/**
 * `<round>-<transaction>-<position>`: a round of pages begins at the oldest transaction that may not have been seen, which is what the round
 * before it remembered of its own beginning.
 */
export const FEED_START = '0-0-0';
export const FEED_POSITION = /^[0-9]{1,19}-[0-9]{1,19}-[0-9]{1,15}$/;

interface Row {
  readonly position: number;
  readonly xid: string;
  readonly kind: (typeof CUT_OFF_KINDS)[number];
  readonly subject: string;
  readonly minimumEpoch: number | null;
  readonly at: Date;
}

/**
 * Numbers are given out before the commit, so a later number may be seen before an earlier one. Therefore a reader goes on at the oldest
 * transaction that was still running when its round began, and is told again what it knows from younger ones: nothing is missed, and
 * nothing waits for a slow transaction elsewhere.
 */
export async function readCutOffs(
  tx: Tx,
  args: { readonly tenantId: string; readonly after: string; readonly limit: number },
): Promise<FeedPage> {
  const { tenantId, limit } = args;
  // Two statements: the second one's snapshot is the later, so it sees all that the first calls finished.
  const mark = await readMark(tx);
  const { round, xid, position } = startOf(args.after, mark.newest);
  const isNewRound = xid === round && position === 0;
  const thisRound = isNewRound ? mark.oldest : round;
  const rows = await tx<Row[]>`
    select position, xid::text as xid, kind, subject, minimum_epoch, at from cut_off
    where tenant_id = ${tenantId} and (xid, position) > (${xid}::text::xid8, ${position}::bigint)
    order by cut_off.xid, position limit ${limit}`;
  const last = rows.at(-1);
  const isOver = rows.length < limit || last === undefined;
  return {
    entries: rows.map((row) => ({ position: row.position, cutOff: cutOffOf(row) })),
    next: isOver
      ? `${thisRound}-${thisRound}-0`
      : `${thisRound}-${last.xid}-${String(last.position)}`,
    // Of a round of several pages the first were read too early to say so.
    asOfMs: isNewRound && isOver ? mark.asOf.getTime() : undefined,
  };
}

/** Whatever is committed after this call comes after the position. */
export async function feedPositionNow(tx: Tx): Promise<string> {
  const { oldest } = await readMark(tx);
  return `${oldest}-${oldest}-0`;
}

interface Mark {
  readonly asOf: Date;
  /** Every older transaction has ended. */
  readonly oldest: string;
  readonly newest: string;
}

async function readMark(tx: Tx): Promise<Mark> {
  const [mark] = await tx<Mark[]>`
    select latchkey_now() as as_of, pg_snapshot_xmin(pg_current_snapshot())::text as oldest,
      pg_snapshot_xmax(pg_current_snapshot())::text as newest`;
  if (mark === undefined) throw new TypeError('a snapshot is one row');
  return mark;
}

/** A position from another life of the database (one restored since) says nothing here: everything is told again. */
function startOf(
  after: string,
  newest: string,
): { readonly round: string; readonly xid: string; readonly position: number } {
  const [round = '0', xid = '0', position = '0'] = after.split('-');
  const isForeign = [round, xid].some((number) => BigInt(number) > BigInt(newest));
  return isForeign
    ? { round: '0', xid: '0', position: 0 }
    : { round, xid, position: Number(position) };
}

function cutOffOf({ kind, subject, minimumEpoch, at }: Row): FeedCutOff {
  const base = { id: subject, atMs: at.getTime() };
  if (kind === 'customer') return { ...base, kind, minimumEpoch: minimumEpoch ?? 0 };
  if (kind === 'session' || kind === 'signing_key') return { ...base, kind };
  return { ...base, kind, issuedUpTo: Math.ceil(at.getTime() / 1000) + STRAGGLER_SECONDS };
}

/** Answers how many were forgotten: no token that they cut off can be alive. */
export async function sweepCutOffs(tx: Tx, tenantId: string): Promise<number> {
  const { count } = await tx`
    delete from cut_off where tenant_id = ${tenantId} and position in (
      select position from cut_off
      where tenant_id = ${tenantId} and at < latchkey_now() - make_interval(secs => ${CUT_OFFS_KEPT_SECONDS})
      limit ${SWEPT_AT_ONCE})`;
  return count;
}
