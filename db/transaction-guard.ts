/**
 * What the driver lacks when a connection breaks: it writes to the lost socket in a callback of its own, where the error ends the
 * process (porsager/postgres issues 1154 and 1208, open as of 3.4.9), and it waits for a connection without limit. Here a
 * transaction that was lost never touches the driver again, and one that could not begin in time is given up and never done.
 */
import type postgres from 'postgres';
import { LatchkeyError } from '../domain/errors.ts';
import type { Pool, Tx } from './connection.ts';

const LOST = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

/** @throws LatchkeyError database_unavailable when the transaction did not begin within `patienceMs`; else what broke it. */
export async function beginGuarded<T>(
  pool: Pool,
  work: (tx: Tx) => Promise<T>,
  patienceMs: number,
): Promise<T> {
  const state = { begun: false, abandoned: false, lost: false };
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    if (state.begun) return;
    state.abandoned = true;
    reject(unavailable());
  }, patienceMs);

  let result: { readonly value: T } | undefined;
  const run = async (tx: Tx) => {
    state.begun = true;
    if (state.abandoned) throw unavailable();
    await new Promise<void>((settle, fail) => {
      work(guarded(tx, state)).then(
        (value) => {
          // Settling a lost transaction would make the driver write its commit, or its rollback, to nowhere.
          if (state.lost) return;
          result = { value };
          settle();
        },
        (error: unknown) => {
          if (isLost(error)) {
            state.lost = true;
            reject(error);
          } else if (!state.lost) fail(error);
        },
      );
    });
  };
  pool.begin(run).then(
    () => {
      if (result === undefined) reject(new TypeError('a transaction committed without its work'));
      else resolve(result.value);
    },
    (error: unknown) => {
      state.lost = true;
      reject(error);
    },
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** For a query outside a transaction. */
export async function withPatience<T>(query: Promise<T>, patienceMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(unavailable());
  }, patienceMs);
  try {
    return await Promise.race([query, promise]);
  } finally {
    clearTimeout(timer);
  }
}

function guarded(tx: Tx, state: { readonly lost: boolean }): Tx {
  const refuseWhenLost = () => {
    if (state.lost) throw unavailable();
  };
  return new Proxy(tx, {
    apply: (target, self, parameters) => {
      refuseWhenLost();
      return Reflect.apply(target, self, parameters);
    },
    get: (target, name) => {
      refuseWhenLost();
      if (name === 'savepoint') return guardedSavepoint(target, state);
      return Reflect.get(target, name);
    },
  });
}

// Only the form without a name: nobody needs another.
function guardedSavepoint(tx: Tx, state: { readonly lost: boolean }) {
  return async (work: (inner: Tx) => Promise<unknown>) => {
    const answer: unknown = await tx.savepoint(
      (inner: postgres.TransactionSql<{ bigint: number }>) =>
        new Promise<unknown>((settle, fail) => {
          work(guarded(inner, state)).then(
            (value) => {
              if (!state.lost) settle(value);
            },
            (error: unknown) => {
              if (!state.lost && !isLost(error)) fail(error);
            },
          );
        }),
    );
    return answer;
  };
}

function isLost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOST.has(String(error.code));
}

function unavailable(): LatchkeyError {
  return new LatchkeyError('database_unavailable', { retryAfterSeconds: 1 });
}
