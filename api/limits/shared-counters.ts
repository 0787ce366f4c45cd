/**
 * The shared counts of one tenant as rate-limiter-flexible's PostgreSQL store, in batches: what is counted while a statement is under way goes
 * with the next one, so that a busy API pays for one statement and not for one a request. Each caller still gets the count of its own turn.
 */
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Database } from '../../db/connection.ts';
import { count } from '../../db/limit-counters.ts';
import type { Count, Counted } from '../../db/limit-counters.ts';
import type { LimitNumbers } from '../../domain/limits.ts';

interface Waiting extends Count {
  readonly resolve: (counted: Counted | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export type Counters = (asked: Count) => Promise<Counted | undefined>;

/** @throws what the database throws, for every count of that batch */
export function createCounters(
  database: Pick<Database, 'statement'>,
  tenantId: string,
  nowMs: () => number,
): Counters {
  let waiting: Waiting[] = [];
  let isUnderWay = false;

  async function run(): Promise<void> {
    isUnderWay = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const merged = merge(batch);
        const counted = await count(database, tenantId, merged, nowMs());
        settle(batch, merged, counted);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isUnderWay = false;
  }

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ ...asked, resolve, reject });
      // Its errors are each waiter's.
      if (!isUnderWay) void run();
    });
}

/** One entry a key: a statement meets each row once. */
function merge(batch: readonly Count[]): Count[] {
  const merged = new Map<string, Count>();
  for (const { key, points, expireMs } of batch) {
    const sum = (merged.get(key)?.points ?? 0) + points;
    merged.set(key, { key, points: sum, expireMs });
  }
  return [...merged.values()];
}

function settle(batch: readonly Waiting[], merged: readonly Count[], counted: readonly Counted[]) {
  const rows = new Map(counted.map((row) => [row.key, row]));
  const before = new Map(
    merged.map(({ key, points }) => [key, (rows.get(key)?.points ?? 0) - points]),
  );
  for (const { key, points, resolve } of batch) {
    const row = rows.get(key);
    const reached = (before.get(key) ?? 0) + points;
    before.set(key, reached);
    resolve(row === undefined ? undefined : { ...row, points: reached });
  }
}

interface StoreAnswer {
  readonly rows: readonly { readonly points: number; readonly expire: number }[];
}

/** The library's rules over our counters: `_upsert` and `_get` are what it asks every store to bring. */
export class SharedLimiter extends RateLimiterPostgres {
  readonly #counters: Counters;
  readonly #nowMs: () => number;

  constructor(numbers: LimitNumbers, counters: Counters, nowMs: () => number) {
    const { points, seconds: duration } = numbers;
    const own = { storeClient: {}, storeType: 'pool', tableName: 'limit_counter' };
    const made = { tableCreated: true, clearExpiredByTimeout: false, keyPrefix: '' };
    super({ points, duration, ...own, ...made });
    this.#counters = counters;
    this.#nowMs = nowMs;
  }

  async _upsert(key: string, points: number, msDuration: number): Promise<StoreAnswer> {
    const answer = await this.#ask(key, points, msDuration);
    if (answer === undefined) throw new TypeError('what is counted has a row');
    return answer;
  }

  async _get(key: string): Promise<StoreAnswer | null> {
    return (await this.#ask(key, 0, 0)) ?? null;
  }

  async #ask(key: string, points: number, msDuration: number): Promise<StoreAnswer | undefined> {
    const expireMs = this.#nowMs() + msDuration;
    const counted = await this.#counters({ key, points, expireMs });
    if (counted === undefined) return undefined;
    return { rows: [{ points: counted.points, expire: counted.expireMs }] };
  }
}
