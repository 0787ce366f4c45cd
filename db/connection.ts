/**
 * The only way to PostgreSQL for everything that runs: pools of the application's role, transactions and single statements bound to one tenant
 * by row-level security. It must never hand out a query that is not bound, nor let a driver's error out for a lost connection.
 */
import postgres from 'postgres';
import { LatchkeyError } from '../domain/errors.ts';
import { collectFacts, type CommittedFact } from './committed-facts.ts';
import { nobodyWatches, type DatabaseObserver } from './database-observer.ts';
import { translated } from './driver-errors.ts';
import { statementParts, type Statement } from './statement.ts';
import { formatTextArray, parseTextArray } from './text-array.ts';
import { together } from './together.ts';
import { beginGuarded, withPatience } from './transaction-guard.ts';

const TYPES = {
  // Positions and counters: far below 2^53, so numbers and not the driver's strings.
  bigint: { to: 20, from: [20], parse: Number, serialize: String },
  textArray: { to: 1009, from: [1009], parse: parseTextArray, serialize: formatTextArray },
};

/** A transaction. Columns arrive in camelCase (jsonb members as they were written), timestamptz as Date, bigint as number. */
export type Tx = postgres.TransactionSql<{ bigint: number }>;
export type Pool = postgres.Sql<{ bigint: number }>;
/** What builds SQL: a transaction, or a statement's own tag. */
export type Sql = postgres.ISql<{ bigint: number }>;

export interface TenantEntry {
  readonly tenantId: string;
  readonly slug: string;
}

export interface Database {
  /**
   * One READ COMMITTED transaction that sees this tenant's rows alone; a statement may take 5 s, a pause between two of them too.
   * @throws LatchkeyError database_unavailable (connection lost, time-out) or conflict (deadlock, serialisation): both may be retried.
   */
  tenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * One statement that commits by itself, in one round trip (db/statement.ts); it may take 5 s. When it throws, it may yet have happened.
   * @throws LatchkeyError as tenant()
   */
  statement<Row extends object>(statement: Statement<Row>): Promise<readonly Row[]>;
  /** Every tenant, cached for 5 s. */
  tenants(): Promise<readonly TenantEntry[]>;
  /** When the server started: unlogged tables may have lost what is older. */
  startedAtMs(): Promise<number>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly maxConnections?: number;
  /** As many more for single statements, which share them. */
  readonly maxStatementConnections?: number;
  /** How long to wait for a free connection; five seconds when left out. */
  readonly patienceMs?: number;
  readonly observer?: DatabaseObserver;
  /** The time of each transaction; heard only by databases that carry test/setup/postgres/test-clock.sql. */
  readonly testNowMs?: () => number;
}

/** Of one process; PostgreSQL must allow as many for each replica. */
export const DEFAULT_MAX_CONNECTIONS = 10;
/** Statements go down one connection one after the other without waiting for answers, so that few connections carry many. */
export const DEFAULT_STATEMENT_CONNECTIONS = 8;
const STATEMENT_TIMEOUT_MS = 5000;
const TENANTS_CACHED_MS = 5000;
const PATIENCE_MS = 5000;
const CONNECT_TIMEOUT_SECONDS = 5;

/** Connects lazily: the first query opens the first connection. */
export function connectDatabase({
  url,
  maxConnections = DEFAULT_MAX_CONNECTIONS,
  maxStatementConnections = DEFAULT_STATEMENT_CONNECTIONS,
  patienceMs = PATIENCE_MS,
  observer = nobodyWatches,
  testNowMs,
}: DatabaseOptions): Database {
  const pool = openPool(url, maxConnections);
  // Of their own: a transaction has its connection to itself, and who waits for its lock must not stand before it in line.
  const statements = openPool(url, maxStatementConnections, {
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  let cached: { readonly entries: readonly TenantEntry[]; readonly readAtMs: number } | undefined;

  async function tenants(): Promise<readonly TenantEntry[]> {
    if (cached !== undefined && performance.now() - cached.readAtMs < TENANTS_CACHED_MS)
      return cached.entries;
    const entries = await guarded(async () => [
      ...(await withPatience(pool<TenantEntry[]>`select * from latchkey_tenants()`, patienceMs)),
    ]);
    // An empty list is not worth remembering: the first tenant is just being made.
    cached = entries.length === 0 ? undefined : { entries, readAtMs: performance.now() };
    return entries;
  }

  return {
    tenant: (tenantId, work) =>
      observed(observer, (hold) => {
        const bound = async (tx: Tx) => {
          hold(collectFacts(tx));
          // Before the work's first statement on the same line, so that it is bound when that runs, and without a wait of its own.
          const [, result] = await together([bind(tx, tenantId, testNowMs?.()), work(tx)]);
          return result;
        };
        return guarded(() => beginGuarded(pool, bound, patienceMs));
      }),
    statement: ({ tenantId, build, tell }) =>
      observedStatement(observer, tell, () =>
        guarded(async () => {
          const parts = statementParts(statements, tenantId, testNowMs?.());
          return await withPatience(build(parts), patienceMs);
        }),
      ),
    tenants,
    startedAtMs: () =>
      guarded(async () => {
        const query = pool<{ startedAt: Date }[]>`select latchkey_started_at() as started_at`;
        const [row] = await withPatience(query, patienceMs);
        if (row === undefined) throw new TypeError('latchkey_started_at() answers one row');
        return row.startedAt.getTime();
      }),
    ping: () =>
      guarded(async () => {
        await withPatience(pool`select 1`, patienceMs);
      }),
    close: async () => {
      await Promise.all([pool.end({ timeout: 5 }), statements.end({ timeout: 5 })]);
    },
  };
}

/** The time by which this database judges: after a lock, ask again. */
export async function databaseNowMs(tx: Tx): Promise<number> {
  const [row] = await tx<{ now: Date }[]>`select latchkey_now() as now`;
  if (row === undefined) throw new TypeError('latchkey_now() answers one row');
  return row.now.getTime();
}

function openPool(
  url: string,
  maxConnections: number,
  settings: Readonly<Record<string, number>> = {},
): Pool {
  const pool = postgres(url, {
    max: maxConnections,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    // A restarted server is found again at once; the default waits up to 20 s and holds every query meanwhile.
    backoff: () => 0.1,
    types: TYPES,
    // Its question would be asked at every new connection, and its failure heard by nobody (db/text-array.ts).
    fetch_types: false,
    // Not postgres.camel: that also rewrites the members of jsonb.
    transform: { column: { from: postgres.toCamel, to: postgres.fromCamel } },
    connection: { application_name: 'latchkey', ...settings },
    onnotice: () => undefined,
  });
  // Arrays are recognised by their type in the database: a statement never names ours.
  return pool as unknown as Pool;
}

// Set inside the transaction, so that it also holds behind a pooler in transaction mode.
async function bind(tx: Tx, tenantId: string, nowMs: number | undefined): Promise<void> {
  if (nowMs === undefined) {
    await tx`select set_config('latchkey.tenant', ${tenantId}, true), set_config('statement_timeout', '5000', true),
      set_config('idle_in_transaction_session_timeout', '5000', true)`;
    return;
  }
  await tx`select set_config('latchkey.tenant', ${tenantId}, true), set_config('statement_timeout', '5000', true),
    set_config('idle_in_transaction_session_timeout', '5000', true),
    set_config('latchkey.now', ${new Date(nowMs).toISOString()}, true)`;
}

/** Tells the observer of one transaction; `hold` is called when it has its connection, with the list that its work fills. */
async function observed<T>(
  observer: DatabaseObserver,
  transaction: (hold: (facts: readonly CommittedFact[]) => void) => Promise<T>,
): Promise<T> {
  const askedAt = performance.now();
  let facts: readonly CommittedFact[] | undefined;
  observer.asked();
  const hold = (list: readonly CommittedFact[]) => {
    facts = list;
    observer.began((performance.now() - askedAt) / 1000);
  };
  try {
    const result = await transaction(hold);
    observer.ended({ code: undefined, held: facts !== undefined });
    if (facts !== undefined && facts.length > 0) observer.committed(facts);
    return result;
  } catch (error) {
    const code = error instanceof LatchkeyError ? error.code : 'internal_error';
    observer.ended({ code, held: facts !== undefined });
    throw error;
  }
}

/** The same of a statement: it waits, in line and for its answer, until it is done. */
async function observedStatement<Row extends object>(
  observer: DatabaseObserver,
  tell: Statement<Row>['tell'],
  work: () => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  observer.asked();
  try {
    const rows = await work();
    observer.ended({ code: undefined, held: false });
    const facts = tell?.(rows) ?? [];
    if (facts.length > 0) observer.committed(facts);
    return rows;
  } catch (error) {
    const code = error instanceof LatchkeyError ? error.code : 'internal_error';
    observer.ended({ code, held: false });
    throw error;
  }
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error);
  }
}
